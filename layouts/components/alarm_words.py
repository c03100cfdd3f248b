"""What an alarm says: its text and its reason, from ``alarms.<rule>`` and ``alarms.<rule>_reason`` in the words."""

from __future__ import annotations

from typing import Any

from dashboard.queries.answers import Alarm
from dashboard.words import Say
from layouts.components.figures import unit


def _filled(alarm: Alarm, say: Say) -> dict[str, Any]:
    """The alarm's parameters as they are written in this language; ``subject`` and ``since`` are always there."""
    written = {
        key: say.moment(value, alarm.since) if key.endswith("_at")
        else say.duration(value) if key.endswith("_seconds") and value is not None
        else say.number(value, 0 if value == int(value) else 1)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
        for key, value in alarm.params.items()
    }
    if "unit" in alarm.params:
        written["unit"] = unit(str(alarm.params["unit"]), say)
    return {"subject": alarm.subject, "since": say.time(alarm.since), **written}


def text(alarm: Alarm, say: Say) -> str:
    """The alarm in a line: "RSUD: 18 menit tanpa panggilan"."""
    return say(f"alarms.{alarm.rule}", **_filled(alarm, say))


def reason(alarm: Alarm, say: Say) -> str:
    """What its value counts, for the list: "lewat tenggat"; empty when the words have none."""
    key = f"alarms.{alarm.rule}_reason"
    return say(key, **_filled(alarm, say)) if say.has(key) else ""

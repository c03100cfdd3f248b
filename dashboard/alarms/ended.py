"""Which alarm ended last today: what this process saw open and then no longer did, until the alarm desk keeps a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from dashboard.clock import epoch, local_day
from dashboard.queries.answers import Alarm, Context


@dataclass
class Seen:
    """What was open when somebody last asked (epoch seconds), and the alarm that ended last, with when that was noticed."""

    at: int = 0
    open: dict[str, Alarm] = field(default_factory=dict)
    last: tuple[Alarm, int] | None = None

    def look(self, alarms: Sequence[Alarm], now: int) -> None:
        """Take note of what is open now; an instant before the last one changes nothing."""
        if now < self.at:
            return
        known = {alarm.key: alarm for alarm in alarms}
        gone = [alarm for key, alarm in self.open.items() if key not in known]
        if gone:
            self.last = (max(gone, key=lambda alarm: alarm.since), now)
        self.at, self.open = now, known


_SEEN: WeakKeyDictionary[Engine, Seen] = WeakKeyDictionary()
_LOCK = Lock()


def last_ended(context: Context, alarms: Sequence[Alarm]) -> tuple[Alarm | None, int | None]:
    """The alarm of these figures that ended last on the regency's present day, and when; nothing when none is known."""
    now, zone = epoch(context.now), context.regency.zone
    with _LOCK:
        seen = _SEEN.setdefault(context.engine, Seen())
        seen.look(alarms, now)
        last = seen.last
    if last is None or last[1] > now or local_day(last[1], zone) != local_day(now, zone):
        return None, None
    return last

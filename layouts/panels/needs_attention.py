"""Which five need attention first?"""

from __future__ import annotations

from dashboard.alarms.rules import open_alarms
from dashboard.queries import audience
from dashboard.queries.answers import Alarm, Alarms, State
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.alarm_words import reason
from layouts.components.elements import Element
from layouts.components.fitting import fit
from layouts.components.shapes import shape
from layouts.components.tile import stale_mark

query = open_alarms
for_people = audience.alarms
ALARMS = frozenset({"*"})
"""All alarms stand here: the scene with it is pinned by a critical one without a panel of its own."""
PLACES = 5


def _row(place: int, alarm: Alarm | None, say: Say) -> Element:
    """One place of the list; an empty one keeps its elements, unseen."""
    kind, name, why, value = "normal", "", "", ""
    if alarm is not None:
        stale = alarm.source_state in (State.STALE, State.OFFLINE)
        kind = alarm.source_state.value if stale else alarm.level.value
        name = alarm.subject or say("alarms.hidden_subject")
        why = reason(alarm, say)
        if alarm.value is not None:
            value = say.number(alarm.value, 0 if alarm.value >= 10 or alarm.value == int(alarm.value) else 1)
    return el.li(
        [
            shape(kind, f"state-{place}", f" st c-{kind}"),
            el.span(name, id=f"name-{place}", className=f"n{fit(name, 12, 16, 20)}"),
            el.span(why, id=f"reason-{place}", className=f"r{fit(why + ' ' * 2 * max(0, len(name) - 9), 24, 30)}"),
            el.span(value, id=f"value-{place}", className=f"v{fit(value, 4, 6, 8)}"),
        ],
        id=f"row-{place}",
        className="is-shown" if alarm else "is-gone",
    )


def draw(answer: Alarms, say: Say) -> Element:
    """The five worst alarms, or a calm zero."""
    alarms = answer.alarms[:PLACES]
    title = "title_five" if len(answer.alarms) >= PLACES else "title"
    last = ""
    if answer.last_ended is not None and answer.last_ended_at is not None:
        last = say("panels.needs_attention.last", name=answer.last_ended.subject, time=say.time(answer.last_ended_at))
    return el.section(
        [
            el.h2(say(f"panels.needs_attention.{title}"), id="title", className="plate"),
            stale_mark(say),
            el.ol(
                [_row(at, alarms[at] if at < len(alarms) else None, say) for at in range(PLACES)], className="need"
            ),
            el.div(
                [
                    el.div(say.number(0), className="fig"),
                    el.div(
                        say("panels.needs_attention.none", n=say.number(answer.agencies_watched)),
                        id="none",
                        className="say",
                    ),
                    el.div(last, id="last", className="age"),
                ],
                className="calm",
            ),
        ],
        id="tile",
        className="tile attention-list " + ("has-alarms" if alarms else "is-calm"),
    )

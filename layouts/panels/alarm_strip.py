"""Which alarm is the worst, since when, and how many more are open?"""

from __future__ import annotations

from dashboard.alarms.rules import open_alarms
from dashboard.queries import audience
from dashboard.queries.answers import Alarms, Level
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.alarm_words import text
from layouts.components.attributes import data
from layouts.components.elements import Element
from layouts.components.fitting import fit
from layouts.components.shapes import shape
from layouts.components.tile import stale_mark

query = open_alarms
for_people = audience.alarms


def draw(answer: Alarms, say: Say) -> Element:
    """The strip at the foot of every scene; a critical alarm turns all of it."""
    worst = answer.alarms[0] if answer.alarms else None
    level = worst.level if worst else Level.NORMAL
    what = text(worst, say) if worst else say("panels.alarm_strip.none")
    first, second, counted, more = "", "", "", len(answer.alarms) - 1
    if worst:
        first, counted = say("panels.alarm_strip.unanswered"), str(worst.since)
        second = say("panels.alarm_strip.since", time=say.moment(worst.since, answer.as_of))
    elif answer.last_ended is not None and answer.last_ended_at is not None:
        first, second = say("panels.alarm_strip.last", time=say.time(answer.last_ended_at)), answer.last_ended.subject
    size = fit(what + " " * max(0, len(second) - 14), 40, 48, 57)  # an older alarm's day takes some of its room
    return el.div(
        [
            el.div(
                [shape(level.value, "shape"), el.span(say(f"wall.levels.{level.value}"), id="word")], className="lead"
            ),
            el.div(el.span(what, id="what"), id="what-box", className=f"what{size}"),
            el.div(
                [
                    el.span(first, id="since"),
                    el.span([el.span(second, id="second"), el.span(id="age", **data(age_since=counted, age_short="1"))]),
                ],
                className="who",
            ),
            stale_mark(say),
            el.div(f"+{say.number(more)}", id="more", className="more" + ("" if more > 0 else " is-gone")),
        ],
        id="strip",
        className=f"alarm c-{level.value}" + (" pinned" if level is Level.CRITICAL else ""),
    )

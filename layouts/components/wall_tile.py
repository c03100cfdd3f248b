"""One wall on the scene *walls*: its health, what it paints, its last 24 hours."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.queries.answers import Level
from dashboard.queries.walls import HOURS, Health, Wall, WallHour
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import aria, data
from layouts.components.elements import Element
from layouts.components.fitting import fit
from layouts.components.shapes import shaped

STEP, TALL = 12, 22
MEGABYTES_STEP = 10
"""Memory is said in steps, so that a healthy wall's tile does not change with each receipt."""
AGE_STEP = 10


def kind_of(health: Health, level: Level) -> str:
    """The shape and colour of a wall's state."""
    if health is Health.WELL:
        return "fresh"
    return "offline" if health is Health.OFF else level.value


def _trouble(wall: Wall, at: int, say: Say) -> str:
    """What is wrong, in numbers; empty for a wall that is well."""
    words = f"panels.walls.trouble.{wall.health.value}"
    if wall.health is Health.WELL:
        return ""
    since = wall.faults[0].since if wall.faults else wall.off_since or at
    (width, height), wanted = wall.pixels, wall.wanted
    return say(
        words, behind=say.duration(wall.behind_seconds), since=say.moment(since, at),
        skew=say.duration(max(abs(wall.skew_seconds), abs(wall.shown_seconds))), size=f"{width}×{height}",
        wanted=f"{wanted[0]}×{wanted[1]}",
    )


def _facts(wall: Wall, say: Say) -> str:
    """Size, scale and memory of the page, as it told last."""
    if wall.receipt_at is None:
        return say("panels.walls.no_receipt")
    width, height = wall.pixels
    facts = [f"{width}×{height}" + ("" if wall.ratio == 1 else f" @{say.number(wall.ratio, 0 if wall.ratio % 1 == 0 else 2)}")]
    if wall.heap_bytes is not None:
        megabytes = max(MEGABYTES_STEP, round(wall.heap_bytes / 1e6 / MEGABYTES_STEP) * MEGABYTES_STEP)
        facts.append(say("panels.walls.memory", n=say.number(megabytes)))
    return " · ".join(facts)


def _oldest(wall: Wall, key: str, say: Say) -> Element:
    """Age of the oldest data that the wall painted, counted on by the browser."""
    known = wall.health is Health.WELL and wall.receipt_at is not None and wall.data_age_seconds is not None
    since = ((wall.receipt_at or 0) - (wall.data_age_seconds or 0)) // AGE_STEP * AGE_STEP if known else ""
    return el.span(
        [
            el.span(say("panels.walls.oldest") if known else "", id=f"{key}-oldest"),
            el.span(id=f"{key}-age", **data(age_since=str(since), age_short="1")),
        ],
        className="oldest",
    )


def _bars(hours: Sequence[WallHour], troubled: bool) -> str:
    """Whole bars for hours that were well; parted ones for those with a fault."""
    marks = []
    for number, hour in enumerate(hours):
        x = number * STEP + 1.5
        if hour.receipts and bool(hour.troubled) is troubled:
            marks.append(f"M{x:g} 0h9v6h-9ZM{x:g} 10h9v12h-9Z" if troubled else f"M{x:g} 0h9v22h-9Z")
    return "".join(marks)


def day_strip(id: str, hours: Sequence[WallHour], say: Say) -> Element:
    """A wall's 24 hours, the running one last; read aloud as how many were well, troubled and dark."""
    troubled = sum(bool(hour.troubled) for hour in hours)
    well = sum(bool(hour.receipts) for hour in hours) - troubled
    dark = HOURS - well - troubled
    told = say("panels.walls.day_told", well=say.number(well), troubled=say.number(troubled), dark=say.number(dark))
    return el.svg(
        [
            el.path(id=f"{id}-good", className="run good", d=_bars(hours, False)),
            el.path(id=f"{id}-odd", className="run odd", d=_bars(hours, True)),
        ],
        id=id, className="runs", viewBox=f"0 0 {HOURS * STEP} {TALL}", preserveAspectRatio="none", role="img", **aria(label=told),
    )


def hour_mark(troubled: bool) -> Element:
    """The mark of one hour by itself, as in the legend."""
    path = _bars((WallHour(1, int(troubled)),), troubled)
    tone = "odd" if troubled else "good"
    return el.svg(el.path(d=path, className=f"run {tone}"), className="run-mark", viewBox=f"1.5 0 9 {TALL}", **aria(hidden="true"))


def wall_tile(wall: Wall, key: str, at: int, say: Say) -> Element:
    """The tile; ``key`` makes its ids. What is not well has another edge, a shape and a word."""
    kind = kind_of(wall.health, wall.level)
    state = {"fresh": "is-normal", "offline": "is-offline"}.get(kind, f"is-normal {kind}")
    word, trouble = say(f"panels.walls.health.{wall.health.value}"), _trouble(wall, at, say)
    more = len(wall.faults) - 1
    return el.section(
        [
            el.div(wall.place, id=f"{key}-name", className=f"un{fit(wall.place, 22, 27, 33)}"),
            el.div(
                word + (f" +{say.number(more)}" if more > 0 else ""), id=f"{key}-state",
                className=f"us st {shaped(kind)} c-{kind}",
            ),
            el.div(
                [el.span(trouble, id=f"{key}-trouble"), _oldest(wall, key, say)], id=f"{key}-what",
                className=f"ua{fit(trouble, 36, 40, 44)}",
            ),
            el.div(_facts(wall, say), id=f"{key}-facts", className="facts"),
            el.div(day_strip(f"{key}-day", wall.hours, say), className="ut"),
        ],
        id=f"{key}-tile",
        className=f"tile unit wall-tile {state}",
    )

"""Which agencies are connected, how fresh is each of their sources, and how did its runs of the last 24 hours end?"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select

from dashboard.cases import Outcome
from dashboard.clock import HOUR, epoch
from dashboard.queries.agencies import RANK
from dashboard.queries.answers import Context, Limits, SourceAge, State, question
from dashboard.queries.freshness import OUT, ages, soonest
from dashboard.queries.runs import Hour, Last, hours_of_runs, last_runs
from dashboard.queries.volumes import kept
from dashboard.store.tables import dimension

QUIET = (Outcome.OK.value, Outcome.EMPTY.value, "")
ANSWERS_EVERY_SECONDS = 2.0


@dataclass(frozen=True)
class SourceDay:
    """One source: its age, its 24 clock hours (the running one last), and how its last run ended when that was not well."""

    age: SourceAge
    hours: tuple[Hour, ...]
    problem: Last | None = None


@dataclass(frozen=True)
class Unit:
    """One connected agency. ``state``: that of its sources, *partial* when some of them are stale or offline and others not.

    ``sources``: its own, else those of others that feed it (``through`` names whose); the worst first, then the
    one with the shortest limit. ``counting`` of them are neither stale nor offline. ``declared`` is false for a discovered
    agency.
    """

    agency: str
    short_name: str
    state: State
    sources: tuple[SourceDay, ...]
    counting: int
    through: str = ""
    declared: bool = True


@dataclass(frozen=True)
class Ecosystem:
    """Connected agencies in declared order, then the names of those declared without a source. ``first_hour``: of all lines."""

    as_of: int
    units: tuple[Unit, ...]
    not_connected: tuple[str, ...]
    sources: int
    first_hour: int
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


def _fed(context: Context) -> dict[str, set[str]]:
    """Agency → the sources that ever told a case of it. Read again only when a new dimension appeared."""
    with context.engine.connect() as connection:
        newest = connection.execute(select(func.max(dimension.c.id))).scalar()

    def read() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        with context.engine.connect() as connection:
            for agency, source in connection.execute(select(dimension.c.agency, dimension.c.source).distinct()):
                found.setdefault(agency, set()).add(source)
        return found

    return kept(context, "fed", newest, read)


def _doubt(age: SourceAge) -> Last | None:
    """A source whose runs are good and whose stamps look like another zone's has a problem all the same (D2)."""
    return Last(Outcome.PARTIAL.value, "zone", 0) if age.zone_doubted else None


def _state(found: tuple[SourceAge, ...]) -> State:
    """The worst of them, or *partial* when only some count."""
    out = sum(age.state in OUT for age in found)
    if 0 < out < len(found):
        return State.PARTIAL
    return min((age.state for age in found), key=lambda state: RANK[state])


@question(reads={"cases", "state"}, at_most_every=ANSWERS_EVERY_SECONDS)
def ecosystem(context: Context) -> Ecosystem:
    """Every agency with its sources and their last 24 hours; right when nobody is connected and when nothing ever ran."""
    known, declared = ages(context), context.regency.agencies
    first, hours = hours_of_runs(context)
    last = last_runs(context, [key for key, age in known.items() if age.outcome not in QUIET])
    own: dict[str, set[str]] = {}
    for key, age in known.items():
        own.setdefault(age.owner, set()).add(key)
    fed = _fed(context)

    def unit(agency: str) -> Unit | None:
        mine, others = own.get(agency, set()), fed.get(agency, set())
        heard = [key for key in known if key in mine and known[key].state is not State.NONE]
        through = not heard  # its own system was not heard yet, or there is none: it may be in another's
        if through:
            heard = [key for key in known if key in others and known[key].state is not State.NONE]
        if not heard:
            return None
        days = tuple(sorted(
            (SourceDay(known[key], hours.get(key, ()), last.get(key) or _doubt(known[key])) for key in heard),
            key=lambda day: (RANK[day.age.state], day.problem is None, day.age.limit_seconds),
        ))
        who = declared.get(agency)
        return Unit(
            agency=agency, short_name=who.short_name if who else agency, declared=who is not None,
            state=_state(tuple(day.age for day in days)), sources=days,
            counting=sum(day.age.state not in OUT for day in days), through=days[0].age.short_name if through else "",
        )

    serving = [agency for agency, one in declared.items() if (one.serves and not one.outside) or agency in own]
    discovered = sorted(agency for agency, sources in fed.items() if agency not in declared and sources & known.keys())
    units = {agency: unit(agency) for agency in [*serving, *discovered]}
    return Ecosystem(
        as_of=epoch(context.now), units=tuple(one for one in units.values() if one is not None),
        not_connected=tuple(declared[agency].short_name for agency, one in units.items() if one is None and agency in declared),
        sources=len(known), first_hour=first,
        changes_at=soonest(
            first + 24 * HOUR, *(age.changes_at for age in known.values()), *(end.again_at for end in last.values()),
        ),
        limits=Limits(late=soonest(*(age.late_at for age in known.values() if age.state is State.NORMAL))),
    )

"""How do the districts compare over the last whole days: the share of requests that were late, or how many cases came?

Late shares stand in a funnel: outside 95 % or 99.8 % of what chance would give around the mean of all that are ranked
(normal approximation; Spiegelhalter 2005). Stale members are listed and not ranked; small numbers are hidden
(``dashboard/small_numbers.py``); nothing is divided by a population, for none is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from dashboard.cases import OUTSIDE_DISTRICT, UNKNOWN_DISTRICT
from dashboard.clock import day_end, epoch, local_day
from dashboard.errors import ConfigError
from dashboard.geography import RegencyMap, map_of
from dashboard.queries.answers import Context, Figure, Level, Limits, SourceAge, State, question
from dashboard.queries.by_district import Counts, Place, days_of, sums_by_district
from dashboard.queries.freshness import OUT, ages, soonest
from dashboard.queries.totals import Known, figure, known_of
from dashboard.queries.volumes import covered_days, settles_at, versions_of
from dashboard.small_numbers import ROOM, hidden, sensitive, small

if TYPE_CHECKING:
    from config.declarations import Regency

MEASURES = ("late", "received")
KINDS = ("request", "complaint", "visit")
ANSWERS_EVERY_SECONDS = 10.0
"""The sums behind are read once a minute; how fresh they are may be told sooner."""
FUNNEL = ((3.0902, Level.WARNING), (1.96, Level.ATTENTION))
"""Standard deviations of 99.8 % and 95 %."""
APART = (UNKNOWN_DISTRICT, OUTSIDE_DISTRICT, "")
"""What is no district of ours: unknown, another regency's, not provided. Three things."""
NOT_RANKED = (*OUT, State.NONE, State.LOADING, State.NOT_PROVIDED)


@dataclass(frozen=True)
class DistrictRow:
    """One district. ``figure.value``: percent of those judged that were late, or cases received; ``figure.cases``: the base.

    ``rank`` from 1 (the most), ``None`` for one that is listed only. ``hidden``: "small" (1 … k-1) or "further" (hidden so
    that no total gives a small one away); then there is neither value nor base.
    """

    district: str
    name: str
    figure: Figure
    rank: int | None = None
    hidden: str = ""


@dataclass(frozen=True)
class Apart:
    """Cases without a district of ours: "unknown", "outside" or "not_provided"; ``count`` is ``None`` when hidden."""

    what: str
    count: int | None


@dataclass(frozen=True)
class Districts:
    """All declared districts, the ranked ones first. ``mean``: of those ranked, as ``figure.value``. ``k``: the least count
    shown, 0 where all are. ``days_known``: whole days that every counted source vouches for, of ``days``.
    ``without``: short names of owners whose data are stale or gone.
    """

    as_of: int
    measure: str
    kind: str
    days: int
    agencies: tuple[str, ...]
    rows: tuple[DistrictRow, ...]
    apart: tuple[Apart, ...]
    map: RegencyMap
    mean: float | None = None
    k: int = 0
    days_known: int = 0
    without: tuple[str, ...] = ()
    data_until: int | None = None
    limit_seconds: int = 0
    late: bool = False
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


class _Asked:
    """What is asked and what was read for it: sums by source and place, ages of the sources that tell a district."""

    def __init__(self, context: Context, measure: str, kind: str, agencies: Collection[str], days: int) -> None:
        self.context, self.measure, self.kind, self.days = context, measure, kind, days
        self.version = versions_of(context)
        zone = context.regency.zone
        today = local_day(epoch(context.now), zone)
        first = today - timedelta(days=days)
        self.midnight = day_end(today, zone)
        self.sums = self._sums(sums_by_district(context, self.version, first, today), agencies)
        self.agencies_in = {agency for _, agency, _ in self.sums}
        self.ages = self._ages(agencies)
        covered = covered_days(context, [age.source for age in self.ages], days_of(first, today), self.version)
        self.known_days = {source: len(found) for source, found in covered.items()}
        self.by_place: dict[str, dict[str, Counts]] = {}
        for (source, _, place), counts in self.sums.items():
            of_place = self.by_place.setdefault(place, {})
            of_place[source] = of_place.get(source, Counts()).plus(counts)

    def _sums(self, whole: Mapping[Place, Counts], agencies: Collection[str]) -> dict[tuple[str, str, str], Counts]:
        """(source, agency, district) of the kind and agencies asked for; of the declared sources."""
        return {
            (source, agency, place): counts for (source, agency, kind, place), counts in whole.items()
            if kind == self.kind and (not agencies or agency in agencies) and source in self.context.regency.sources
        }

    def _ages(self, agencies: Collection[str]) -> list[SourceAge]:
        """The sources that can tell a district and have, or are declared for, cases of this kind."""
        heard = {source for source, _, _ in self.sums}
        return [
            age for key, age in ages(self.context).items()
            if "district" in (source := self.context.regency.sources[key]).fields and source.feeds == "cases"
            and (key in heard or (source.kind == self.kind and (not agencies or source.owner in agencies)))
        ]

    def base(self, counts: Counts) -> int:
        """How many the figure stands on: judged ones of a share, or those received."""
        return counts.judged if self.measure == "late" else counts.received

    def of(self, place: str, sources: Collection[str]) -> Counts:
        """The counts of a place over some sources."""
        found = Counts()
        for source, counts in self.by_place.get(place, {}).items():
            if source in sources:
                found = found.plus(counts)
        return found

    def known(self, places: Collection[str]) -> Known:
        """Which sources count for these places, weighed by what each brought there."""
        weights = {
            age.source: float(sum(self.base(self.of(place, (age.source,))) for place in places))
            for age in self.ages if age.data_until is not None
        }
        return known_of(self.ages, weights)

    def figure(self, place: str) -> Figure:
        """The figure of a district, before anything is hidden."""
        if not self.ages:
            return Figure(self.measure, None, State.NOT_PROVIDED)
        known = self.known((place,))
        one = figure(self.context, self.measure, known, lambda sources: self._value(place, sources), lambda sources: None)
        over = known.everyone if one.state in OUT else known.counted
        base = self.base(self.of(place, over))
        if one.state in (State.NONE, State.LOADING) or one.data_until is None:
            return one
        return self._judged(replace(one, cases=base), over)

    def _value(self, place: str, sources: tuple[str, ...]) -> float | None:
        counts = self.of(place, sources)
        if self.measure == "received":
            return float(counts.received)
        return 100 * (counts.judged - counts.on_time) / counts.judged if counts.judged else None

    def _judged(self, one: Figure, over: Collection[str]) -> Figure:
        """Too few for a share, nothing to judge, days that nobody vouches for."""
        needed, out = self.context.regency.thresholds.least_cases, one.state in OUT
        if self.measure == "late":
            if not one.cases:
                return replace(one, value=None, state=one.state if out else State.NOT_APPLICABLE)
            few = one.cases < needed
            return replace(one, value=None, needed=needed, state=one.state if out else State.TOO_FEW) if few else one
        known = [self.known_days.get(source, 0) for source in over]
        if not one.value and not any(known):
            return replace(one, value=None, cases=None, state=one.state if out else State.NOT_PROVIDED)
        partial = min(known, default=0) < self.days and one.state in (State.NORMAL, State.LATE)
        return replace(one, state=State.PARTIAL) if partial else one


def _hidden(asked: _Asked, rows: list[DistrictRow], apart: list[Apart]) -> tuple[list[DistrictRow], list[Apart], int]:
    """Rows and counts apart with small numbers hidden, and k; no total of a share is shown, so only the small ones are."""
    if not sensitive(asked.context.regency, asked.kind, asked.agencies_in):
        return rows, apart, 0
    counts = {row.district: row.figure.cases or 0 for row in rows} | {one.what: one.count or 0 for one in apart}
    first, further = (small(counts), set()) if asked.measure == "late" else hidden(counts)
    kept = []
    for row in rows:
        how = "small" if row.district in first else "further" if row.district in further else ""
        if not how:
            kept.append(row)
            continue
        state = row.figure.state if row.figure.state in NOT_RANKED else State.SUPPRESSED
        kept.append(replace(row, hidden=how, figure=replace(row.figure, value=None, cases=None, needed=None, state=state)))
    return kept, [replace(one, count=None) if one.what in first | further else one for one in apart], ROOM


def _ranked(asked: _Asked, rows: list[DistrictRow]) -> tuple[list[DistrictRow], float | None]:
    """The rows, the most first, with their ranks and, for shares, their place in the funnel; those not ranked at the end."""
    ranked = sorted(
        (row for row in rows if row.figure.state not in NOT_RANKED and row.figure.value is not None),
        key=lambda row: (-(row.figure.value or 0.0), row.district),
    )
    mean = None
    if asked.measure == "late" and ranked:
        base = sum(row.figure.cases or 0 for row in ranked)
        mean = sum((row.figure.value or 0.0) * (row.figure.cases or 0) for row in ranked) / base
        ranked = [replace(row, figure=replace(row.figure, level=_level(row.figure, mean))) for row in ranked]
    elif ranked:
        mean = sum(row.figure.value or 0.0 for row in ranked) / len(ranked)
    places = {row.district for row in ranked}
    rest = [row for row in rows if row.district not in places]
    return [*(replace(row, rank=place) for place, row in enumerate(ranked, 1)), *rest], mean


def _level(one: Figure, mean: float) -> Level:
    """Warning or attention for a share above the mean by more than chance would make it; a partly known one is not judged."""
    deviation = math.sqrt(mean * (100 - mean) / (one.cases or 1))
    away = (one.value or 0.0) - mean
    return Level.NORMAL if one.state is State.PARTIAL else next(
        (level for limit, level in FUNNEL if deviation and away > limit * deviation), Level.NORMAL
    )


def _refuse_unknown(regency: Regency, measure: str, kind: str, agencies: Collection[str]) -> None:
    """Raises ``ConfigError`` for a name in the panel's parameters that does not exist."""
    for word, names, known in (
        ("measure", (measure,), MEASURES), ("kind", (kind,), KINDS), ("agency", agencies, tuple(regency.agencies)),
    ):
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"panel districts: no {word} {name!r}; known: {', '.join(known)}",
                    f"panel districts: tidak ada {word} {name!r}; yang ada: {', '.join(known)}", file="screens.toml",
                )


@question(reads={"history", "state"}, at_most_every=ANSWERS_EVERY_SECONDS)
def districts(
    context: Context, *, measure: str = "late", kind: str = "request", agencies: Collection[str] = (), days: int = 30
) -> Districts:
    """How do the districts compare over the last whole ``days``: share late (``measure = "late"``) or cases ``received``?

    ``agencies``: only theirs. Raises ``ConfigError`` for a measure, kind or agency that does not exist.
    """
    _refuse_unknown(context.regency, measure, kind, agencies)
    regency = context.regency
    asked = _Asked(context, measure, kind, agencies, max(1, min(int(days), 366)))
    rows = [DistrictRow(code, declared.name, asked.figure(code)) for code, declared in regency.districts.items()]
    everyone = [age.source for age in ages(context).values()]
    apart = [
        Apart(what, asked.base(asked.of(place, everyone)))
        for what, place in zip(("unknown", "outside", "not_provided"), APART, strict=True)
    ]
    rows, apart, k = _hidden(asked, rows, apart)
    rows, mean = _ranked(asked, rows)
    known = asked.known(tuple(regency.districts))
    counted = [known.ages[source] for source in known.counted]
    return Districts(
        as_of=epoch(context.now), measure=measure, kind=kind, days=asked.days, rows=tuple(rows), apart=tuple(apart),
        agencies=tuple(regency.agencies[agency].short_name for agency in agencies), map=map_of(regency), mean=mean, k=k,
        days_known=min((asked.known_days.get(age.source, 0) for age in counted), default=0),
        without=tuple(dict.fromkeys(age.short_name for age in known.out)),
        data_until=soonest(*(age.data_until for age in counted or known.out)),
        limit_seconds=min((age.limit_seconds for age in counted or known.out), default=0),
        late=any(age.state is State.LATE for age in counted),
        changes_at=soonest(asked.midnight, settles_at(context, asked.version), *(age.changes_at for age in asked.ages)),
        limits=Limits(
            late=soonest(*(row.figure.limits.late for row in rows)), stale=soonest(*(row.figure.limits.stale for row in rows)),
        ),
    )

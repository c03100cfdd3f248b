"""Partly known totals: who is left out, how much is missing, and when a total would become stale by itself (design §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from dashboard.queries.answers import Band, Context, Figure, Limits, SourceAge, State
from dashboard.queries.freshness import OUT

CONNECTED = (State.NORMAL, State.LATE, State.STALE, State.OFFLINE)


@dataclass(frozen=True)
class Known:
    """Which sources count towards a total now. ``share``: the missing share of the typical volume, 0…1."""

    counted: tuple[str, ...]
    out: tuple[SourceAge, ...]
    loading: bool
    share: float
    weights: Mapping[str, float]
    ages: Mapping[str, SourceAge]

    @property
    def everyone(self) -> tuple[str, ...]:
        """All connected sources: those that count and those left out."""
        return (*self.counted, *(age.source for age in self.out))


def known_of(ages: Iterable[SourceAge], typical: Mapping[str, float] | None) -> Known:
    """Split sources into those that count and those left out. ``typical``: volume up to now by source.

    A source without a typical volume counts as a mean one; without any, one source counts as one; 0 of 0 is 0. One that
    never gave data is named and weighs nothing: no total ever held it.
    """
    ages = list(ages)
    connected = [age for age in ages if age.state in CONNECTED]
    loading = any(age.state is State.LOADING for age in ages)
    out = [age for age in connected if age.state in OUT]
    loaded = [age.source for age in connected if age.data_until is not None]
    given = {source: (typical or {})[source] for source in loaded if source in (typical or {})}
    usual = sum(given.values()) / len(given) if given else 1.0
    weights = {age.source: 0.0 for age in connected} | {source: given.get(source, usual) for source in loaded}
    total = sum(weights.values())
    share = sum(weights[age.source] for age in out) / total if total else 0.0
    if out and len(out) == len(connected):
        share = 1.0
    return Known(
        tuple(age.source for age in connected if age.state not in OUT),
        tuple(sorted(out, key=lambda age: -weights[age.source])), loading, share, weights,
        {age.source: age for age in connected},
    )


def figure(
    context: Context, metric: str, known: Known, value_of: Callable[[tuple[str, ...]], float | None],
    band_of: Callable[[tuple[str, ...]], Band | None],
) -> Figure:
    """The figure of a total: value and band over the same sources, its state by the missing share, its ages.

    Under 5 % missing it is plain and names who is missing; from 5 % partial; from 20 % stale, and then the last known value
    of everyone stays, marked.
    """
    thresholds = context.regency.thresholds
    if not known.everyone:
        return Figure(metric, None, State.LOADING if known.loading else State.NONE)
    worst = known.out[0] if known.out else None
    without = tuple(dict.fromkeys(age.short_name for age in known.out))
    if all(age.data_until is None for age in known.ages.values()):
        return Figure(metric, None, State.OFFLINE, without=without, worst=worst)
    state = State.NORMAL
    if known.share >= thresholds.stale_from:
        state = State.OFFLINE if worst is not None and worst.state is State.OFFLINE else State.STALE
    elif known.share >= thresholds.named_under:
        state = State.PARTIAL
    elif any(known.ages[source].state is State.LATE for source in known.counted):
        state = State.LATE
    over = known.everyone if state in OUT else known.counted
    stamps = [known.ages[source].data_until for source in over]
    limits = [known.ages[source].limit_seconds for source in over]
    return Figure(
        metric, value_of(over), state, band=None if state in OUT else band_of(over), missing_share=known.share,
        without=without, worst=worst,
        data_until=min((at for at in stamps if at is not None), default=None), limit_seconds=min(limits, default=0),
        limits=Limits() if state in OUT else limits_of(known, thresholds.stale_from),
    )


def limits_of(known: Known, stale_from: float) -> Limits:
    """When this total would be late, and stale, if nothing more arrived: sources fall out in the order of their limits."""
    total = sum(known.weights.get(source, 0.0) for source in known.everyone)
    missing = sum(known.weights.get(age.source, 0.0) for age in known.out)
    stale = None
    pending = sorted(
        (age for source, age in known.ages.items() if source in known.counted and age.stale_at is not None),
        key=lambda age: age.stale_at or 0,
    )
    left = len(pending)
    for age in pending:
        missing += known.weights.get(age.source, 0.0)
        left -= 1
        if (total and missing / total >= stale_from) or left == 0:
            stale = age.stale_at
            break
    late = min((age.late_at for age in pending if age.state is State.NORMAL and age.late_at is not None), default=None)
    return Limits(late=late, stale=stale)


def too_few(one: Figure, cases: int, needed: int) -> Figure:
    """The same figure without a value when its base is smaller than declared; stale and missing stay what they are."""
    counted = replace(one, cases=cases, needed=needed)
    if cases >= needed or one.state in (*OUT, State.NONE, State.LOADING):
        return counted
    return replace(counted, value=None, band=None, state=State.TOO_FEW)

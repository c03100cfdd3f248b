"""A row of the table: what was measured, its budget, and whether it is met or by how much it is missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MET, MISSED, TOLD = "met", "missed", "told"


@dataclass(frozen=True)
class Options:
    """``full``: the long forms. ``quick``: small numbers, to try the bench itself; its figures are no measurement."""

    full: bool = False
    quick: bool = False


@dataclass(frozen=True)
class Line:
    """One measurement. ``verdict`` is met, missed or told (there is no budget); ``by``: how far beyond it lies."""

    what: str
    budget: str
    measured: str
    ratio: str
    verdict: str
    by: str
    method: str

    @property
    def said(self) -> str:
        """The verdict in words."""
        return f"MISSED by {self.by}" if self.verdict == MISSED else "–" if self.verdict == TOLD else self.verdict


def number(value: float) -> str:
    """A figure with as many digits as it deserves."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def at_most(what: str, value: float, limit: float, unit: str, *, measured: str, method: str, ratio: str = "") -> Line:
    """A budget that must not be exceeded."""
    return _judged(what, "≤", value - limit, limit, unit, measured, method, ratio)


def at_least(what: str, value: float, limit: float, unit: str, *, measured: str, method: str, ratio: str = "") -> Line:
    """A budget that must be reached."""
    return _judged(what, "≥", limit - value, limit, unit, measured, method, ratio)


def told(what: str, *, measured: str, method: str, ratio: str = "") -> Line:
    """A figure without a budget, for whoever wants to know why."""
    return Line(what, "", measured, ratio, TOLD, "", method)


def _judged(
    what: str, sign: str, beyond: float, limit: float, unit: str, measured: str, method: str, ratio: str
) -> Line:
    where = "over" if sign == "≤" else "short of"
    by = f"{number(beyond)} {unit} ({beyond / limit:.0%} {where} the budget)" if beyond > 0 else ""
    return Line(what, f"{sign} {limit:,g} {unit}", measured, ratio, MISSED if by else MET, by, method)


def quantile(values: Iterable[float], share: float) -> float:
    """A quantile by linear interpolation, as numpy's. Raises ``ValueError`` without values."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def median(values: Iterable[float]) -> float:
    """The median."""
    return quantile(values, 0.5)


def percentiles(values: Sequence[float], unit: str = "ms") -> str:
    """p50, p95 and p99 for people."""
    return " / ".join(number(quantile(values, share)) for share in (0.5, 0.95, 0.99)) + f" {unit}"

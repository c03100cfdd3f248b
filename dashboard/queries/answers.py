"""What every answer shares: the context of a question, states, bands, limits.

An answer is plain frozen data. ``changes_at`` is the next instant (epoch seconds) at which the same data would say
something else; ``None`` when nothing but new data changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Engine

from config.declarations import Regency


class Context(NamedTuple):
    """What a question may use: the figures store, the declarations, the instant it is asked for (aware UTC), and, where
    it is about people's work and devices, the people store.

    ``seen``: the figures store's versions at which a whole refresh asks; ``None``: each question reads them. What is committed
    meanwhile has a later version, and is asked for again.
    """

    engine: Engine
    regency: Regency
    now: datetime
    people: Engine | None = None
    seen: tuple[int, int] | None = None


class State(StrEnum):
    """How a figure stands. The names are those of the table of states; words under ``panels.states.<name>``."""

    NORMAL = "normal"  # fresh
    LATE = "late"  # missed its rhythm, inside its limit
    PARTIAL = "partial"  # sebagian: from 5 % missing
    STALE = "stale"
    OFFLINE = "offline"
    LOADING = "loading"  # before the first complete read
    NONE = "none"  # no data / not connected
    TOO_FEW = "too_few"
    SUPPRESSED = "suppressed"
    NOT_APPLICABLE = "not_applicable"
    NOT_PROVIDED = "not_provided"


class Level(StrEnum):
    """Priority of an alarm and the overall state."""

    NORMAL = "normal"
    ATTENTION = "attention"  # PERHATIAN, priority 3
    WARNING = "warning"  # PERINGATAN, priority 2
    CRITICAL = "critical"  # KRITIS, priority 1


@dataclass(frozen=True)
class Limits:
    """Absolute instants, epoch seconds, that the browser counts by itself: when what it shows becomes late and stale."""

    late: int | None = None
    stale: int | None = None


@dataclass(frozen=True)
class Band:
    """Typical by this hour: quartiles and median over ``days`` comparable days."""

    low: float
    median: float
    high: float
    days: int


@dataclass(frozen=True)
class SourceAge:
    """The freshness of one source, as a screen says it.

    ``state``: normal, late, stale, offline, loading or none. ``why``: "stale", "silent" or "" (silent is shown as stale,
    "tidak ada data baru"). ``data_until`` and ``since`` (when that state began) are epoch seconds.
    ``changes_at``: when the clock alone would change ``state``. ``zone_doubted``: its stamps look like another zone's (D2).
    """

    source: str
    owner: str
    short_name: str
    state: State
    why: str = ""
    data_until: int | None = None
    since: int | None = None
    late_at: int | None = None
    stale_at: int | None = None
    limit_seconds: int = 0
    changes_at: int | None = None
    outcome: str = ""
    message_id: str = ""
    message_en: str = ""
    zone_doubted: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure on a tile, with all that keeps it honest.

    ``value`` is ``None`` when there is nothing to show (then ``state`` says which kind of nothing). ``without``: short names
    of the owners whose sources are left out. ``worst``: the source that explains a stale or offline state.
    ``data_until``: the oldest stamp among the sources that count. ``level``: warning when an alarm rule holds for it.
    For people present (``dashboard/queries/audience.py``): ``rounded_to`` is the step of what is shown, under which nothing is;
    ``omitted``: left out, whatever its size.
    """

    metric: str
    value: float | None
    state: State
    band: Band | None = None
    missing_share: float = 0.0
    without: tuple[str, ...] = ()
    worst: SourceAge | None = None
    data_until: int | None = None
    limit_seconds: int = 0
    level: Level = Level.NORMAL
    cases: int | None = None
    needed: int | None = None
    limits: Limits = Limits()
    rounded_to: int = 0
    omitted: bool = False


@dataclass(frozen=True)
class Alarm:
    """An abnormal state that asks for an action. ``key`` is stable while it lasts; ``since`` epoch seconds.

    ``rule`` names its text under ``alarms.<rule>`` in the words; ``params`` fill it in; ``value`` and ``reason`` are for the
    list of those that need attention.
    """

    key: str
    rule: str
    level: Level
    subject: str
    since: int
    params: dict[str, Any] = field(default_factory=dict)
    value: float | None = None
    source_state: State = State.NORMAL


Ask = TypeVar("Ask", bound=Callable[..., Any])


def question(*, reads: frozenset[str] | set[str], at_most_every: float = 0.0) -> Callable[[Ask], Ask]:
    """Mark a query with what it reads (words of ``changed.what``) and how often, in seconds, it may be asked."""

    def mark(ask: Ask) -> Ask:
        ask.reads = frozenset(reads)  # type: ignore[attr-defined]
        ask.at_most_every = at_most_every  # type: ignore[attr-defined]
        return ask

    return mark


@dataclass(frozen=True)
class Tile:
    """One headline figure of the scene *today*. Unit of ``figure.value`` is that of its metric."""

    as_of: int
    figure: Figure
    changes_at: int | None = None
    limits: Limits = Limits()


@dataclass(frozen=True)
class Rolling:
    """Cases received in the last 60 minutes, through today.

    ``line``: (minute of the local day, cases in the 60 minutes before) every ten minutes and now; ``band``: (minute, low,
    high) for the whole day, empty without enough history. ``last`` is the line's last value. ``figure`` carries state, ages
    and who is left out.
    """

    as_of: int
    line: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float, float], ...]
    last: float | None
    figure: Figure
    changes_at: int | None = None
    limits: Limits = Limits()


@dataclass(frozen=True)
class AgencyRow:
    """One agency on the scene *agencies*.

    ``hours``: cases received per local hour of ``first_hour`` …; ``None`` for hours to come. ``time_value`` is the median of
    the last 30 days of the headline service (``time_service``; ``time_unit`` in the standard's unit, or "hours"), against
    ``standard_amount``; ``time_share`` and ``p90_share`` are shares of the standard (1.0 = the standard) of the median and
    the 90th percentile (``time_enough``: over as many cases as declared). Complaints: open now, and past their clock.
    ``declared`` is false for a discovered agency; ``counts_hidden``: its counts are left out for people present.
    """

    agency: str
    short_name: str
    subtitle: str
    age: SourceAge
    received: Figure
    hours: tuple[int | None, ...]
    first_hour: int
    time_value: float | None
    time_p90: float | None
    time_unit: str
    time_service: str
    standard_amount: float | None
    time_share: float | None
    p90_share: float | None
    time_level: Level
    on_time: Figure
    complaints_open: int | None
    complaints_late: int | None
    complaints_level: Level = Level.NORMAL
    declared: bool = True
    time_enough: bool = True
    counts_hidden: bool = False


@dataclass(frozen=True)
class Agencies:
    """All agencies that have or feed data, in declared order (place is memory), and how many are not connected."""

    as_of: int
    rows: tuple[AgencyRow, ...]
    not_connected: tuple[str, ...]
    changes_at: int | None = None
    limits: Limits = Limits()


@dataclass(frozen=True)
class Sources:
    """Every declared source with its age, in declared order."""

    as_of: int
    sources: tuple[SourceAge, ...]
    changes_at: int | None = None
    limits: Limits = Limits()


@dataclass(frozen=True)
class Alarms:
    """Open alarms, worst first, and the overall state. ``last_ended``: the alarm that ended last today, if known."""

    as_of: int
    alarms: tuple[Alarm, ...]
    overall: Level
    agencies_watched: int
    last_ended: Alarm | None = None
    last_ended_at: int | None = None
    changes_at: int | None = None
    limits: Limits = Limits()

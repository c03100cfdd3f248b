"""What an operator decides about held reads and rows put aside. Done by whoever leads; every decision is audited first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from collectors.replay import replay
from collectors.runner import run_source
from dashboard import clock
from dashboard.errors import ProductError
from dashboard.store import holds
from dashboard.store.audit import append
from dashboard.store.changes import announce
from dashboard.store.engine import migrate, open_engine, writing
from dashboard.store.lease import fence
from dashboard.store.state import state_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency, Source
    from config.settings import Settings

Work = Callable[["Engine", "Regency", "Settings", dict[str, Any], "int | None"], dict[str, Any]]
"""What the leader does: store, declarations, settings, arguments, fencing token; answers with plain values."""
WORDS = {holds.ACCEPT: "release hold", holds.NEW_GENERATION: "release hold as new generation", holds.REJECT: "reject held read"}


def decide(
    engine: Engine, regency: Regency, settings: Settings, arguments: dict[str, Any], token: int | None
) -> dict[str, Any]:
    """Release or reject what is held of a source; a released one is read at once. ``arguments``: source, decision, who, why.

    Raises ``ProductError`` when nothing is held, or for an unknown source or decision.
    """
    source, decision, who, why = (str(arguments[name]) for name in ("source", "decision", "who", "why"))
    declared(regency, source)
    if decision not in holds.DECISIONS:
        known = ", ".join(holds.DECISIONS)
        raise ProductError(f"no decision {decision!r}; known: {known}", f"tidak ada keputusan {decision!r}; yang ada: {known}")
    now = clock.now()
    with engine.connect() as connection:
        held, state = holds.hold_of(connection, source), state_of(connection, source)
    audit(settings, who, WORDS[decision], {
        "source": source, "why": why, "guard": held.guard if held else None, "counts": held.counts if held else None,
    })
    with writing(engine).begin() as connection:
        fence(connection, token)
        holds.decide(connection, source, decision, generation=state.generation, who=who, why=why, now=now)
        announce(connection, source, {"state"})
    if decision == holds.REJECT:
        return {"outcome": "held", "en": "rejected; the last good figures stay", "id": "ditolak; angka baik terakhir tetap"}
    return run_source(engine, regency, source, settings=settings, token=token).as_dict()


def replay_rows(
    engine: Engine, regency: Regency, settings: Settings, arguments: dict[str, Any], token: int | None
) -> dict[str, Any]:
    """Map the rows put aside of a source again. ``arguments``: source, who, why. Returns counts by what became of them."""
    source = declared(regency, str(arguments["source"]))
    audit(settings, str(arguments["who"]), "replay rejected rows", {"source": source.id, "why": str(arguments["why"])})
    return replay(engine, regency, source, settings=settings, token=token)._asdict()


def declared(regency: Regency, source: str) -> Source:
    """A source by its id. Raises ``ProductError`` that lists the known ones."""
    if source not in regency.sources:
        known = ", ".join(regency.sources) or "none"
        raise ProductError(f"no source {source!r}; declared: {known}", f"tidak ada sumber {source!r}; yang dinyatakan: {known}")
    return regency.sources[source]


def audit(settings: Settings, who: str, what: str, detail: dict[str, Any]) -> None:
    """A row in the audit of the people store."""
    people = open_engine(settings.url_of("people"), "people")
    try:
        migrate(people, "people")
        with writing(people).begin() as connection:
            append(connection, who, what, detail, clock.now())
    finally:
        people.dispose()

"""What a command does to the figures store: by a living leader through the request table, else as the leader itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError

from collectors.runner import run_source
from dashboard import clock, holding
from dashboard.cases import Outcome
from dashboard.errors import LeaseLost, ProductError
from dashboard.store import derived, holds, requests
from dashboard.store.lease import Lease, holder_name
from dashboard.store.recompute import recompute
from dashboard.store.trouble import in_words

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency
    from config.settings import Settings

SAID = {"rows_deleted": "gone"}
LEASE_SECONDS = 15
LONGEST_WAIT_SECONDS = 3600.0


@contextmanager
def leading(engine: Engine) -> Iterator[int | None]:
    """The fencing token of a lease kept while the block runs; ``None`` when another leader lives."""
    lease = Lease(engine, holder_name("command"), ttl_seconds=LEASE_SECONDS)
    token = lease.acquire(clock.now())
    if token is None:
        yield None
        return
    over = threading.Event()

    def keep() -> None:
        while not over.wait(LEASE_SECONDS / 3):
            try:
                lease.renew(clock.now())
            except OperationalError:  # a long transaction of our own holds the lock: the next try comes in time
                continue

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield token
    finally:
        over.set()
        keeper.join()
        lease.release()


def collect_now(
    settings: Settings, regency: Regency, engine: Engine, *, sources: Sequence[str], say: Callable[[str], None],
    dry_run: bool = False, since: datetime | None = None, reconcile: bool = False,
) -> bool:
    """Collect each source once and say its outcome; whether all were good. Raises ``ProductError`` for an unknown one."""
    for source in sources:
        holding.declared(regency, source)
    good = True
    with in_words(engine), leading(engine) as token:
        for source in sources:
            if token is None and not dry_run:
                result = _hand_over(engine, "collect", {
                    "source": source, "since": since.isoformat() if since else None, "reconcile": reconcile})
            else:
                result = run_source(
                    engine, regency, source, settings=settings, token=token, since=since, dry_run=dry_run,
                    reconcile=reconcile,
                ).as_dict()
            good = good and Outcome(result["outcome"]).good
            say(_line(source, result))
        if token is not None and not dry_run:
            while derived.derive_histograms(engine, regency, limit=200, token=token):
                pass
            derived.fill_gauges(engine, regency, clock.now(), token)
    return good


def recompute_now(
    regency: Regency, engine: Engine, *, since: datetime | None, say: Callable[[str], None]
) -> None:
    """Derive stored cases again under today's declarations."""
    with in_words(engine), leading(engine) as token:
        if token is None:
            result = _hand_over(engine, "recompute", {"since": clock.epoch(since) if since else None})
        else:
            result = {"run": recompute(
                engine, regency, since=clock.epoch(since) if since else None, token=token, now=clock.now()
            )}
            while derived.derive_histograms(engine, regency, limit=200, token=token):
                pass
    say(f"recomputed as run {result['run']}")


def decide_now(
    settings: Settings, regency: Regency, engine: Engine, *, source: str, decision: str, who: str, why: str,
    say: Callable[[str], None],
) -> bool:
    """Release or reject what is held of a source and say what came of it; whether that was good."""
    arguments = {"source": source, "decision": decision, "who": who, "why": why}
    with leading(engine) as token:
        done = _by_leader(engine, regency, "decide", holding.decide, settings, arguments, token)
    say(_line(source, done))
    return decision == holds.REJECT or Outcome(done["outcome"]).good


def replay_now(
    settings: Settings, regency: Regency, engine: Engine, *, source: str, who: str, why: str, say: Callable[[str], None]
) -> None:
    """Map the rows put aside of a source again and say what became of them."""
    arguments = {"source": source, "who": who, "why": why}
    with leading(engine) as token:
        done = _by_leader(engine, regency, "replay", holding.replay_rows, settings, arguments, token)
    say(f"{source}: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in done.items()))


def _by_leader(
    engine: Engine, regency: Regency, what: str, do: holding.Work, settings: Settings, arguments: dict[str, Any], token: int | None
) -> dict[str, Any]:
    """Done here, histograms too, where this command leads; else asked of the leader."""
    if token is None:
        return _hand_over(engine, what, arguments)
    done = do(engine, regency, settings, arguments, token)
    while derived.derive_histograms(engine, regency, limit=200, token=token):
        pass
    return done


def _hand_over(engine: Engine, what: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Ask the living leader and wait for its answer. Raises ``LeaseLost`` when it is gone or never answers."""
    identity = requests.ask(engine, what, arguments, clock.now())
    answer = requests.wait(engine, identity, timeout_seconds=LONGEST_WAIT_SECONDS)
    if answer is None:
        raise LeaseLost(
            "the leader is gone or does not answer; try again", "pemimpin sudah tidak ada atau tidak menjawab; coba lagi"
        )
    if "error" in answer:
        raise ProductError(answer["error"], answer.get("error_id", ""))
    return answer


def _line(source: str, result: dict[str, Any]) -> str:
    counts = ", ".join(f"{result[key]} {SAID.get(key, key.removeprefix('rows_'))}" for key in (
        "rows_read", "rows_new", "rows_changed", "rows_deleted", "rows_rejected") if result.get(key))
    return ": ".join(part for part in (source, str(result["outcome"]), counts, result.get("en", "")) if part)

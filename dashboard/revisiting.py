"""The command ``replay``: gives somebody the right to look at a recorded screen, and says what is recorded of the moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from dashboard import clock
from dashboard.access import viewings
from dashboard.backup.opening import open_store
from dashboard.errors import ProductError
from dashboard.live import past

if TYPE_CHECKING:
    from config.declarations import Regency
    from config.settings import Settings

FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M")


def instant(text: str, regency: Regency) -> int:
    """A moment on the regency's clock as epoch milliseconds. Raises ``ProductError`` for one that cannot be read."""
    for form in FORMATS:
        try:
            return int(datetime.strptime(text.strip(), form).replace(tzinfo=regency.zone).timestamp() * 1000)
        except ValueError:
            continue
    raise ProductError(
        f"--at {text!r}: not a moment; give one as '2026-11-24 10:53'",
        f"--at {text!r}: bukan waktu; beri seperti '2026-11-24 10:53'",
    )


def grant_look(
    settings: Settings, regency: Regency, *, at: str, screen: str, minutes: int, who: str, base: str, say: Callable[[str], None]
) -> None:
    """Print the look's id and link. A moment that nobody recorded is said, and opens all the same.

    Raises ``ProductError`` for a moment that cannot be read, one to come, or a screen that was never recorded.
    """
    now = clock.now()
    moment = instant(at, regency)
    if moment > now.timestamp() * 1000:
        raise ProductError(
            f"--at {at!r} is still to come; check it, and give a past moment",
            f"--at {at!r} belum terjadi; periksa, dan beri waktu yang lalu",
        )
    recordings = open_store(settings, "recordings")
    with recordings.connect() as connection:
        known = past.screens(connection)
        gap = past.gap_at(connection, past.settled(connection, moment)[0], int(now.timestamp() * 1000))
        bounds = past.bounds(connection)
    recordings.dispose()
    if screen not in known:
        names = ", ".join(known)
        raise ProductError(
            f"screen {screen!r} was never recorded; choose of: {names or 'none yet (start command-center serve)'}",
            f"layar {screen!r} belum pernah direkam; pilih dari: {names or 'belum ada (jalankan command-center serve)'}",
        )
    people = open_store(settings, "people")
    identity, code = viewings.grant(people, screen=screen, at=moment, who=who, lasts_seconds=minutes * 60, now=now)
    people.dispose()
    if gap is not None:
        say(f"tidak ada rekaman untuk waktu itu / nothing is recorded of that moment: {_told(gap, regency)}")
    if bounds is not None:
        say(f"rekaman / recorded: {_time(bounds[0], regency)} … {_time(bounds[1], regency)}")
    say(f"{identity} ({minutes} menit / minutes)\n{base}/replay/#{code}")


def end_look(settings: Settings, identity: str, *, who: str, say: Callable[[str], None]) -> None:
    """End a look now. Raises ``ProductError`` when there is none of that id."""
    people = open_store(settings, "people")
    viewings.end(people, identity, who=who, now=clock.now())
    people.dispose()
    say(f"{identity}: diakhiri / ended")


def _told(gap: past.Gap, regency: Regency) -> str:
    span = f"{_time(gap.from_at, regency)} … {_time(gap.to_at, regency)}"
    return f"{gap.why}, {span}"


def _time(at: int | None, regency: Regency) -> str:
    return "" if at is None else datetime.fromtimestamp(at / 1000, regency.zone).strftime("%Y-%m-%d %H:%M:%S")

"""The commands ``command-center device …``: walls are added or approved, listed with their health, renamed, cut off."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import Settings
from dashboard.errors import ProductError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency
    from dashboard.access.devices import Device
    from dashboard.queries.walls import Wall

device = typer.Typer(help="Wall screens as devices: codes, list, rename, revoke.", no_args_is_help=True)

Place = Annotated[str, typer.Option(help="Where it hangs, for people: 'Dinding Barat'.")]
ScreenName = Annotated[str, typer.Option(help="Its screen in screens.toml.")]
Networks = Annotated[list[str] | None, typer.Option(help="Only from this network (10.20.4.0/24); may be given again.")]
Address = Annotated[str, typer.Option(help="Address of the server, for the link.")]
BASE = "http://127.0.0.1:8100"


def _people(settings: Settings) -> Engine:
    from dashboard.backup.opening import open_store

    return open_store(settings, "people")


def _declared(settings: Settings, screen: str | None = None) -> Regency:
    """The declarations. Raises ``ProductError`` when there is no such screen."""
    from config.loading import load

    regency = load(settings.config)
    if screen is not None and screen not in regency.screens:
        known = ", ".join(regency.screens)
        raise ProductError(
            f"no screen {screen!r}; choose one of: {known}", f"tidak ada layar {screen!r}; pilih: {known}"
        )
    return regency


@device.command("add")
def add(place: Place, screen: ScreenName = "west", network: Networks = None, base: Address = BASE) -> None:
    """Add a wall and print its link: a single-use code, good for 10 minutes."""
    from dashboard import clock
    from dashboard.access.devices import add_device

    settings = Settings()
    _declared(settings, screen)
    identity, code = add_device(
        _people(settings), place=place, screen=screen, zone="wall", networks=network or (), now=clock.now()
    )
    typer.echo(f"{identity}\n{base}/wall/#{code}")


@device.command("approve")
def approve(
    code: Annotated[str, typer.Argument(help="The code that the wall shows; capitals, dashes and spaces do not matter.")],
    place: Place, screen: ScreenName = "west", network: Networks = None,
) -> None:
    """Accept the wall that shows CODE. It connects by itself within seconds."""
    from dashboard import clock
    from dashboard.access import joining

    settings = Settings()
    _declared(settings, screen)
    identity = joining.approve(
        _people(settings), code, place=place, screen=screen, zone="wall", networks=network or (), now=clock.now()
    )
    typer.echo(f"{identity}: {place}, screen {screen}")


@device.command("code")
def code(identity: str, base: Address = BASE) -> None:
    """A fresh link for a device."""
    from dashboard import clock
    from dashboard.access.devices import new_code

    typer.echo(f"{base}/wall/#{new_code(_people(Settings()), identity, now=clock.now())}")


@device.command("list")
def listed() -> None:
    """All devices: place, screen, last seen; and how each wall is, by its last render receipt."""
    from dashboard import clock
    from dashboard.access.devices import list_devices
    from dashboard.backup.opening import open_store
    from dashboard.queries.answers import Context
    from dashboard.queries.walls import walls

    settings = Settings()
    people, now = _people(settings), clock.now()
    answer = walls(Context(open_store(settings, "figures"), _declared(settings), now, people))
    known = {one.device: one for one in answer.walls}
    for found in list_devices(people):
        typer.echo(_line(found, known.get(found.id), now))


def _line(found: Device, wall: Wall | None, now: datetime) -> str:
    """A device in one line, and what its wall told last."""
    if wall is None or wall.receipt_at is None:
        return str(found)
    faults = ", ".join(
        f"{fault.health.value} since {datetime.fromtimestamp(fault.since).astimezone():%Y-%m-%d %H:%M}" for fault in wall.faults
    )
    told = [
        f"painted {wall.seq} of {wall.server_seq}",
        f"{wall.behind_seconds} s behind" if wall.behind_seconds else "",
        "" if wall.data_age_seconds is None else f"oldest data {wall.data_age_seconds} s",
        "" if wall.heap_bytes is None else f"heap {wall.heap_bytes / 1e6:.0f} MB",
        f"clock {wall.skew_seconds:+.1f} s", f"{wall.width}x{wall.height} @{wall.ratio:g}",
        f"receipt {max(0, int(now.timestamp()) - wall.receipt_at)} s ago",
    ]
    return f"{found}\n    {faults or wall.health.value}: {', '.join(part for part in told if part)}"


@device.command("rename")
def rename(identity: str, place: Place) -> None:
    """Give a wall another place's name; its page and history stay."""
    from dashboard import clock
    from dashboard.access import devices

    devices.rename(_people(Settings()), identity, place, now=clock.now())
    typer.echo(f"{identity}: {place}")


@device.command("revoke")
def revoke(identity: str) -> None:
    """Cut a device off: its open pages wipe themselves within 10 seconds."""
    from dashboard import clock
    from dashboard.access import devices

    devices.revoke(_people(Settings()), identity, now=clock.now())
    typer.echo(f"{identity}: revoked")

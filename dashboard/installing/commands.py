"""The commands of an installation: ``install``, ``certificate``, ``size``. Each imports what it needs inside itself."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard.errors import ConfigError

if TYPE_CHECKING:
    from dashboard.installing.place import File


class For(StrEnum):
    """Which machine, or which part of it."""

    SERVER = "server"
    KIOSK = "kiosk"
    NGINX = "nginx"
    ALL = "all"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (install, certificate, size):
        app.command()(command)


def install(
    print_: Annotated[bool, typer.Option("--print", help="Print the files; nothing is changed.")] = False,
    to: Annotated[Path | None, typer.Option(help="Write them below this folder, to look at and copy; never over another.")] = None,
    for_: Annotated[For, typer.Option("--for", help="server, kiosk (a wall PC), nginx or all.")] = For.ALL,
    server: Annotated[str, typer.Option(help="Name or address by which walls reach the server.")] = "command-center.lan",
    port: Annotated[int, typer.Option(help="Port of the screens.")] = 8100,
    time: Annotated[str, typer.Option(help="Server of the time on the LAN.")] = "",
    own_tls: Annotated[bool, typer.Option("--own-tls", help="Without nginx: serve ends TLS itself.")] = False,
) -> None:
    """Print the files of an installation: systemd units, a wall PC's kiosk, nginx's site. Changes nothing on this machine."""
    from dashboard.installing.kiosk import kiosk
    from dashboard.installing.place import Place
    from dashboard.installing.proxy import nginx
    from dashboard.installing.units import server as of_server

    if not print_ and to is None:
        raise ConfigError("give --print, or --to FOLDER to write the files below it",
                          "berikan --print, atau --to FOLDER untuk menulis berkas di bawahnya")
    program = Path(sys.executable).with_name("command-center")
    place = Place(server, program, port, time, proxied=not own_tls)
    parts = {For.SERVER: of_server, For.NGINX: nginx, For.KIOSK: kiosk}
    chosen = [part for part in parts if for_ in (part, For.ALL) and not (own_tls and part is For.NGINX)]
    files = [file for part in chosen for file in parts[part](place)]
    if to is not None:
        _write(files, to)
    for file in files if print_ else ():
        typer.echo(f"# ==> {file.path} (mode {file.mode:04o}, {file.owner})\n{file.text}")


def _write(files: list[File], folder: Path) -> None:
    for file in files:
        path = folder / file.path.lstrip("/")
        if path.exists() and path.read_text(encoding="utf-8") != file.text:
            raise ConfigError(f"{path} is there and says something else; move it away or choose another --to",
                              f"{path} sudah ada dan isinya lain; pindahkan atau pilih --to lain")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
        path.chmod(file.mode)
        typer.echo(f"{path}")


def certificate(
    names: Annotated[list[str] | None, typer.Argument(help="The server's names and addresses; without: those it has.")] = None,
    to: Annotated[Path | None, typer.Option(help="Folder of certificate and keys; default: tls beside the declarations.")] = None,
) -> None:
    """Make or renew the server's certificate for the LAN, by a local authority that walls trust."""
    from config.settings import Settings
    from dashboard import clock
    from dashboard.installing.certificate import certificate as make

    made = make((to or Settings().config / "tls").resolve(), names or [], clock.now())
    state = "new" if made.new else "still good"
    typer.echo(f"{made.certificate}: {state}, until {made.until:%Y-%m-%d}\n{made.key}\n{made.authority}: for the wall PCs to trust")


def size(
    sources: Annotated[int, typer.Option(min=1, help="How many sources.")] = 40,
    cases_per_day: Annotated[int, typer.Option(min=0, help="New cases a day, all sources together.")] = 5000,
    years: Annotated[float, typer.Option(min=0.1, help="How long it shall last.")] = 5,
    screens: Annotated[int, typer.Option(min=1, help="Different screens (not walls).")] = 2,
) -> None:
    """How large the disk must be: measured bytes of a case, of a recording, of backups, over the years."""
    from dashboard.installing.sizing import Load, table

    for line in table(Load(sources, cases_per_day, years, screens)):
        typer.echo(line)

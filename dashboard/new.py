"""The commands ``command-center new agency|connector|panel``. Each imports what it needs inside itself."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from config.loading import load
from config.settings import Settings

new = typer.Typer(help="Something new: an agency from a sample, a connector, a panel.", no_args_is_help=True)


@new.command("agency")
def new_agency(
    sample: Annotated[str, typer.Option("--from", help="A CSV, XLSX or JSON file, or an address that answers with one.")],
    id_: Annotated[str, typer.Option("--id", help="Of the agency; one that is declared gets a source.")] = "",
    name: Annotated[str, typer.Option(help="Its name, when it is new.")] = "",
    address: Annotated[str, typer.Option(help="Where a JSON file came from.")] = "",
    network: Annotated[list[str] | None, typer.Option(help="Private range that the source may reach, as 10.20.0.0/16.")] = None,
    zone: Annotated[str, typer.Option(help="Zone of stamps without an offset; default: the regency's.")] = "",
    auth: Annotated[str, typer.Option(help="none, basic, bearer, header or hmac.")] = "none",
    secret: Annotated[str, typer.Option(help="Name of the secret, never its value.")] = "",
    user: Annotated[str, typer.Option(help="User of basic and hmac.")] = "",
    header_row: Annotated[int | None, typer.Option(help="Row of the headings, from 1.")] = None,
    language: Annotated[str, typer.Option(help="id or en.")] = "id",
    write: Annotated[bool, typer.Option("--write", help="Write the file; never over another.")] = False,
) -> None:
    """Read a sample and propose the declaration: what is what, what is left out, twenty mapped rows, what is put aside."""
    from rich.console import Console

    import collectors.runner  # noqa: F401  (registers the connectors)
    from dashboard import clock, onboarding
    from dashboard.words import Say
    from layouts.panels import names

    settings = Settings()
    regency = load(settings.config)
    proves = {"kind": auth, "secret": secret, "user": user} if auth != "none" else {}
    ask = onboarding.asked(
        onboarding.Ask(sample, id_ or onboarding.identity(sample), name, address, zone, network or [],
                       {key: value for key, value in proves.items() if value}, header_row), language,
    )
    found = onboarding.proposed(ask, settings, regency, now=clock.now, panels=list(names()))
    onboarding.show(found, Console(width=None if sys.stdout.isatty() else 160), language)
    words = Say(regency, language)
    if write:
        typer.echo(words("onboarding.written", path=onboarding.write(found), source=found.source.id))
    else:
        typer.echo(words("onboarding.not_written", path=found.path))


@new.command("connector")
def new_connector(name: str) -> None:
    """A connector that works, and its test."""
    from dashboard.scaffold import new_connector as make
    from dashboard.words import Say

    for path in make(name):
        typer.echo(str(path))
    typer.echo(Say(load(Settings().config), "id")("onboarding.left.connector"))


@new.command("panel")
def new_panel(name: str) -> None:
    """A panel that is drawn, its words, and its test."""
    from dashboard.scaffold import new_panel as make
    from dashboard.words import Say

    for path in make(name):
        typer.echo(str(path))
    typer.echo(Say(load(Settings().config), "id")("onboarding.left.panel"))

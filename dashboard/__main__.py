"""The command line ``command-center``. A command imports what it needs inside itself, so that each starts quickly."""

from __future__ import annotations

import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.declarations import DeclarationError
from config.settings import Settings
from dashboard.device_commands import device
from dashboard.errors import ProductError
from dashboard.installing.commands import add_to as add_installing
from dashboard.new import new
from dashboard.operating import Operator, other_declarations

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency

HOME = Path(__file__).parents[1]

app = typer.Typer(
    help="Command Center of a regency: collectors, a local database and live wall screens.",
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False,
)
app.add_typer(device, name="device")
app.add_typer(new, name="new")
backup = typer.Typer(help="Back the stores up, and list the backups.", invoke_without_command=True)
app.add_typer(backup, name="backup")


def say(text: str) -> None:
    """One line for the person at the terminal."""
    typer.echo(text)


def declared(settings: Settings, *, lasting: bool = False) -> Regency:
    """The declarations that the environment names; ``lasting``: the last good ones (F19). Raises ``DeclarationError``."""
    from config.loading import load
    from dashboard.lastgood import standing
    return standing(settings) if lasting else load(settings.config)


def figures_store(settings: Settings) -> Engine:
    """The figures store, brought up to this version."""
    return _store(settings, "figures")


def _store(settings: Settings, store: str) -> Engine:
    from dashboard.backup.opening import open_store

    return open_store(settings, store)


Host = Annotated[str, typer.Option(help="Address to listen on; other than 127.0.0.1 needs TLS or a proxy.")]
Port = Annotated[int, typer.Option(help="Port of the screens.")]
Certificate = Annotated[Path | None, typer.Option(help="TLS certificate (PEM).")]
PrivateKey = Annotated[Path | None, typer.Option(help="TLS private key (PEM).")]
Proxy = Annotated[bool, typer.Option("--behind-proxy", help="A reverse proxy on this host ends TLS.")]
Base = Annotated[str, typer.Option(help="Address of the server, for the link.")]
Insecure = Annotated[bool, typer.Option("--insecure-lan", help="Plain HTTP on the LAN, for a trial only.")]


@app.command()
def run(
    host: Host = "127.0.0.1", port: Port = 8100, tls_cert: Certificate = None, tls_key: PrivateKey = None,
    behind_proxy: Proxy = False, insecure_lan: Insecure = False,
) -> None:
    """Collect and serve: starts the schedule and the screens and keeps both running."""
    from dashboard.serve import allowed_address
    from dashboard.supervise import Child, Declared, command, stop_on_signals, supervise

    declared(Settings(), lasting=True)  # a wrong declaration is said here, once, before anything starts
    allowed_address(host, tls_cert, tls_key, behind_proxy=behind_proxy, insecure_lan=insecure_lan)
    words = ["serve", "--host", host, "--port", str(port)]
    words += ["--tls-cert", str(tls_cert)] if tls_cert else []
    words += ["--tls-key", str(tls_key)] if tls_key else []
    words += ["--behind-proxy"] if behind_proxy else []
    words += ["--insecure-lan"] if insecure_lan else []
    say(f"Command Center: http{'s' if tls_cert else ''}://{host}:{port}/wall/")
    supervise(
        [Child("schedule", command("schedule")), Child("serve", command(*words))], stop_on_signals(), Declared(Settings().config)
    )


@app.command()
def serve(
    host: Host = "127.0.0.1", port: Port = 8100, tls_cert: Certificate = None, tls_key: PrivateKey = None,
    behind_proxy: Proxy = False, insecure_lan: Insecure = False,
) -> None:
    """The screens: wall (several of these may run)."""
    from dashboard.serve import run_serve

    settings = Settings()
    run_serve(
        settings, declared(settings, lasting=True), host=host, port=port, tls_cert=tls_cert, tls_key=tls_key,
        behind_proxy=behind_proxy, insecure_lan=insecure_lan,
    )


@app.command()
def schedule() -> None:
    """The collectors: one leader by a lease; a second one waits."""
    from dashboard.schedule import run_schedule
    from dashboard.supervise import stop_on_signals

    settings = Settings()
    if not run_schedule(settings, declared(settings, lasting=True), stop_on_signals()):
        os._exit(0)  # a thread that hangs in a source would keep the process until the source's deadline


@app.command()
def demo(
    port: Port = 8100,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier demo collected.")] = False,
    days: Annotated[int, typer.Option(help="Days of history.")] = 90,
    misbehave: Annotated[bool, typer.Option("--misbehave", help="Let agencies misbehave after the first load.")] = False,
    kinds: Annotated[str, typer.Argument(help="With --misbehave: which kinds, comma-separated (see `misbehave`).")] = "all",
) -> None:
    """Simulated agencies, collectors and screens on this machine, marked DATA SIMULASI."""
    from dashboard.demonstration import demonstrate, kinds_of

    demonstrate(Settings(), port=port, days=days, fresh=fresh, misbehave=kinds_of(kinds) if misbehave else ())


@app.command()
def misbehave(
    kinds: Annotated[str, typer.Argument(help="Comma-separated kinds, all, or none; without it: what there is.")] = "",
) -> None:
    """Switch how the agencies of a running demo misbehave."""
    from dashboard.demonstration import switch_manners

    for line in switch_manners(Settings(), kinds):
        say(line)


@app.command()
def collect(
    source: Annotated[list[str] | None, typer.Option(help="Only this source; may be given again.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Accepted for scripts; a collect is always once.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, write nothing.")] = False,
    since: Annotated[datetime | None, typer.Option(help="Read again from this day.", formats=["%Y-%m-%d"])] = None,
    reconcile: Annotated[bool, typer.Option("--reconcile", help="Read everything again, as the weekly reconcile does.")] = False,
) -> None:
    """Collect now, once. A living leader is handed the request; without one this command leads meanwhile."""
    from dashboard.collecting import collect_now

    settings = Settings()
    regency = declared(settings)
    good = collect_now(
        settings, regency, figures_store(settings), sources=source or list(regency.sources),
        dry_run=dry_run, since=since.replace(tzinfo=regency.zone) if since else None, reconcile=reconcile, say=say,
    )
    raise typer.Exit(0 if good else 1)


@app.command()
def check(probe: Annotated[bool, typer.Option("--probe", help="Also read a first page of every source.")] = False) -> None:
    """Check the declarations; touches no network unless asked to. Every error names file and key."""
    from collectors.connector import CONNECTORS
    from collectors.trial import probe as try_source
    from dashboard.checking import check as check_declarations
    from layouts.legibility import of_folder
    from layouts.panels import names

    settings, options = Settings(), {kind: CONNECTORS[kind].options for kind in CONNECTORS}
    found = check_declarations(settings.config, options_of=options, panels=names(), secret_of=settings.secret)
    if all(error.warning for error in found):
        found += of_folder(declared(settings), settings.config)
    for error in found:
        say(f"{error}" if error.message_id == error.message else f"{error}\n  {error.message_id}")
    if any(not error.warning for error in found):
        raise typer.Exit(1)
    regency = declared(settings)
    say(f"{regency.name}: {len(regency.agencies)} agencies, {len(regency.sources)} sources, no error")
    for line in other_declarations(settings, regency):
        say(line)
    failed = False
    for source_id in regency.sources if probe else ():
        result = try_source(regency, source_id, settings=settings)
        failed = failed or not result.outcome.good
        say(f"{source_id}: {result.outcome}: {result.en}")
    if failed:
        raise typer.Exit(1)


@app.command()
def template(
    agency: str,
    out: Annotated[Path | None, typer.Option(help="Where the workbook goes; default <agency>.xlsx here.")] = None,
) -> None:
    """Make a workbook (XLSX, Indonesian) for an agency without a system, and print the source that reads it."""
    from dashboard.template import source_of, workbook

    regency = declared(Settings())
    if agency not in regency.agencies:
        known = ", ".join(regency.agencies)
        raise ProductError(
            f"template: no agency {agency!r}; choose one of: {known}",
            f"template: tidak ada perangkat daerah {agency!r}; pilih: {known}",
        )
    place = out or Path(f"{agency}.xlsx")
    place.write_bytes(workbook(regency, regency.agencies[agency]))
    say(f"# {place}; sources/{agency}-berkas.toml:\n\n{source_of(regency, regency.agencies[agency])}")


@app.command()
def verify() -> None:
    """Recompute all cells and histograms from the cases; there must be no difference."""
    from dashboard.store.verify import verify as differences_of

    settings = Settings()
    differences = differences_of(figures_store(settings), declared(settings))
    for difference in differences[:50]:
        say(str(difference))
    say(f"{len(differences)} differences" if differences else "verified: no difference")
    raise typer.Exit(1 if differences else 0)


@app.command()
def recompute(
    since: Annotated[datetime | None, typer.Option(help="Only cases submitted from this day.", formats=["%Y-%m-%d"])] = None,
) -> None:
    """Derive the stored cases again under today's declarations, as a run with its own revisions."""
    from dashboard.collecting import recompute_now

    settings = Settings()
    regency = declared(settings)
    recompute_now(
        regency, figures_store(settings), since=since.replace(tzinfo=regency.zone) if since else None, say=say
    )


@app.command()
def figures(
    metric: Annotated[str, typer.Option(help="One or more metrics, comma-separated.")],
    grain: Annotated[str, typer.Option(help="hour, day, week, month, quarter or year.")] = "day",
    by: Annotated[str, typer.Option(help="Of agency, service, channel, district; comma-separated.")] = "",
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
    since: Annotated[datetime | None, typer.Option(help="First day.", formats=["%Y-%m-%d"])] = None,
    until: Annotated[datetime | None, typer.Option(help="Last day, inclusive.", formats=["%Y-%m-%d"])] = None,
    time: Annotated[str, typer.Option(help="standard (unit of the standard) or elapsed (hours).")] = "standard",
    all_: Annotated[bool, typer.Option("--all", help="Also rows in which all the metrics are zero or nothing.")] = False,
    format_: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
) -> None:
    """Print figures: the same questions that the screens ask."""
    from dashboard import clock
    from dashboard.queries.answers import Context
    from dashboard.queries.export import write
    from dashboard.queries.figures import figures as ask
    from dashboard.queries.revised import revised

    settings = Settings()
    regency = declared(settings)
    context = Context(figures_store(settings), regency, clock.now())
    first, last = since.date() if since else None, until.date() if until else None
    frame = ask(
        context, metrics=_listed(metric), grain=grain, by=_listed(by), agency=agency, service=service, since=first, until=last,
        time=time, everything=all_,
    )
    if format_ == "table":
        counts = revised(context, grain=grain, since=first, until=last, agency=agency, service=service)
        if any(period in counts for period in frame["period"]):
            frame["revised"] = [f"{counts[period]} cases" if period in counts else "" for period in frame["period"]]
    say(write(frame, format_).rstrip("\n"))
    if "revised" in frame:
        say("revised: so many cases were corrected after their period had ended; `command-center revisions` lists them")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@backup.callback()
def backup_now(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(help="Folder for backups; default: COMMAND_CENTER_BACKUPS.")] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Keep only the newest so many; default: by the declared rule.")] = None,
) -> None:
    """Back all stores up while everything goes on; it counts only once it was verified."""
    if context.invoked_subcommand is None:
        from dashboard.backup.commands import back_up

        settings = Settings()
        back_up(settings, declared(settings), to=to, keep=keep, say=say)


@backup.command("list")
def backup_list(
    to: Annotated[Path | None, typer.Option(help="Folder of backups; default: COMMAND_CENTER_BACKUPS.")] = None,
) -> None:
    """The backups there are, newest first: age, size, what each holds."""
    from dashboard.backup.commands import describe

    settings = Settings()
    for line in describe(to or settings.backups_folder):
        say(line)


@app.command()
def restore(
    folder: Annotated[Path | None, typer.Argument(help="A backup's folder; default: the newest verified one.")] = None,
    newest: Annotated[bool, typer.Option("--newest", help="The newest verified backup.")] = False,
    drill: Annotated[bool, typer.Option("--drill", help="Try it beside the stores; nothing is changed.")] = False,
) -> None:
    """Put a backup in place of the stores and read all sources from there on; or, with --drill, only try it."""
    from dashboard import restoring

    if folder is None and not newest and not drill:
        raise ProductError(
            "name a backup's folder, or --newest; --drill only tries it",
            "sebutkan folder cadangan, atau --newest; --drill hanya mencoba",
        )
    settings = Settings()
    work = restoring.drill if drill else restoring.restore
    work(settings, declared(settings), folder, say)
Operator(declared, figures_store, say).add_to(app)
add_installing(app)


def main() -> Any:
    """Run the command line; an error of the product is two plain lines (Indonesian, English) and exit code 1."""
    from dashboard.logs import configure

    configure()
    try:
        app()
    except DeclarationError as err:
        sys.stderr.write(f"{err}\n")
        sys.exit(1)
    except ProductError as err:
        sys.stderr.write(f"{err.id}\n{err.en}\n" if err.id != err.en else f"{err.en}\n")
        sys.exit(1)
    except Exception as err:
        if os.environ.get("COMMAND_CENTER_TRACEBACK"):
            raise
        sys.stderr.write(f"{unexpected(err)}\n")  # a traceback may show a row, an address, a parameter
        sys.exit(70)


def unexpected(err: BaseException) -> str:
    """An error that is the product's own, in two lines: its kind, and where in the product it happened."""
    frames = [frame for frame in traceback.extract_tb(err.__traceback__) if Path(frame.filename).is_relative_to(HOME)]
    place = f"{Path(frames[-1].filename).relative_to(HOME)}:{frames[-1].lineno}" if frames else "?"
    what = f"{type(err).__name__} {place}"
    return (
        f"kesalahan produk ({what}); laporkan baris ini. COMMAND_CENTER_TRACEBACK=1 menampilkan semuanya\n"
        f"the product failed ({what}); report this line. COMMAND_CENTER_TRACEBACK=1 shows it all"
    )


if __name__ == "__main__":
    main()

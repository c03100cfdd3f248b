"""Commands of operators: held reads, rows put aside, what later runs changed. Each imports what it needs inside itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.settings import Settings
from dashboard.switching import Switching

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency

Who = Annotated[str, typer.Option(help="Who decides; it is audited.")]
Why = Annotated[str, typer.Option(help="Why; it is audited.")]
Format = Annotated[str, typer.Option("--format", help="table, csv or json.")]
OnlySource = Annotated[str | None, typer.Option(help="Only this source.")]


class Operator:
    """The commands on one installation. ``declared`` and ``store`` open it when a command runs; ``say`` prints a line."""

    def __init__(
        self, declared: Callable[[Settings], Regency], store: Callable[[Settings], Engine], say: Callable[[str], None]
    ) -> None:
        self.declared, self.store, self.say = declared, store, say

    def add_to(self, app: typer.Typer) -> None:
        """Register the commands."""
        for command in (self.holds, self.release, self.reject, self.rejected, self.remap, self.revisions, self.replay):
            app.command()(command)
        Switching(self.declared, self.say).add_to(app)

    def holds(
        self, language: Annotated[str, typer.Option(help="Language of the reasons: id or en.")] = "id", format_: Format = "table"
    ) -> None:
        """What is held and why: the guard, what it counted, since when, and what was decided."""
        from dashboard.queries.trail import held

        self._show(held(self._context(), language), format_)

    def release(
        self, source: str, who: Who, why: Why,
        new_generation: Annotated[bool, typer.Option(
            "--new-generation", help="The ids mean other cases now: keep the old cases apart, as what has happened.")] = False,
    ) -> None:
        """Accept a held read: it is read again without guards; what is missing in it is gone."""
        from dashboard.store.holds import ACCEPT, NEW_GENERATION

        raise typer.Exit(0 if self._decide(source, NEW_GENERATION if new_generation else ACCEPT, who, why) else 1)

    def reject(self, source: str, who: Who, why: Why) -> None:
        """Refuse a held read: the last good figures stay until the source delivers right."""
        from dashboard.store.holds import REJECT

        self._decide(source, REJECT, who, why)

    def rejected(self, source: OnlySource = None, format_: Format = "table") -> None:
        """Rows put aside, by source, field and reason; never their content."""
        from dashboard.queries.trail import put_aside

        self._show(put_aside(self._context(), source), format_)

    def remap(self, source: str, who: Who, why: Why = "the mapping was mended") -> None:
        """Map the rows put aside of a source again, after its mapping was mended."""
        from dashboard.collecting import replay_now

        settings = Settings()
        replay_now(
            settings, self.declared(settings), self.store(settings), source=source, who=who, why=why, say=self.say
        )

    def revisions(
        self, source: OnlySource = None,
        since: Annotated[datetime | None, typer.Option(help="Learnt from this day.", formats=["%Y-%m-%d"])] = None,
        until: Annotated[datetime | None, typer.Option(help="To this day, inclusive.", formats=["%Y-%m-%d"])] = None,
        most: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 1000,
        format_: Format = "table",
    ) -> None:
        """What later runs changed in cases, and when we learnt it."""
        from dashboard.queries.trail import revisions

        self._show(revisions(
            self._context(), source=source, since=since.date() if since else None, until=until.date() if until else None, most=most
        ), format_)

    def replay(
        self, at: Annotated[str, typer.Option(help="The moment, on the regency's clock: '2026-11-24 10:53'.")] = "",
        screen: Annotated[str, typer.Option(help="Which screen; also one that is declared no more.")] = "west",
        lasts: Annotated[int, typer.Option("--minutes", min=1, max=720, help="How long the look lasts once opened.")] = 120,
        who: Annotated[str, typer.Option(help="Who looks; it is audited.")] = "command line",
        base: Annotated[str, typer.Option(help="Address of the server, for the link.")] = "http://127.0.0.1:8100",
        end: Annotated[str, typer.Option(help="End this look now (its id).")] = "",
    ) -> None:
        """Open a screen at a past moment, as it was shown: prints a single-use link to a read-only look with an end."""
        from dashboard.revisiting import end_look, grant_look

        settings = Settings()
        if end:
            end_look(settings, end, who=who, say=self.say)
        else:
            grant_look(settings, self.declared(settings), at=at, screen=screen, minutes=lasts, who=who, base=base, say=self.say)

    def _decide(self, source: str, decision: str, who: str, why: str) -> bool:
        from dashboard.collecting import decide_now

        settings = Settings()
        return decide_now(
            settings, self.declared(settings), self.store(settings), source=source, decision=decision, who=who, why=why,
            say=self.say,
        )

    def _context(self) -> Any:
        from dashboard import clock
        from dashboard.queries.answers import Context

        settings = Settings()
        return Context(self.store(settings), self.declared(settings), clock.now())

    def _show(self, frame: Any, format_: str) -> None:
        from dashboard.queries.export import write

        self.say(write(frame, format_).rstrip("\n"))


def other_declarations(settings: Settings, regency: Regency) -> list[str]:
    """What stored figures stand under other declarations, and what to do; nothing when there is no store yet."""
    from sqlalchemy.exc import DBAPIError

    from dashboard.checking import standing_lines
    from dashboard.store.engine import open_engine
    from dashboard.store.standing import changed_since

    url = settings.url_of("figures")
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return []
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return standing_lines(changed_since(connection, regency))
    except DBAPIError as err:
        return [f"the store cannot be asked under which declarations it stands: {err.orig}"]
    finally:
        engine.dispose()

"""A tiny wall of three panels on real stores, and a program that serves it: what the live layer is tested with."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dash import html
from sqlalchemy import Engine, insert, select, update

from config.declarations import Regency
from config.loading import load
from config.settings import Settings
from dashboard import clock
from dashboard.clock import day_end, local_day
from dashboard.live.frames import plain
from dashboard.live.hub import Pace, ScreenPlan
from dashboard.live.scenes import Planned
from dashboard.live.snapshot import Instance
from dashboard.live.zone import Zone, layout_hash
from dashboard.queries.answers import Context, Limits
from dashboard.store.changes import announce
from dashboard.store.engine import writing
from dashboard.store.tables import meta
from dashboard.timetable import PEOPLE, Modes

DECLARED = {
    "regency.toml": 'name = "Kabupaten Uji"\ntimezone = "Asia/Makassar"\n',
    "agencies/dinas.toml": 'name = { id = "Dinas Uji", en = "Test agency" }\nshort_name = "Uji"\n',
    "screens.toml": """
[scenes.one]
name = { id = "Satu", en = "One" }
dwell = "1 hour"
panels = []
[screens.west]
name = "Barat"
scenes = ["one"]
""",
}


def declare(folder: Path) -> Regency:
    """The toy's declarations, written and read."""
    for name, text in DECLARED.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(folder)


def put(engine: Engine, key: str, value: str, what: str = "cases") -> None:
    """Change a figure of the toy and announce it, as a collector does: last in its transaction."""
    with writing(engine).begin() as connection:
        name = f"toy.{key}"
        done = connection.execute(update(meta).where(meta.c.key == name).values(value=value))
        if not done.rowcount:
            connection.execute(insert(meta).values(key=name, value=value))
        announce(connection, "toy", [what])


def taken(engine: Engine, key: str, otherwise: str) -> str:
    """A figure of the toy."""
    with engine.connect() as connection:
        return connection.execute(select(meta.c.value).where(meta.c.key == f"toy.{key}")).scalar() or otherwise


def _answer(context: Context, value: Any, stale: int | None = None) -> SimpleNamespace:
    now = int(context.now.timestamp())
    return SimpleNamespace(as_of=now, changes_at=None, limits=Limits(None, stale), value=value)


def _figure(context: Context) -> SimpleNamespace:
    if "TOY_ASKS" in os.environ:
        with Path(os.environ["TOY_ASKS"]).open("a", encoding="ascii") as asked:
            asked.write(f"{os.getpid()}\n")
    stale = taken(context.engine, "stale", "")
    return _answer(context, taken(context.engine, "figure", "0"), int(stale) if stale else None)


def _list(context: Context) -> SimpleNamespace:
    return _answer(context, [name for name in taken(context.engine, "list", "a,b").split(",") if name])


def _frail(context: Context) -> SimpleNamespace:
    value = taken(context.engine, "frail", "1")
    if value == "broken":
        raise RuntimeError("the toy is broken")
    time.sleep({"slow": 0.5, "hang": 30.0}.get(value.split()[0], 0.0))
    return _answer(context, value)


def _draw_figure(found: Any) -> html.Div:
    age = html.I(id="age", **{"data-age-since": found.as_of - 65})
    return html.Div([html.B(found.value, id="value"), age], className="tile")


def _draw_list(found: Any) -> html.Ol:
    return html.Ol([html.Li(name, id=f"li-{name}") for name in found.value])


def _failed() -> html.Div:
    return html.Div("tidak dapat dihitung", className="panel-failed")


def instances() -> tuple[Instance, ...]:
    """A figure, a list whose shape changes, and one that can be broken."""
    return (
        Instance("figure", _figure, _draw_figure, _failed, frozenset({"cases"})),
        Instance("list", _list, _draw_list, _failed, frozenset({"cases"})),
        Instance("frail", _frail, lambda found: html.B(found.value, id="value"), _failed, frozenset({"cases"})),
    )


def _today(context: Context) -> SimpleNamespace:
    zone = context.regency.zone
    day = local_day(context.now.timestamp(), zone)
    found = _answer(context, day.isoformat())
    found.changes_at = day_end(day, zone)
    return found


def _of_a_group() -> tuple[Instance, ...]:
    """What the toy has more when its screen is in a group: the day, and the figure for people present."""
    return (
        Instance("today", _today, lambda found: html.B(found.value, id="value"), _failed, frozenset()),
        Instance("shown", _figure, lambda found: html.B(str(int(found.value) // 10 * 10), id="value"), _failed, frozenset({"cases"})),
    )


def zone(regency: Regency) -> Zone:
    """The toy's wall: one screen; one scene, or, with ``TOY_DWELL`` (milliseconds), one more without panels.

    ``TOY_ASKS``: a file that gets a line, the process, each time the figure is asked for. ``TOY_PANELS``: names of the panels that it shows; all of them otherwise. In a group: two scenes, and a plan for people present.
    """
    shown_names = tuple(os.environ.get("TOY_PANELS", "figure list frail").split())
    dwell = int(os.environ.get("TOY_DWELL", "3600000"))
    times = {"seconds": "{n} detik", "minutes_one": "{n} menit", "minutes": "{n} menit", "hours_one": "{n} jam",
             "hours": "{n} jam", "days_one": "{n} hari", "days": "{n} hari"}
    spoken = json.dumps({"language": "id", "zone": regency.timezone, "separator": ".", "times": times})

    grouped = bool(regency.groups)
    named = {"west": (*shown_names, *(("today",) if grouped else ())), "west@people": ("shown",)}
    if grouped:
        modes = {name: {"by_hand": f"Manual: {mode.name.id} sampai {{time}}", "plain": mode.name.id,
                        "scheduled": f"{mode.name.id} sampai {{time}}"} for name, mode in regency.modes.items()}
        spoken = json.dumps({**json.loads(spoken), "modes": modes, "wiped": "Tampilan berganti."})

    def page(plan: str, drawn: Any) -> Any:
        names = named[plan]
        slots = [html.Div(drawn.get(name), id=f"slot-{name}", **{"data-panel": name}) for name in names]
        shown = {"data-scene": "one", "data-page-shown": "1"}
        words = html.Div(id="live-words", hidden=True, **{"data-words": spoken})
        return plain(html.Div([
            html.Span(**{"data-live": "clock"}), html.Span(**{"data-live": "date"}),
            html.Div(["SAMBUNGAN TERPUTUS sejak ", html.Span(**{"data-live": "lost-since"})], id="live-lost"),
            html.Div(slots, id="scene-one", className="is-shown", **shown), html.Div(id="scene-two", **{"data-scene": "two"}), words,
            *([html.Span(**{"data-live": "mode"})] if grouped else []),
        ], id="wall", className="wall"))

    two = (Planned("one", dwell, named["west"]), Planned("two", dwell))[: 2 if "TOY_DWELL" in os.environ else 1]
    scenes = (Planned("one", 2000), Planned("two", 2000)) if grouped else two
    plans = {"west": ScreenPlan("west", named["west"], scenes, layout_hash("west", page("west", {})), screen="west")}
    if grouped:
        name = "west@people"
        plans[name] = ScreenPlan(name, named[name], scenes, layout_hash(name, page(name, {})), screen="west", audience=PEOPLE)
    found = (*(each for each in instances() if each.id in shown_names), *(_of_a_group() if grouped else ()))
    explained = lambda _, path: (f"<!doctype html><title>{path}</title>", "id/1")  # noqa: E731
    return Zone("wall", found, plans, page, Modes(regency) if grouped else None, explained)


def now_in(folder: Path) -> Callable[[], datetime]:
    """The clock of the toy in a folder: the machine's, moved by the seconds in ``clock.txt`` when there is one."""
    path = folder / "clock.txt"

    def now() -> datetime:
        try:
            return clock.now() + timedelta(seconds=float(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError):  # no such file, or just being written
            return clock.now()

    return now


def main() -> None:
    """``python -m tests.live.toy FOLDER PORT BUILD TICK_SECONDS``: serve until told to stop."""
    from dashboard import serve
    from dashboard.serve import app, listening, run_server

    serve.ASSETS = Path(os.environ.get("TOY_ASSETS", str(serve.ASSETS)))
    folder, port, build, tick = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    regency = load(folder / "config")
    settings = Settings(config=folder / "config", data=folder / "var", secrets=folder / "secrets")
    pace = Pace(
        tick, reload_jitter_ms=int(os.environ.get("TOY_JITTER", "500")), receipt_seconds=float(os.environ.get("TOY_RECEIPTS", "30")),
    )
    serving = app(settings, regency, zone=zone(regency), build=build, pace=pace, now=now_in(folder))
    run_server(serving, listening("127.0.0.1", port))


if __name__ == "__main__":
    main()

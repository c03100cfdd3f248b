"""``python -m tests.bench [NAME …] [--full] [--quick]``: measure, print one table, write ``docs/bench.md`` when all were run."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import machine
from tests.bench.lines import MISSED, Line, Options, told

NAMES = ("ingest", "hanging", "today", "fan_out", "reconnect", "slow_client", "paint", "first_load", "heap")
"""A module of this package each; the order of the table."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "bench.md"


def main() -> int:
    """0 when every measurement came to an end, met or missed; 1 when one failed."""
    words = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    words.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all without any")
    words.add_argument("--full", action="store_true", help="the long forms (20,000 updates in the browser)")
    words.add_argument("--quick", action="store_true", help="small numbers, to try the bench itself")
    words.add_argument("--write", action="store_true", help="write docs/bench.md also after some of them")
    given = words.parse_args()
    unknown = sorted(set(given.names) - set(NAMES))
    if unknown:
        words.error(f"no measurement {unknown[0]!r}; known: {', '.join(NAMES)}")
    options = Options(full=given.full, quick=given.quick)
    load, began, failed = os.getloadavg(), time.monotonic(), False
    lines: list[Line] = []
    for name in given.names or NAMES:
        print(f"{name} …", file=sys.stderr)
        found, good = _measured(import_module(f"tests.bench.{name}").measure, name, options)
        lines += found
        failed |= not good
    facts = [*machine.described(load), ("took", f"{(time.monotonic() - began) / 60:.1f} minutes")]
    _print(lines, facts)
    if given.write or (not given.names and not given.quick):
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(document(lines, facts, options, given.names or NAMES), encoding="utf-8")
    return 1 if failed else 0


def _measured(measure: Callable[[Options], list[Line]], name: str, options: Options) -> tuple[list[Line], bool]:
    try:
        return measure(options), True
    except Exception as err:  # the others are still worth measuring
        said = f"{type(err).__name__}: {err}"
        print(f"{name}: {said}", file=sys.stderr)
        return [told(name, measured="FAILED", method=said.splitlines()[0])], False


def _print(lines: list[Line], facts: list[tuple[str, str]]) -> None:
    table = Table("what", "budget", "measured", "ratio", "verdict", "method", show_lines=True)
    for line in lines:
        style = "bold red" if line.verdict == MISSED else ""
        table.add_row(line.what, line.budget, line.measured, line.ratio, line.said, line.method, style=style)
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table)
    console.print(" · ".join(f"{name}: {value}" for name, value in facts), highlight=False)


def document(lines: list[Line], facts: list[tuple[str, str]], options: Options, names: tuple[str, ...] | list[str]) -> str:
    """``docs/bench.md``: the table, how each figure came about, the machine."""
    missed = [line for line in lines if line.verdict == MISSED]
    judged = [line for line in lines if line.budget]
    given = [word for word, meant in (("--full", options.full), ("--quick", options.quick)) if meant]
    command = " ".join(["python -m tests.bench", *(() if tuple(names) == NAMES else names), *given])
    head = [
        "# Budgets measured", "",
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; every figure comes from that one run. "
        f"{len(judged) - len(missed)} of {len(judged)} budgets are met.", "",
        "| what | budget | measured | ratio | verdict |", "|---|---|---|---|---|",
    ]
    rows = [
        f"| {line.what} | {line.budget} | {line.measured} | {line.ratio} | {f'**{line.said}**' if line in missed else line.said} |"
        for line in lines
    ]
    how = ["", "## How", "", *(f"- **{line.what}**: {line.method}." for line in lines)]
    where = ["", "## Machine", "", *(f"- {name}: {value}" for name, value in facts), ""]
    return "\n".join([*head, *rows, *how, *where])


if __name__ == "__main__":
    sys.exit(main())

"""Writes a frame of figures as a table, CSV or JSON. A spreadsheet never runs what a source wrote (S24)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dashboard.errors import ConfigError

NUMBERS = ("value", "cases", "rows", "replayable", "run")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\0")


def safe_cell(text: str) -> str:
    """A text that a spreadsheet does not take for a formula; a plain number is none."""
    try:
        float(text)
    except ValueError:
        pass
    else:
        return text
    return "'" + text if text.startswith(DANGEROUS) else text


def _number(value: float | None) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if float(value).is_integer() else repr(round(float(value), 6))


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.to_dict("records")
    return [{str(key): None if value != value else value for key, value in row.items()} for row in rows]


def as_csv(frame: pd.DataFrame) -> str:
    """CSV with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in _rows(frame):
        writer.writerow([
            _number(value) if name == "value" else safe_cell(value) if isinstance(value, str) else value
            for name, value in row.items()
        ])
    return out.getvalue()


def as_json(frame: pd.DataFrame) -> str:
    """A list of objects; a missing value is ``null``."""
    return json.dumps(_rows(frame), ensure_ascii=False, indent=1)


def as_table(frame: pd.DataFrame) -> str:
    """A table for a terminal."""
    table = Table()
    for name in frame.columns:
        table.add_column(name, justify="right" if name in NUMBERS else "left")
    for row in _rows(frame):
        table.add_row(*(_number(value) if name == "value" else escape(str(value)) for name, value in row.items()))
    console = Console(file=io.StringIO(), width=160, record=True, highlight=False)
    console.print(table)
    return console.export_text()


def write(frame: pd.DataFrame, kind: str) -> str:
    """The frame as ``table``, ``csv`` or ``json``. Raises ``ConfigError`` for another word."""
    writers = {"table": as_table, "csv": as_csv, "json": as_json}
    if kind not in writers:
        raise ConfigError(f"no format {kind!r}; known: table, csv, json", f"tidak ada format {kind!r}; yang ada: table, csv, json")
    return writers[kind](frame)

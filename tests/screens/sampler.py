"""Samples a wall each second and holds every figure against the ledger: a second is *unmarked stale* when a figure is not
what its sources said within their declared limits and nothing on the page says so.

Figures: today's total, each agency's received today, each source's cell. Marks: the banner of a lost connection; on a tile its
stale block, late, partly; on a row its state; a panel past its limit by the browser's clock. "tanpa …" is no mark: the figure
must then be exactly that of the others.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Error, Page

from tests.screens.tellers import Teller

RESOLUTION_SECONDS = 1.0
"""Stamps are whole seconds, and so are samples."""
LOOK = """
() => {
  const seen = (element) => !!element && getComputedStyle(element).display !== "none";
  const by = (id) => document.getElementById(id), text = (id) => (by(id) ? by(id).textContent.trim() : null);
  const slot = (panel) => {
    const names = by("slot-" + panel)?.classList;
    return names ? ["is-stale-by-clock", "is-failed"].filter((name) => names.contains(name)) : ["no panel"];
  };
  const states = ["is-late", "is-partial", "is-stale", "is-offline", "is-loading", "is-none"];
  const marks = (element) => (element ? states.filter((name) => element.classList.contains(name)) : ["no element"]);
  const found = {lost: document.body.classList.contains("is-lost") && seen(by("live-lost")), total: null, rows: [], cells: []};
  if (by("received_today--figure")) found.total = {
    text: text("received_today--figure"), age: text("received_today--age-text"),
    marks: [...slot("received_today"), ...marks(by("received_today--tile"))],
  };
  for (let at = 0; by("agencies--a" + at + "-row"); at += 1) found.rows.push({
    name: text("agencies--a" + at + "-name"), text: text("agencies--a" + at + "-received"),
    marks: [...slot("agencies"), ...marks(by("agencies--a" + at + "-row"))],
  });
  for (let at = 0; by("sources_strip--cell-" + at); at += 1) found.cells.push(
    [...slot("sources_strip"), ...marks(by("sources_strip--cell-" + at))]);
  return found;
}
"""


@dataclass
class Found:
    """What was sampled: seconds by kind, and each unmarked stale one in words."""

    seconds: int = 0
    blank: int = 0
    asleep: int = 0
    figures: Counter[str] = field(default_factory=Counter)
    unmarked: list[str] = field(default_factory=list)

    @property
    def unmarked_seconds(self) -> int:
        return len({line.split(" ", 1)[0] for line in self.unmarked})

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.figures.items()))
        return (
            f"unmarked stale seconds: {self.unmarked_seconds} of {self.seconds} sampled "
            f"({self.blank} without a figure, {self.asleep} asleep); figures seen: {kinds}"
        )


class Sampler:
    """Of one page. ``tellers`` in the order of their cells."""

    def __init__(self, page: Page, tellers: Sequence[Teller]) -> None:
        self.page, self.tellers, self.found = page, list(tellers), Found()
        self.began = time.time()

    def sample(self) -> None:
        """Look once, and judge what was seen."""
        before = time.time()
        try:
            seen = self.page.evaluate(LOOK)
        except Error:  # just being loaded anew: nothing is shown
            seen = {"lost": False, "total": None, "rows": [], "cells": []}
        self.judge(seen, before, time.time())

    def judge(self, seen: dict[str, Any], before: float, after: float) -> None:
        """Hold one look, taken between two instants, against the ledger."""
        found = self.found
        found.seconds += 1
        if seen["total"] is None and not seen["rows"]:
            found.blank += 1
            return
        second = f"{before - self.began:.0f}s"
        total, rows, cells = seen["total"], seen["rows"], seen["cells"]
        for what, each, right in [
            *([("total", total, self._total(total, before, after))] if total else []),
            *((row["name"], row, self._row(row, before, after)) for row in rows),
            *((f"cell {at}", {"text": "cell", "marks": marks}, self._cell(at, before)) for at, marks in enumerate(cells)),
        ]:
            kind = "lost" if seen["lost"] else each["marks"][0] if each["marks"] else "right" if right else "UNMARKED"
            found.figures[kind] += 1
            if kind == "UNMARKED":
                told = [sorted(self._told(teller, before, after)) for teller in self.tellers]
                found.unmarked.append(f"{second} {what}: {each['text']!r} {each.get('age', '')!r}; told {told}")

    def _told(self, teller: Teller, before: float, after: float) -> set[int]:
        return teller.told(before - teller.limit - RESOLUTION_SECONDS, after)

    def _row(self, row: dict[str, Any], before: float, after: float) -> bool:
        number = _number(row["text"])
        teller = next(each for each in self.tellers if each.name == row["name"])
        return number is None or number in self._told(teller, before, after)

    def _total(self, total: dict[str, Any], before: float, after: float) -> bool:
        number = _number(total["text"])
        if number is None:
            return True
        named = (total["age"] or "").partition("tanpa ")[2]
        counted = [self._told(teller, before, after) for teller in self.tellers if teller.name not in named]
        return number in {sum(chosen) for chosen in itertools.product(*counted)}

    def _cell(self, at: int, before: float) -> bool:
        teller = self.tellers[at]
        return before - teller.answered <= teller.limit + RESOLUTION_SECONDS


def _number(text: str | None) -> int | None:
    """A figure as shown; ``None`` for words."""
    plain = (text or "").replace(".", "")
    return int(plain) if re.fullmatch(r"\d+", plain) else None

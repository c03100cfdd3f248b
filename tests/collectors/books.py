"""A source with a ledger behind real HTTP, and the store that is collected from it: what the tests of C faults share."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dashboard.cases import Outcome
from tests.collectors.conftest import Site
from tests.invariants import Oracle, changes_of
from tests.ledger import DECLARATION, Ledger

SIZE = 50
"""Rows of a page: a few hundred cases make several."""


def declaration(port: int, **more: Any) -> dict[str, Any]:
    """The ledger's source, with small pages."""
    found: dict[str, Any] = tomllib.loads("[[sources]]\n" + DECLARATION.format(port=port))["sources"][0]
    found["options"]["pages"]["size"] = SIZE
    found["options"] |= more.pop("options", {})
    return {**found, "every": "5 minutes", "stale_after": "30 minutes", **more}


@dataclass
class Book:
    """One ledger, the site that reads it, and the oracle that judges."""

    ledger: Ledger
    site: Site

    @property
    def oracle(self) -> Oracle:
        """Of the site's store."""
        return Oracle(self.site.engine, self.site.regency, self.site.source.id, self.site.settings.data)

    def add(self, count: int) -> None:
        """New cases, now."""
        self.ledger.add(count, now=self.site.now)

    def change(self, count: int) -> None:
        """Changed cases, now."""
        self.ledger.change(count, now=self.site.now)

    def replace(self, cases: dict[str, dict[str, Any]]) -> None:
        """The source has these cases now, and no others."""
        self.ledger.cases = cases
        self.ledger._changes += 1

    def run(self, minutes: float = 5, **more: Any) -> Outcome:
        """The next run, so much later."""
        self.site.now += timedelta(minutes=minutes)
        return self.site.run(**more).outcome

    def whole(self) -> None:
        """What must hold when all is well again: nothing lost, nothing doubled, an honest cursor, verified."""
        self.oracle.whole(self.ledger.cases, self.ledger.counts(), changes_of(self.ledger.cases))


Books = Callable[..., Book]
Served = Callable[[Ledger], AbstractContextManager[int]]

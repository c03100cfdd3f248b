"""A small product whose only source keeps a ledger, to be backed up, broken and restored."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product

REGENCY = 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n'
AGENCY = 'name = {{ id = "Dinas Uji", en = "Test agency" }}\nshort_name = "Uji"\n\n[[sources]]\n{source}'


@dataclass
class House:
    """The product, its source's ledger, and its files."""

    product: Product
    ledger: Ledger

    @property
    def data(self) -> Path:
        """The folder of the stores."""
        return self.product.folder / "var"

    @property
    def figures(self) -> Path:
        """The figures store."""
        return self.data / "figures.sqlite"

    @property
    def backups(self) -> list[Path]:
        """The backups there are, oldest first."""
        return sorted((self.data / "backups").glob("cc-*"))

    def told(self) -> dict[str, int]:
        """What ``figures`` says of all time: sums, and the backlog at the end."""
        text = self.product.run(
            "figures", "--metric", "received,completed,cancelled,backlog", "--grain", "year", "--since", "2020-01-01",
            "--format", "csv",
        )
        rows = [row for row in csv.DictReader(io.StringIO(text)) if row["value"]]
        sums = {
            metric: sum(int(float(row["value"])) for row in rows if row["metric"] == metric)
            for metric in ("received", "completed", "cancelled")
        }
        return {**sums, "backlog": [int(float(row["value"])) for row in rows if row["metric"] == "backlog"][-1]}

    def is_true(self) -> bool:
        """Whether the store holds exactly what the ledger does, and its counts are those of its cases (I1, I2)."""
        return self.told() == dict(self.ledger.counts()) and "no difference" in self.product.run("verify")

    def live(self, count: int = 300) -> None:
        """Time passes at the source: new cases, changed ones."""
        self.ledger.add(count)
        self.ledger.change(count // 2)


@contextmanager
def house(folder: Path, regency: str = REGENCY, **settings: str) -> Iterator[House]:
    """A house with 1,000 cases at its source, nothing collected yet."""
    product, ledger = Product(folder, dict(settings)), Ledger()
    with served(ledger) as port:
        product.declare({
            "regency.toml": regency, "agencies/uji.toml": AGENCY.format(source=DECLARATION.format(port=port)),
        })
        ledger.add(1000)
        ledger.change(300)
        yield House(product, ledger)


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until something holds; what it gave. Fails after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"waited {seconds} s"
        time.sleep(0.1)
    return found


def noise(file: Path, *, at: int = 0, size: int = 16_384) -> None:
    """Overwrite part of a file with what cannot be a page of a database."""
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(os.urandom(size))


def quiet(file: Path) -> None:
    """Bring a closed store's log into its file, so that damage to the file is damage to the store."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def manifest_of(backup: Path) -> dict[str, Any]:
    """A backup's manifest as JSON."""
    found: dict[str, Any] = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    return found

"""SIGKILL of the collector at random moments: nothing lost, nothing doubled (F1)."""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.invariants import Oracle, changes_of
from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product

REGENCY = 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n'
AGENCY = 'name = {{ id = "Dinas Uji", en = "Test agency" }}\nshort_name = "Uji"\n\n[[sources]]\n{source}'


def told(product: Product) -> dict[str, int]:
    """What `figures` says of all time: sums, and the backlog at the end."""
    text = product.run(
        "figures", "--metric", "received,completed,cancelled,backlog", "--grain", "year", "--since", "2020-01-01",
        "--format", "csv",
    )
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["value"]]
    totals = {
        metric: sum(int(float(row["value"])) for row in rows if row["metric"] == metric)
        for metric in ("received", "completed", "cancelled")
    }
    return {**totals, "backlog": [int(float(row["value"])) for row in rows if row["metric"] == "backlog"][-1]}


def survive(product: Product, kills: int, seed: int) -> None:
    """Kill the schedule ``kills`` times while the source keeps changing; then one quiet collect must match the ledger."""
    ledger, chance = Ledger(seed), random.Random(seed)
    with served(ledger) as port:
        product.declare({
            "regency.toml": REGENCY, "agencies/uji.toml": AGENCY.format(source=DECLARATION.format(port=port)),
        })
        ledger.add(3000)
        for _ in range(kills):
            ledger.add(chance.randrange(200, 1200))
            ledger.change(chance.randrange(100, 900))
            asked, process = ledger.requests, product.start("schedule")
            if chance.random() < 0.75:  # while it reads and writes, however slow the machine is; else while it starts
                until = time.monotonic() + 30
                while ledger.requests == asked and time.monotonic() < until:
                    time.sleep(0.02)
                time.sleep(chance.uniform(0.0, 1.0))
            else:
                time.sleep(chance.uniform(0.3, 2.0))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        product.run("collect", timeout=600)
        assert told(product) == dict(ledger.counts())
        with Oracle.of(product, "ledger") as oracle:
            oracle.whole(ledger.cases, ledger.counts(), changes_of(ledger.cases))
    assert "no difference" in product.run("verify")
    assert ledger.requests > kills  # most of them were in the middle of a read


def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    survive(Product(tmp_path), kills=20, seed=20)


@pytest.mark.long
def test_two_hundred_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    survive(Product(tmp_path), kills=200, seed=200)

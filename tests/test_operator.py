"""The operator's commands as a person types them, with a living leader and without one."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.invariants import Oracle, changes_of
from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product

REGENCY = 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n'
AGENCY = 'name = {{ id = "Dinas Uji", en = "Test agency" }}\nshort_name = "Uji"\n\n[[sources]]\n{source}'


class House:
    """A product with one source that keeps a ledger."""

    def __init__(self, folder: Path, port: int, ledger: Ledger) -> None:
        self.product, self.port, self.ledger = Product(folder), port, ledger
        self.declare()

    def declare(self, before: str = "", after: str = "") -> None:
        """The declarations, with one text in place of another."""
        source = DECLARATION.format(port=self.port).replace('mode = "incremental"', 'mode = "snapshot"').replace(before, after)
        self.product.declare({"regency.toml": REGENCY, "agencies/uji.toml": AGENCY.format(source=source)})

    def replace(self, cases: dict[str, dict[str, str]]) -> None:
        """The source has these cases now, and no others."""
        self.ledger.cases = cases
        self.ledger._changes += 1

    def listed(self, *words: str) -> list[dict[str, str]]:
        """The rows that a command lists."""
        return list(csv.DictReader(io.StringIO(self.product.run(*words, "--format", "csv"))))

    def whole(self) -> None:
        """Judged by the oracle."""
        with Oracle.of(self.product, "ledger") as oracle:
            oracle.whole(self.ledger.cases, self.ledger.counts(), changes_of(self.ledger.cases))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    ledger = Ledger()
    ledger.add(60)
    with served(ledger) as port:
        yield House(tmp_path, port, ledger)


def test_a_held_read_is_listed_and_released_by_a_command_that_leads(house: House) -> None:
    house.product.run("collect")
    house.replace({key: row for key, row in house.ledger.cases.items() if int(key) < 20})
    house.product.run("collect", code=1)
    held = house.listed("holds", "--language", "en")
    assert [(row["source"], row["guard"], row["decision"]) for row in held] == [("ledger", "count", "")]
    assert "67 % of 60 known cases are missing" in held[0]["reason"]
    assert json.loads(house.product.run("holds", "--format", "json"))[0]["counts"] == "known 60, missing 40, seen 20"
    house.product.run("release", "ledger", "--who", "Andi", "--why", "arsip dipindah", "--new-generation", code=1)  # not for counts
    said = house.product.run("release", "ledger", "--who", "Andi", "--why", "arsip dipindah")
    assert said.startswith("ledger: ok")
    assert house.listed("holds") == []
    house.whole()
    with closing(sqlite3.connect(house.product.folder / "var" / "people.sqlite")) as people:
        told = people.execute("SELECT who, what, json_extract(detail, '$.why') FROM audit ORDER BY id").fetchall()
    assert told[-1] == ("Andi", "release hold", "arsip dipindah")


@pytest.mark.long
def test_a_living_leader_is_asked_to_release_and_to_reject(house: House) -> None:
    with house.product.running("schedule"):
        _until(house, lambda: house.ledger.requests > 0)
        house.product.run("collect")
        house.replace({f"N{key}": {**row, "id": f"N{key}"} for key, row in house.ledger.cases.items()})
        _until(house, lambda: house.listed("holds"))
        house.product.run("reject", "ledger", "--who", "Andi", "--why", "tanya dulu")
        assert [row["decision"] for row in house.listed("holds")] == ["reject"]
        assert house.product.run("release", "ledger", "--who", "Ros", "--why", "sistem baru", "--new-generation").startswith("ledger: ")
        _until(house, lambda: not house.listed("holds"))
    house.product.run("collect")
    house.whole()


def _until(house: House, reached: object, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not reached():  # type: ignore[operator]
        assert time.monotonic() < until, house.product.output()
        time.sleep(0.3)


def test_rows_put_aside_are_listed_without_their_content_and_mapped_again_once_the_mapping_is_mended(house: House) -> None:
    for key in ("000003", "000004"):
        house.ledger.cases[key]["submitted"] = "24.11.2026 09:00"
    house.replace(house.ledger.cases)
    assert "partial" in house.product.run("collect")
    listed = house.listed("rejected", "--source", "ledger")
    assert [(row["field"], row["rows"], row["replayable"]) for row in listed] == [("submitted_at", "2", "2")]
    assert "24.11.2026" not in json.dumps(listed)
    house.declare('submitted_at = { from = "submitted", format = "iso" }', 'submitted_at = { from = "submitted", format = "%d.%m.%Y %H:%M" }')
    assert "collect --source ledger --reconcile" in house.product.run("check")
    said = house.product.run("remap", "ledger", "--who", "Andi")
    assert said.strip() == "ledger: 2 mapped, 0 still bad, 0 superseded, 0 without id"
    assert house.listed("rejected") == []
    with Oracle.of(house.product, "ledger") as oracle:
        oracle.nothing_lost(house.ledger.cases)
        oracle.nothing_doubled(house.ledger.counts())
        oracle.nobody_on_disk()
        oracle.verified()


@pytest.mark.long
def test_what_later_runs_changed_is_listed_and_check_says_what_stands_under_other_declarations(house: House) -> None:
    house.product.run("collect")
    assert house.listed("revisions") == []
    house.ledger.change(20)
    house.product.run("collect")
    found = house.listed("revisions", "--source", "ledger")
    assert {"ended_as", "ended_at"} <= {row["field"] for row in found}
    assert all(len(row["case"]) == 8 for row in found)
    house.declare('dropped = "cancelled"', 'dropped = "completed"')
    assert "ledger: stored figures were derived under other maps" in house.product.run("check")
    house.product.run("recompute")
    assert "derived under other" not in house.product.run("check")
    assert any(row["before"] == "cancelled" and row["after"] == "completed" for row in house.listed("revisions"))
    assert "no difference" in house.product.run("verify")
    house.declare('missing = ["", "-"]', 'missing = ["", "-", "0"]')
    assert "collect --source ledger --reconcile" in house.product.run("check")
    house.product.run("collect", "--source", "ledger", "--reconcile")
    assert "--reconcile" not in house.product.run("check")

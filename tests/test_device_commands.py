"""The commands ``device …`` as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import SHIPPED
from dashboard import clock
from dashboard.access import joining
from dashboard.store.engine import migrate, open_engine
from tests.product import Product


@pytest.fixture
def product(tmp_path: Path) -> Product:
    found = Product(tmp_path)
    found.declare({"regency.toml": f'extends = "{SHIPPED}"\n'})
    return found


def test_a_wall_is_approved_listed_renamed_and_revoked(product: Product) -> None:
    (product.folder / "var").mkdir()
    people = open_engine(f"sqlite:///{product.folder / 'var' / 'people.sqlite'}", "people")
    migrate(people, "people")
    asked = joining.ask(people, zone="wall", now=clock.now())
    said = product.run(
        "device", "approve", asked.code, "--screen", "operator", "--place", "Dinding Barat", "--network", "10.20.4.0/24"
    )
    identity = said.partition(":")[0]
    assert joining.claim(people, asked.secret, zone="wall", now=clock.now())
    people.dispose()
    listed = product.run("device", "list")
    assert identity in listed
    assert "wall/operator  Dinding Barat  seen" in listed
    assert "only from 10.20.4.0/24" in listed
    product.run("device", "rename", identity, "--place", "Dinding Timur")
    product.run("device", "revoke", identity)
    assert "Dinding Timur  revoked" in product.run("device", "list")


@pytest.mark.parametrize(("words", "id_", "en"), [
    (("device", "approve", "AAAA-AAAA", "--place", "x"), "tidak ada layar yang menampilkan kode ini", "no wall shows this code"),
    (("device", "approve", "AAAA-AAAA", "--place", "x", "--screen", "east"), "tidak ada layar 'east'", "no screen 'east'"),
    (("device", "add", "--place", "x", "--network", "10.0.0.0/99"), "bukan jaringan", "not a network"),
    (("device", "rename", "wall-none", "--place", "x"), "tidak ada perangkat", "no device"),
    (("device", "revoke", "wall-none"), "tidak ada perangkat", "no device"),
])
def test_a_mistake_is_said_in_both_languages(product: Product, words: tuple[str, ...], id_: str, en: str) -> None:
    said = product.refused(*words)
    assert id_ in said
    assert en in said

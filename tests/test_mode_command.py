"""The command `mode`, as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.product import Product

SCREENS = """
[scenes.s]
name = { id = "S", en = "S" }
panels = []
[screens.west]
name = "Barat"
scenes = ["s"]
[modes.day]
name = { id = "Siang", en = "Day" }
[modes.visit]
name = { id = "Kunjungan", en = "Visit" }
audience = "people"
[groups.room]
name = { id = "Ruang", en = "Room" }
screens = ["west"]
otherwise = "day"
"""


@pytest.fixture
def product(tmp_path: Path) -> Product:
    """An installation with one group."""
    found = Product(tmp_path)
    found.declare({
        "regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\n', "screens.toml": SCREENS,
        "agencies/uji.toml": 'name = { id = "Dinas Uji", en = "Test" }\nshort_name = "Uji"\n',
    })
    return found


def test_a_mode_is_switched_on_told_and_cleared(product: Product) -> None:
    assert product.run("mode") == "room: day\n"
    assert "room: visit until" in product.run("mode", "visit", "--for", "90 menit", "--group", "room", "--who", "Ani")
    assert "(by hand)" in product.run("mode")
    assert product.run("mode", "--clear") == "room: visit cleared\nroom: day\n"


@pytest.mark.parametrize(("words", "said"), [
    (("party",), "choose one of: day, visit"), (("visit", "--group", "hall"), "one of: room"),
    (("visit", "--for", "a while"), "give one such as '2 hours'"), (("visit", "--for", "30 days"), "seven days at most"),
])
def test_what_is_not_there_is_refused_with_what_there_is(product: Product, words: tuple[str, ...], said: str) -> None:
    assert said in product.refused("mode", *words)

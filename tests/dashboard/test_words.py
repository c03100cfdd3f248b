"""Shown words: the same keys in both languages, everything named has words, numbers and times as Indonesians write them."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.declarations import StandardUnit
from config.loading import load
from config.settings import SHIPPED
from dashboard.cases import Outcome
from dashboard.errors import ConfigError
from dashboard.metrics import METRICS, Unit
from dashboard.words import Say

REGENCY = load(SHIPPED)
ID, EN = Say(REGENCY, "id"), Say(REGENCY, "en")
MORNING = datetime(2026, 11, 24, 10, 53, 7, tzinfo=ZoneInfo("Asia/Makassar")).timestamp()


def flat(words: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in words.items():
        yield from flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]


def shipped(language: str) -> dict[str, Any]:
    return dict(flat(tomllib.loads((SHIPPED / "words" / f"{language}.toml").read_text(encoding="utf-8"))))


def gaps(text: str) -> set[str]:
    """The names that a text is filled in with."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys_filled_in_with_the_same_names() -> None:
    indonesian, english = shipped("id"), shipped("en")
    assert sorted(indonesian) == sorted(english)
    assert {key: gaps(text) for key, text in indonesian.items()} == {key: gaps(text) for key, text in english.items()}


@pytest.mark.parametrize("say", [ID, EN], ids=["id", "en"])
def test_every_metric_unit_and_outcome_has_words(say: Say) -> None:
    keys = [
        *(f"metrics.{key}" for key in METRICS), *(f"outcomes.{outcome}" for outcome in Outcome),
        *(f"units.{unit.replace(' ', '_')}" for unit in (*Unit, *StandardUnit)),
    ]
    assert [key for key in keys if not say.has(key)] == []


def test_a_word_that_is_missing_is_an_error_that_names_it() -> None:
    with pytest.raises(ConfigError, match=r"words/id\.toml: wall\.nothing"):
        ID("wall.nothing")


def test_a_word_that_cannot_be_filled_in_is_an_error_that_names_it() -> None:
    with pytest.raises(ConfigError, match=r"words/en\.toml: panels\.without: cannot be filled in: 'names'"):
        EN("panels.without", name="DLH")


def test_words_are_filled_in() -> None:
    assert ID("panels.without", names=ID.join(["Dishub", "DLH"])) == "tanpa Dishub, DLH"


@pytest.mark.parametrize(("value", "decimals", "indonesian", "english"), [
    (1234.5, 1, "1.234,5", "1,234.5"), (1_200_000, 0, "1.200.000", "1,200,000"), (0, 0, "0", "0"), (-0.04, 1, "0,0", "0.0"),
    (-12.34, 1, "-12,3", "-12.3"),
])
def test_numbers_are_written_out(value: float, decimals: int, indonesian: str, english: str) -> None:
    assert (ID.number(value, decimals), EN.number(value, decimals)) == (indonesian, english)


def test_percent_and_money() -> None:
    assert (ID.percent(87.5), EN.percent(87.5)) == ("87,5%", "87.5%")
    assert (ID.rupiah(1_234_567), ID.rupiah(1_234_567.5, 2), ID.rupiah(-5)) == ("Rp1.234.567", "Rp1.234.567,50", "-Rp5")


def test_times_and_dates_are_those_of_the_regency() -> None:
    assert (ID.time(MORNING), ID.clock(MORNING), ID.date(MORNING)) == ("10.53", "10.53 WITA", "Selasa, 24 November 2026")
    assert (EN.time(MORNING), EN.clock(MORNING), EN.date(MORNING)) == ("10:53", "10:53 WITA", "Tuesday, 24 November 2026")


def test_a_moment_of_another_day_comes_with_its_date() -> None:
    assert ID.moment(MORNING, MORNING + 3600) == "10.53"
    assert ID.moment(MORNING - 86_400 * 30, MORNING) == "25 Okt 10.53"


@pytest.mark.parametrize(("seconds", "indonesian", "english"), [
    (40, "40 detik", "40 seconds"), (60, "1 menit", "1 minute"), (3900, "1 jam 5 menit", "1 hour 5 minutes"),
    (7200, "2 jam", "2 hours"), (90_000, "1 hari 1 jam", "1 day 1 hour"), (-5, "0 detik", "0 seconds"),
])
def test_durations_are_said_in_their_two_largest_units(seconds: int, indonesian: str, english: str) -> None:
    assert (ID.duration(seconds), EN.duration(seconds)) == (indonesian, english)

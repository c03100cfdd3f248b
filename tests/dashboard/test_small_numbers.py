"""Small numbers stay hidden, whatever the totals tell (P3, P4): checked against an attacker who tries every assignment."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from dashboard.small_numbers import ROOM, hidden, sensitive, small
from tests import small as house

MOST = 14


def possible(counts: dict[str, int], first: set[str], further: set[str]) -> dict[str, set[int]]:
    """What each small number may be, for one who knows the sum of the hidden ones and how each of them is marked."""
    total = sum(counts[one] for one in first | further)
    order = sorted(first)
    found: dict[str, set[int]] = {one: set() for one in first}
    for guess in product(range(1, ROOM), repeat=len(order)):
        rest = total - sum(guess)
        fits = rest >= ROOM * len(further) if further else rest == 0
        for one, value in zip(order, guess, strict=True):
            found[one] |= {value} if fits else set()
    return found


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, MOST), max_size=8))
def test_no_total_narrows_a_small_number_down_unless_everything_is_hidden(counts: dict[str, int]) -> None:  # P3 P4
    first, further = hidden(counts)
    assert first == {one for one, count in counts.items() if 0 < count < ROOM}
    everything = first | further == set(counts)
    assert everything or all(values == {1, 2, 3, 4} for values in possible(counts, first, further).values())


def test_without_a_small_number_nothing_is_hidden_and_a_zero_is_shown() -> None:
    assert hidden({"a": 0, "b": 5, "c": 90}) == (set(), set())


def test_a_single_small_number_takes_the_next_smallest_with_it() -> None:  # P4
    assert hidden({"a": 3, "b": 250, "c": 40, "d": 0}) == ({"a"}, {"c"})


def test_where_nothing_protects_even_the_zeros_are_hidden() -> None:
    assert hidden({"a": 2, "b": 0, "c": 0}) == ({"a"}, {"b", "c"})


def test_five_is_shown_and_four_is_not() -> None:
    assert small({"a": 4, "b": 5, "c": 0}) == {"a"}


def test_the_rule_is_for_complaints_and_for_health() -> None:
    regency = house.regency(agencies={"capil": house.agency("Capil", {}, id="capil"), "rsud": house.agency(
        "RSUD", {}, id="rsud", sector="health")})
    asked = [("complaint", ["capil"]), ("request", ["capil"]), ("request", ["capil", "rsud"]), ("visit", ["unknown"])]
    assert [sensitive(regency, kind, agencies) for kind, agencies in asked] == [True, False, True, False]

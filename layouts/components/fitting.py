"""Words into the room they have: a class for the size of a text, and as many names as fit."""

from __future__ import annotations

from collections.abc import Sequence

SIZES = ("", " is-long", " is-longer", " is-longest")


def fit(text: str, *limits: int) -> str:
    """A class that makes ``text`` smaller beyond each of up to three limits (characters): ``""``, ``" is-long"`` …"""
    return SIZES[sum(len(text) > limit for limit in limits)]


def names(short_names: Sequence[str], room: int) -> str:
    """As many names as fit into ``room`` characters, at least one, then how many more: ``Dishub, DLH +3``."""
    shown = list(short_names)
    while len(shown) > 1 and len(_said(shown, len(short_names))) > room:
        shown.pop()
    return _said(shown, len(short_names))


def _said(shown: Sequence[str], total: int) -> str:
    more = total - len(shown)
    return ", ".join(shown) + (f" +{more}" if more else "")

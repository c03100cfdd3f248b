"""Attributes whose names are no Python names: ``data-…`` and ``aria-…``."""

from __future__ import annotations

from typing import Any


def data(**values: str) -> dict[str, Any]:
    """``data(age_since="1")`` → ``{"data-age-since": "1"}``, to be given to a component with ``**``."""
    return {f"data-{name.replace('_', '-')}": value for name, value in values.items()}


def aria(**values: str) -> dict[str, Any]:
    """``aria(hidden="true")`` → ``{"aria-hidden": "true"}``."""
    return {f"aria-{name.replace('_', '-')}": value for name, value in values.items()}

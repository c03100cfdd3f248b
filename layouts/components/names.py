"""Names of what is measured: the product's from the words, those that a regency declares from its declaration."""

from __future__ import annotations

from dashboard.words import Say


def metric_name(metric: str, say: Say) -> str:
    """The metric's name, its first letter large."""
    declared = say.regency.metrics.get(metric)
    name = say.name(declared.name) if declared else say(f"metrics.{metric}")
    return name[:1].upper() + name[1:]

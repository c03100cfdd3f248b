"""The panels: the folder is the list, a file's name is the panel's."""

from __future__ import annotations

from pathlib import Path


def names() -> tuple[str, ...]:
    """All panels, by name."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__"))

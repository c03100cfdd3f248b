"""The panels: one question, one file. The folder is the list, and a file's name is the panel's name."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from dashboard.errors import ConfigError


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The names of all panels, sorted."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__"))


def panel(name: str) -> ModuleType:
    """The module of a panel: ``query`` (what it asks), ``draw(answer, say)``. Raises ``ConfigError`` when unknown."""
    if name not in names():
        known = ", ".join(names())
        raise ConfigError(f"no panel {name!r}; known: {known}", f"tidak ada panel {name!r}; yang ada: {known}")
    return importlib.import_module(f"{__name__}.{name}")

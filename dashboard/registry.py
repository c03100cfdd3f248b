"""Names to things. Registering a name twice is refused; an unknown name lists the known ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from dashboard.errors import ConfigError

Thing = TypeVar("Thing")


class Registry(Generic[Thing]):
    """A table from a name to one thing of a kind, filled by a decorator at import."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, Thing] = {}

    def register(self, name: str) -> Callable[[Thing], Thing]:
        """Decorator: ``@CONNECTORS.register("rest")``. Raises ``ValueError`` when the name is taken."""

        def keep(thing: Thing) -> Thing:
            if name in self._things:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._things[name] = thing
            return thing

        return keep

    def __getitem__(self, name: str) -> Thing:
        try:
            return self._things[name]
        except KeyError:
            known = ", ".join(sorted(self._things)) or "none"
            raise ConfigError(
                f"no {self.kind} {name!r}; known: {known}", f"tidak ada {self.kind} {name!r}; yang ada: {known}"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._things))

    def __len__(self) -> int:
        return len(self._things)

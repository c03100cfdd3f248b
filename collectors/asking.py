"""What a connector is given for one read: validated options, the deadline, the networks it may reach, secrets by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING

from pydantic import ValidationError

from collectors.connector import CONNECTORS, Reading
from collectors.mapping import wanted_columns
from dashboard import clock
from dashboard.errors import ConfigError

if TYPE_CHECKING:
    from config.declarations import Source
    from config.settings import Settings


def reading_of(
    source: Source, settings: Settings, *, since: float | None, since_kind: str, files: dict[str, float] | None = None,
    now: Callable[[], datetime] = clock.now,
) -> Reading:
    """What a connector may know and use. Raises ``ConfigError`` for options that are not the connector's."""
    connector = CONNECTORS[source.connector]
    try:
        options = connector.options.model_validate(source.options)
    except ValidationError as err:
        first = err.errors()[0]
        key = ".".join(str(part) for part in ("options", *first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"not an option of {source.connector} ({reason}); see command-center check",
            f"bukan opsi {source.connector} ({reason}); lihat command-center check", file=f"source {source.id}", key=key,
        ) from err

    def secret(name: str) -> str:
        try:
            value = settings.secret(name)
        except PermissionError as err:
            raise ConfigError(
                f"the secret {name!r} lies in a file that others may read; give it mode 0600",
                f"rahasia {name!r} ada di berkas yang dapat dibaca orang lain; beri mode 0600",
            ) from err
        if value is None:
            raise ConfigError(
                f"the secret {name!r} is not given: set COMMAND_CENTER_SECRET_{name.upper()} or a file of that name",
                f"rahasia {name!r} belum diberikan: atur COMMAND_CENTER_SECRET_{name.upper()} atau berkas bernama itu",
            )
        return value

    return Reading(
        source=source.id, options=options, since=since, deadline=time.monotonic() + source.deadline.total_seconds(),
        networks=tuple(ip_network(network) for network in source.network), secret=secret, drop=settings.drop.resolve(),
        wanted=wanted_columns(source), timezone=source.timezone, since_kind=since_kind, files=files or {}, now=now().timestamp(),
    )

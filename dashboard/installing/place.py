"""Where an installation lies and how it is reached: what the printed files are filled with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dashboard.errors import ConfigError

_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$")


@dataclass(frozen=True)
class Place:
    """``server``: the name or address by which walls reach the server; ``port``: of serve on loopback behind nginx, or with TLS of
    its own. ``time``: the server that clocks are set by. Raises ``ConfigError`` for a name that cannot stand in a file."""

    server: str
    program: Path
    port: int = 8100
    time: str = ""
    user: str = "command-center"
    config: Path = Path("/etc/command-center")
    data: Path = Path("/var/lib/command-center")
    backups: Path = Path("/var/backups/command-center")
    proxied: bool = True

    def __post_init__(self) -> None:
        for option, name in (("--server", self.server), ("--time", self.time)):
            if name and not _NAME.match(name):
                raise ConfigError(
                    f"{option}: {name!r} is no name or IPv4 address; give one such as wall.example or 10.20.0.5",
                    f"{option}: {name!r} bukan nama atau alamat IPv4; berikan misalnya wall.example atau 10.20.0.5",
                )
        if any(char.isspace() or char in "%$\"'\\" for char in str(self.program)):
            raise ConfigError(
                f"{self.program}: a unit cannot name a path with such characters; choose a plain one for the environment",
                f"{self.program}: unit tidak dapat memuat jalur dengan karakter seperti itu; pilih jalur biasa untuk lingkungan",
            )

    @property
    def secrets(self) -> Path:
        """Folder of secret files."""
        return self.config / "secrets"

    @property
    def tls(self) -> Path:
        """Folder of the certificate and its key."""
        return self.config / "tls"

    @property
    def drop(self) -> Path:
        """Root of the drop folders."""
        return self.data / "drop"

    @property
    def address(self) -> str:
        """The wall's address, as a wall PC opens it."""
        return f"https://{self.server}{'' if self.proxied else f':{self.port}'}/wall/"


@dataclass(frozen=True)
class File:
    """A file to put in place. ``mode`` as for chmod; ``owner`` as for chown."""

    path: str
    text: str
    mode: int = 0o644
    owner: str = "root:root"

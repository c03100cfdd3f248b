"""Settings from the environment. Secrets are environment variables or files, never declarations."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SHIPPED = Path(__file__).parent


class Settings(BaseSettings):
    """Where the declarations, the stores, the drop folders and the backups lie.

    ``COMMAND_CENTER_CONFIG`` (declarations folder), ``COMMAND_CENTER_DATA`` (stores, keys), ``COMMAND_CENTER_DROP`` (root
    of the drop folders), ``COMMAND_CENTER_SECRETS`` (folder of secret files), ``COMMAND_CENTER_BACKUPS``
    (folder of backups, best on another disk; default ``backups`` in the data folder), ``DATABASE_URL``.
    """

    model_config = SettingsConfigDict(env_prefix="COMMAND_CENTER_", extra="ignore")

    config: Path = SHIPPED
    data: Path = Path("var")
    drop: Path = Path("var/drop")
    secrets: Path = Path("var/secrets")
    backups: Path | None = None
    database_url: str = Field(default="", validation_alias="DATABASE_URL")

    def url_of(self, store: str) -> str:
        """SQLAlchemy address of a store (figures, people, recordings, guest): one SQLite file each, or one schema each.

        A plain ``sqlite:///FILE`` names the figures store; the others lie beside it.
        """
        if not self.database_url:
            return f"sqlite:///{self.data.resolve() / (store + '.sqlite')}"
        if self.database_url.startswith("sqlite:///"):
            figures = Path(self.database_url.removeprefix("sqlite:///"))
            return self.database_url if store == "figures" else f"sqlite:///{figures.parent / (store + '.sqlite')}"
        return self.database_url

    def file_of(self, store: str) -> Path | None:
        """The SQLite file of a store; ``None`` on PostgreSQL."""
        url = self.url_of(store)
        return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None

    @property
    def backups_folder(self) -> Path:
        """Where backups are written and looked for."""
        return (self.backups or self.data / "backups").resolve()

    def secret(self, name: str) -> str | None:
        """A secret by its name: ``COMMAND_CENTER_SECRET_<NAME>``, else the file of that name (mode 0600), read anew.

        Returns ``None`` when neither exists. Raises ``PermissionError`` when the file may be read by others.
        """
        from_environment = os.environ.get(f"COMMAND_CENTER_SECRET_{name.upper()}")
        if from_environment is not None:
            return from_environment
        path = self.secrets / name
        if not path.is_file():
            return None
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise PermissionError(f"{path}: mode must be 0600")
        return path.read_text(encoding="utf-8").strip()

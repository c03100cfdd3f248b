"""What every folder of tests may ask for."""

from __future__ import annotations

from tests.stores import empty_database, empty_file, engine, postgres_engine, sqlite_engine

__all__ = ["empty_database", "empty_file", "engine", "postgres_engine", "sqlite_engine"]

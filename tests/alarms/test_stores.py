"""What the wall says of the Command Center's own stores, from what the leader noted (F4, F10, F22), in both languages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from config.loading import load
from config.settings import SHIPPED
from dashboard.alarms.stores import store_alarms
from dashboard.clock import epoch
from dashboard.queries.answers import Context
from dashboard.store.dialect import upsert
from dashboard.store.engine import writing
from dashboard.store.tables import meta
from dashboard.words import Say
from layouts.components.alarm_words import text
from tests.conftest import NOW

AT = epoch(NOW)
SHIPPED_REGENCY = load(SHIPPED)


def said(engine: Engine, key: str, note: dict[str, Any], *, later: timedelta = timedelta()) -> list[tuple[str, str]]:
    """(Indonesian, English) of the alarms after the leader left a note."""
    with writing(engine).begin() as connection:
        upsert(connection, meta, ("key",), {"key": key, "value": json.dumps(note)})
    found, _ = store_alarms(Context(engine, SHIPPED_REGENCY, NOW + later))
    says = Say(SHIPPED_REGENCY, "id"), Say(SHIPPED_REGENCY, "en")
    return [(text(alarm, says[0]), text(alarm, says[1])) for alarm in found]


def test_an_error_of_the_disk_is_said_for_some_hours_f4(engine: Engine) -> None:
    note = {"at": AT, "en": "the disk reports an error", "id": "disk melaporkan kesalahan"}
    assert said(engine, "trouble", note) == [(
        "Command Center: penyimpanan sempat tidak dapat ditulis pukul 10.53",
        "Command Center: the store could not be written for a time at 10:53",
    )]
    assert said(engine, "trouble", note, later=timedelta(hours=7)) == []


def test_a_rebuilt_store_is_said_with_the_backups_time_f10(engine: Engine) -> None:
    note = {"at": AT, "taken_at": AT - 30_000, "backup": "cc-x", "reason": "malformed", "sources": {}}
    assert said(engine, "rebuilt.people", note) == [(
        "Command Center: dibangun ulang dari cadangan 02.33", "Command Center: rebuilt from the backup of 02:33",
    )]


@pytest.mark.parametrize(("note", "alarms"), [
    ({"at": AT - 3600}, 0), ({"at": AT - 2 * 86_400}, 1), ({"failed_at": AT, "en": "x", "id": "x"}, 1),
])
def test_a_missing_backup_is_said_f22(engine: Engine, note: dict[str, Any], alarms: int) -> None:
    assert len(said(engine, "backup", note)) == alarms


def test_wrong_declarations_are_said_with_their_file_f19(engine: Engine) -> None:
    assert said(engine, "declarations", {"at": AT, "file": "uji.toml"}) == [(
        "Command Center: deklarasi salah (uji.toml), yang terakhir benar tetap berlaku",
        "Command Center: declarations are wrong (uji.toml), the last good ones stay in force",
    )]

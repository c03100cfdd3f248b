"""Writers of one process take turns at the store's lock."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from dashboard.store.engine import migrate, open_engine, writing
from dashboard.store.tables import meta

WRITERS, EACH = 24, 12


def test_many_writers_of_one_process_all_get_their_turn(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'figures.sqlite'}")
    migrate(engine)
    failed: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(EACH):
                with writing(engine).begin() as connection:
                    connection.execute(insert(meta).values(key=f"{writer}-{number}", value="x"))
        except BaseException as err:
            failed.append(err)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with engine.connect() as connection:
        keys = set(connection.execute(select(meta.c.key)).scalars())
    assert {f"{writer}-{number}" for writer in range(WRITERS) for number in range(EACH)} <= keys
    engine.dispose()


def test_a_transaction_that_fails_gives_its_turn_back(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'figures.sqlite'}")
    migrate(engine)
    for _ in range(3):
        with pytest.raises(OperationalError, match="nowhere"), writing(engine).begin() as connection:
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")
    with writing(engine).begin() as connection:
        connection.execute(insert(meta).values(key="after", value="x"))
    engine.dispose()

"""SIGKILL at the n-th write, a failing sync, a migration cut short: by strace, at the exact call (F2, F4, F11)."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from dashboard.backup.opening import damage
from tests.backup.house import House, house, until
from tests.product import Product
from tests.traced import count, traced

WRITES = "pwrite64"


def state(home: House, folder: Path) -> None:
    """Keep the stores as they are, to begin each try from the same place."""
    shutil.copytree(home.data, folder)


def again(home: House, folder: Path) -> None:
    """Put the kept stores back."""
    shutil.rmtree(home.data)
    shutil.copytree(folder, home.data)


def killed_at(home: House, numbers: Iterable[int], kept: Path) -> None:
    """Kill a collect at each of these writes: the store is whole, and the next collect makes it true (I1, I2, I9)."""
    for number in numbers:
        again(home, kept)
        done, _ = traced(home.product, ["collect"], WRITES, inject=f"{WRITES}:signal=SIGKILL:when={number}")
        assert done.returncode in (-signal.SIGKILL, 137), f"write {number}: {done.returncode} {done.stderr}"
        assert damage(home.figures) == "", f"write {number}"
        home.product.run("collect")
        assert home.is_true(), f"write {number}"


def prepared(home: House, folder: Path) -> int:
    """A collected store with news waiting at the source; how many writes the next collect makes."""
    home.ledger.cases = dict(list(home.ledger.cases.items())[:60])
    home.product.run("collect")
    home.live(20)
    state(home, folder)
    done, log = traced(home.product, ["collect"], WRITES)
    assert done.returncode == 0, done.stderr
    return count(log, WRITES)


def test_a_collect_killed_at_its_nth_write_loses_and_doubles_nothing_f2(tmp_path: Path) -> None:
    """F2: a sample of n, spread over all writes of one run."""
    with house(tmp_path) as home:
        writes = prepared(home, tmp_path / "kept")
        assert writes > 20
        killed_at(home, range(1, writes, writes // 3), tmp_path / "kept")


@pytest.mark.long
def test_a_collect_killed_at_every_write_loses_and_doubles_nothing_f2(tmp_path: Path) -> None:
    """F2: every n of one run."""
    with house(tmp_path) as home:
        killed_at(home, range(1, prepared(home, tmp_path / "kept")), tmp_path / "kept")


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.short("1")
def test_a_sync_that_fails_ends_the_run_and_the_store_is_whole_f4(tmp_path: Path, number: int) -> None:
    """F4: fsync says EIO: the run says that the disk reports an error, the store is whole, the next run makes it true."""
    with house(tmp_path) as home:
        prepared(home, tmp_path / "kept")
        again(home, tmp_path / "kept")
        done, log = traced(
            home.product, ["collect"], "fdatasync,fsync", inject=f"fdatasync:error=EIO:when={number}"
        )
        assert "INJECTED" in log
        assert done.returncode == 1, done.stdout + done.stderr
        assert "the disk reports an error" in done.stderr
        assert "disk melaporkan kesalahan" in done.stderr
        assert "Traceback" not in done.stderr
        assert damage(home.figures) == ""
        home.product.run("collect")
        assert home.is_true()


@pytest.mark.long
def test_a_running_schedule_survives_a_failing_disk_and_says_so_loudly_f4(tmp_path: Path) -> None:
    """F4: collecting stops, the store is looked at again and again, and it goes on when the disk does."""
    with house(tmp_path) as home:
        home.product.run("collect")
        product = Traced(home.product.folder, home.product.extra)
        process = product.start_traced("schedule", inject="fdatasync:error=EIO:when=12..13")
        try:
            until(lambda: "collecting stops" in product.output(), 60)
            until(lambda: "collecting goes on" in product.output(), 120)
            home.live()
            until(lambda: home.told() == dict(home.ledger.counts()), 150)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
        assert "Traceback" not in product.output()
        assert home.is_true()


class Traced(Product):
    """The product with a command left running under strace."""

    def start_traced(self, *words: str, inject: str):  # type: ignore[no-untyped-def]
        """Its calls are not kept: they would be many."""
        import subprocess
        import sys

        from tests.traced import strace

        with (self.folder / "log.txt").open("ab") as output:
            return subprocess.Popen(
                [strace(), "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", f"inject={inject}",
                 sys.executable, "-m", "dashboard", *words], env=self.environment, cwd=self.folder, stdout=output, stderr=output,
                start_new_session=True,
            )


@pytest.mark.parametrize("number", [1, 3, 9, 30])
@pytest.mark.short("3")
def test_a_migration_killed_half_way_leaves_nothing_half_and_is_done_at_the_next_start_f11(tmp_path: Path, number: int) -> None:
    """F11: all steps are one transaction: after the kill the store has no tables, or all of them."""
    with house(tmp_path) as home:
        traced(home.product, ["verify"], WRITES, inject=f"{WRITES}:signal=SIGKILL:when={number}")
        home.product.run("collect")
        assert home.is_true()


def test_a_store_of_a_newer_version_is_refused_with_what_to_do_f11(tmp_path: Path) -> None:
    """F11: neither run nor changed; both texts say what helps."""
    import sqlite3
    from contextlib import closing

    with house(tmp_path) as home:
        home.product.run("collect")
        with closing(sqlite3.connect(home.figures)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'figures_9999'")
            connection.commit()
        refused = home.product.refused("collect")
        assert "newer version than this program" in refused
        assert "versi yang lebih baru daripada program ini" in refused
        assert "restore a backup" in refused
        with closing(sqlite3.connect(home.figures)) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("figures_9999",)

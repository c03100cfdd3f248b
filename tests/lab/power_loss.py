"""F3, power loss: replay a store's real writes and lose what was not synced, whole or torn, at every call.

    python -m tests.lab.power_loss [--commits 40] [--tries 4] [--lie]

A collector's commits run under strace, which records every ``pwrite64``, ``ftruncate`` and ``fdatasync`` of the store and its
log with its bytes. For every call the disk is then built as a power cut at that instant may leave it: what was synced is there;
of each write after it all, nothing, or some sectors of 512 bytes, in any order. The store must open, be whole, hold every commit
that was acknowledged before the cut, and its counts must be those of its cases. Needs strace; takes some minutes.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.store.engine import migrate, open_engine
from dashboard.store.verify import verify
from tests.store.cases import at, made
from tests.store.reading import REGENCY, collect, total

SECTOR = 512
CASES_PER_COMMIT = 20
CHECKPOINT_EVERY = 7
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((\d+)<([^>]*)>(?:, \"((?:\\x[0-9a-f]{2})*)\"(?:\.\.\.)?)?(?:, (\d+))?(?:, (\d+))?\) += (-?\d+)")


@dataclass
class File:
    """A file on the imagined disk: what is safe, and the writes that may still be lost."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes]] = field(default_factory=list)  # offset, bytes; (size, b"") cuts the file

    def sync(self) -> None:
        """All of it is safe now."""
        for offset, data in self.pending:
            write(self.safe, offset, data)
        self.pending.clear()

    def after_cut(self, chance: random.Random) -> bytes:
        """What a power cut may leave: of every unsynced write all, nothing, or some of its sectors, in any order."""
        left = bytearray(self.safe)
        for offset, data in chance.sample(self.pending, len(self.pending)):
            fate = chance.random()
            if fate < 0.4 or not data:
                write(left, offset, data) if fate < 0.4 else None
            elif fate < 0.7:
                for start in range(0, len(data), SECTOR):
                    if chance.random() < 0.5:
                        write(left, offset + start, data[start : start + SECTOR])
        return bytes(left)


def write(content: bytearray, offset: int, data: bytes) -> None:
    """Put bytes at an offset, or cut the content there when there are none."""
    if not data:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def work(file: Path, commits: int) -> None:
    """The traced process: so many runs of a collector, each acknowledged on standard output."""
    engine = open_engine(f"sqlite:///{file}")
    for number in range(commits):
        collect(engine, [
            made(n, at("2026-11-20T01:00") + n, at("2026-11-21T01:00") + n if n % 3 else None)
            for n in range(number * CASES_PER_COMMIT // 2, number * CASES_PER_COMMIT // 2 + CASES_PER_COMMIT)
        ])
        sys.stdout.write(f"ack {(number * CASES_PER_COMMIT // 2) + CASES_PER_COMMIT}\n")
        sys.stdout.flush()
        if number % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1:
            with engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
                connection.exec_driver_sql("BEGIN")
    engine.dispose()


def check(folder: Path, files: dict[str, File], chance: random.Random, acknowledged: int) -> str:
    """Build the disk after a cut and look at the store; what is wrong, or nothing."""
    place = folder / "cut"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name, file in files.items():
        (place / name).write_bytes(file.after_cut(chance))
    try:
        with closing(sqlite3.connect(place / "figures.sqlite")) as connection:
            found = connection.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as err:
        found = err
    if found != "ok":
        return str(found)
    engine = open_engine(f"sqlite:///{place / 'figures.sqlite'}")
    try:
        held = total(engine, "received")
        if held < acknowledged:
            return f"{acknowledged} cases were acknowledged, {held} are there"
        differences = verify(engine, REGENCY)
        return str(differences[0]) if differences else ""
    finally:
        engine.dispose()


def main() -> int:
    """Trace, replay, cut at every call; the number of wrong stores."""
    options = argparse.ArgumentParser()
    options.add_argument("--commits", type=int, default=40)
    options.add_argument("--tries", type=int, default=4)
    options.add_argument("--lie", action="store_true", help="a disk that syncs nothing: the control, which must find wrong stores")
    options.add_argument("--work", type=Path)
    asked = options.parse_args()
    if asked.work:
        work(asked.work, asked.commits)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="power-loss-"))
    store, log = folder / "figures.sqlite", folder / "strace.txt"
    engine = open_engine(f"sqlite:///{store}")
    migrate(engine)
    engine.dispose()
    files = {"figures.sqlite": File(bytearray(store.read_bytes())), "figures.sqlite-wal": File()}
    subprocess.run(
        ["strace", "-f", "-y", "-xx", "-s", "200000", "-o", str(log), "-e", "trace=pwrite64,ftruncate,fdatasync,fsync,write",
         sys.executable, "-m", "tests.lab.power_loss", "--work", str(store), "--commits", str(asked.commits)],
        check=True, stdout=subprocess.DEVNULL,
    )
    chance, acknowledged, cuts, lost, wrong = random.Random(3), 0, 0, 0, 0
    for line in log.read_text(encoding="ascii", errors="replace").splitlines():
        call = CALL.match(line)
        if call is None:
            continue
        name, descriptor, path, text, first, second, result = call.groups()
        data = bytes.fromhex(text.replace("\\x", "")) if text else b""
        if name == "write" and descriptor == "1" and data.startswith(b"ack "):
            acknowledged = int(data.split()[1])
        decoded = bytes.fromhex(path.replace("\\x", "")).decode() if path.startswith("\\x") else path
        file = files.get(Path(decoded).name)
        if file is None or int(result) < 0:
            continue
        if name == "pwrite64":
            file.pending.append((int(second), data))
        elif name == "ftruncate":
            file.pending.append((int(first), b""))
        elif name in ("fdatasync", "fsync") and not asked.lie:
            file.sync()
        for _ in range(asked.tries):
            cuts += 1
            lost += bool(any(file.pending for file in files.values()))
            found = check(folder, files, chance, acknowledged)
            if found:
                wrong += 1
                sys.stdout.write(f"cut {cuts} after {name}: {found}\n")
    sys.stdout.write(f"{cuts} power cuts, {lost} of them with unsynced writes, {acknowledged} cases acknowledged: {wrong} wrong\n")
    shutil.rmtree(folder)
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(), 1))

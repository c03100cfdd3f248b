"""Child processes of the bench, and the CPU time that they used, from /proc."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NANOSECONDS = 1e9


@dataclass(frozen=True)
class Cpu:
    """Seconds of CPU: of the main thread (the event loop) and of all the others."""

    loop: float
    others: float

    def __sub__(self, before: Cpu) -> Cpu:
        return Cpu(self.loop - before.loop, self.others - before.others)

    @property
    def whole(self) -> float:
        """Of the process."""
        return self.loop + self.others


def cpu_of(pid: int) -> Cpu:
    """CPU of a process so far. ``schedstat`` counts nanoseconds; without it ``stat`` counts hundredths of a second."""
    spent = {int(task.name): _of_task(task) for task in Path(f"/proc/{pid}/task").iterdir()}
    return Cpu(spent.get(pid, 0.0), sum(seconds for task, seconds in spent.items() if task != pid))


def _of_task(task: Path) -> float:
    try:
        return int((task / "schedstat").read_text().split()[0]) / NANOSECONDS
    except FileNotFoundError:
        pass
    try:
        parts = (task / "stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # a thread that just ended
        return 0.0
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def python(module: str, *words: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    """A module in a process of its own while the block runs; talks by its standard input and output."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
        )
    try:
        yield process
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def heard(process: subprocess.Popen[str], word: str, log: Path) -> str:
    """The rest of the line by which a child says that it is ready. Raises ``RuntimeError`` when it ends instead."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith(word):
        raise RuntimeError(f"{word!r} was not said: {line!r}\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")
    return line.removeprefix(word).strip()

"""The product as a person runs it: its command line in processes of its own, on a declarations folder of the test's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("COMMAND_CENTER_SHARED", ROOT.parent / "shared"))


@dataclass
class Product:
    """A folder with declarations, stores and drop root, and the commands on it."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def drop(self) -> Path:
        return self.folder / "drop"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "",
            "COMMAND_CENTER_CONFIG": str(self.config), "COMMAND_CENTER_DATA": str(self.folder / "var"),
            "COMMAND_CENTER_DROP": str(self.drop), "COMMAND_CENTER_SECRETS": str(self.folder / "secrets"), **self.extra,
        }

    def declare(self, files: Mapping[str, str]) -> None:
        """Write declaration files: name below the folder → TOML."""
        for name, text in files.items():
            path = self.config / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.drop.mkdir(exist_ok=True)

    def run(self, *words: str, code: int = 0, timeout: float = 120) -> str:
        """One command to its end; its standard output. Fails with both outputs when the exit code is another."""
        done = subprocess.run(
            [sys.executable, "-m", "dashboard", *words], env=self.environment, cwd=self.folder, text=True,
            capture_output=True, timeout=timeout, check=False,
        )
        assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, *words: str, timeout: float = 120) -> str:
        """A command that must be refused with exit code 1; both its texts, which hold no traceback."""
        done = subprocess.run(
            [sys.executable, "-m", "dashboard", *words], env=self.environment, cwd=self.folder, text=True,
            capture_output=True, timeout=timeout, check=False,
        )
        assert done.returncode == 1, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def start(self, *words: str, log: str = "log") -> subprocess.Popen[bytes]:
        """A command left running; its output goes to a file in the folder."""
        with (self.folder / f"{log}.txt").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "dashboard", *words], env=self.environment, cwd=self.folder,
                stdout=output, stderr=output, start_new_session=True,
            )

    @contextmanager
    def running(self, *words: str, log: str = "log") -> Iterator[subprocess.Popen[bytes]]:
        """A command running while the block does."""
        process = self.start(*words, log=log)
        try:
            yield process
        finally:
            end(process)

    def output(self, log: str = "log") -> str:
        """What a left-running command printed so far."""
        path = self.folder / f"{log}.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL to the whole session after 10 s."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

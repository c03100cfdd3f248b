"""Start and stop the simulated agencies, and the declarations that point at where they really run.

The shipped ``config/demo`` names fixed ports (8101-8115) and folders; ``overlay`` copies it with the real addresses.
"""

from __future__ import annotations

import json
import os
import re
import secrets as random_secrets
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from dashboard.demo.agency import SYSTEMS
from dashboard.demo.misbehaviour import Switch
from dashboard.demo.systems import disdukcapil, dpmd, khanza

DECLARED_PORTS = {
    "disdukcapil": 8101,
    "dpmptsp": 8102,
    "rsud": 8103,
    "dinkes": 8104,
    "dinsos": 8105,
    "lapor": 8106,
    "dishub": 8107,
    "disnakertrans": 8108,
    "dpmd": 8109,
    "dputrkp2": 8110,
    "khanza": 8111,
    "satudata": 8112,
    "antrean": 8113,
    "mpp": 8114,
    "darurat": 8115,
}
DATABASES = {"disdukcapil": disdukcapil.FILE, "dpmd": dpmd.FILE, "khanza": khanza.FILE}
DECLARED_FOLDER = "var/demo/agencies"
SECRETS = {
    "dpmptsp": "dpmptsp_token", "rsud": "rsud_token", "lapor": "lapor_token", "dishub": "dishub_password",
    "disnakertrans": "disnakertrans_key", "dputrkp2": "dputrkp2_key", "satudata": "satudata_key", "antrean": "antrean_key",
    "mpp": "mpp_key", "darurat": "darurat_token",
}
SWITCH = "misbehave"
"""The file, beside the agencies' folders, that names the kinds of misbehaviour that are on."""
READY_SECONDS = 60.0


@dataclass
class Agencies:
    """The simulated agencies as child processes. They end with this process, however it ends.

    ``folder`` holds a folder of each agency's own, ``drop`` and ``secrets`` are the product's. ``only`` some of them,
    ``options`` further words for their command line, as in ``("--speed", "60")``.
    """

    folder: Path
    drop: Path
    secrets: Path
    days: int = 90
    seed: int = 7322
    only: Sequence[str] = tuple(SYSTEMS)
    options: Sequence[str] = ()
    ports: dict[str, int] = field(default_factory=dict)
    ready: dict[str, dict[str, object]] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> dict[str, str]:
        """Start all of them and wait until each has its history; returns declared address → real address.

        Raises ``RuntimeError`` when one ends or is not ready within a minute.
        """
        for folder in (self.folder, self.drop, self.secrets):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            for name in self.only:
                self._spawn(name)
            deadline = time.monotonic() + READY_SECONDS
            for name in self.only:
                self._wait(name, deadline)
        except BaseException:
            self.stop()
            raise
        return self.addresses

    @property
    def addresses(self) -> dict[str, str]:
        """Declared address → real address, for :func:`overlay`."""
        found = {f"127.0.0.1:{DECLARED_PORTS[name]}": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        for name, file in DATABASES.items():
            found[f"sqlite:///{DECLARED_FOLDER}/{name}/{file}"] = f"sqlite:///{(self.folder / name / file).resolve()}"
        return found

    @property
    def switch(self) -> Switch:
        """Who misbehaves: read and written while they run."""
        return Switch(self.folder / SWITCH)

    def restart(self, name: str) -> None:
        """Start an agency again that ended or was killed, on the port it had."""
        self._spawn(name)
        self._wait(name, time.monotonic() + READY_SECONDS)

    def stop(self) -> None:
        """SIGTERM to all of them; SIGKILL to those still there after five seconds."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        self.processes.clear()

    def __enter__(self) -> Agencies:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self, name: str) -> None:
        words = [
            sys.executable,
            "-m",
            "dashboard.demo.agency",
            name,
            "--port",
            str(self.ports.get(name, 0)),
            "--data",
            str(self.folder / name),
            "--drop",
            str(self.drop),
            "--seed",
            str(self.seed),
            "--days",
            str(self.days),
            "--switch",
            str(self.folder / SWITCH),
            "--with-parent",
            *self.options,
        ]
        if name in SECRETS:
            words += ["--token-file", str(secret_file(self.secrets, SECRETS[name]))]
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        self.processes[name] = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
        )

    def _wait(self, name: str, deadline: float) -> None:
        process = self.processes[name]
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        line = process.stdout.readline() if readable else b""
        if not line:
            raise RuntimeError(f"simulated agency {name} did not start (exit code {process.poll()})")
        self.ready[name] = json.loads(line)
        self.ports[name] = int(json.loads(line)["port"])


def secret_file(folder: Path, name: str) -> Path:
    """The file of a secret, made with a random value and mode 0600 where there is none."""
    path = folder / name
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(random_secrets.token_urlsafe(24))
    return path


def overlay(folder: Path, addresses: Mapping[str, str], target: Path) -> Path:
    """A copy of the declarations in ``folder`` that names the real ``addresses``; returns ``target``.

    The copy extends what ``folder`` extends, by its full path.
    """
    target.mkdir(parents=True, exist_ok=True)
    for old in target.rglob("*.toml"):
        old.unlink()
    for path in sorted(folder.rglob("*.toml")):
        text = path.read_text(encoding="utf-8")
        for declared, real in addresses.items():
            text = text.replace(declared, real)
        text = re.sub(
            r'(?m)^extends\s*=\s*"([^"]*)"',
            lambda found: f"extends = {json.dumps(str((folder / found[1]).resolve()))}",
            text,
        )
        copy = target / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
    return target

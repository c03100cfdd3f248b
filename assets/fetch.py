"""Fetches the front-end files of ``third_party.toml`` by ``npm pack`` into ``third_party/``, checked by SHA-512.

Without npm or without a connection nothing is fetched, the page falls back to the system's typefaces, and this says so;
a package whose hash differs is refused and ends the script with an error.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TIMEOUT_SECONDS = 120


class WrongHash(Exception):
    """A package is not the one that was declared: refuse it."""


def sha512(content: bytes) -> str:
    """The hash of a package as npm writes it: ``sha512-`` and base64."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def unpack(content: bytes, declared: dict[str, Any], target: Path) -> None:
    """Write the declared files of a package into ``target``. Raises :class:`WrongHash` before anything is written."""
    if sha512(content) != declared["sha512"]:
        raise WrongHash(f"{declared['package']}@{declared['version']}: SHA-512 differs from third_party.toml; not used")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as held:
        held.write(content)
        held.seek(0)
        with tarfile.open(fileobj=held) as archive:
            for name in declared["files"]:
                member = archive.extractfile(f"package/{name}")
                if member:
                    (target / Path(name).name).write_bytes(member.read())
            licence = archive.extractfile(f"package/{declared['licence_file']}")
            if licence:
                name = declared["package"].rpartition("/")[2]
                (target / f"{name}-LICENSE.txt").write_bytes(licence.read())


def packed(declared: dict[str, Any], npm: str) -> bytes:
    """The package as npm delivers it. Raises ``subprocess.SubprocessError`` when npm cannot."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [npm, "pack", f"{declared['package']}@{declared['version']}", "--silent", "--ignore-scripts"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
        return next(Path(folder).glob("*.tgz")).read_bytes()


def fetch(declarations: Path = HERE / "third_party.toml", target: Path = HERE / "third_party") -> list[str]:
    """Fetch what is missing; returns a line for each package that could not be fetched (empty: all is there)."""
    missing = []
    npm = shutil.which("npm")
    for name, declared in tomllib.loads(declarations.read_text(encoding="utf-8")).items():
        if all((target / Path(file).name).is_file() for file in declared["files"]):
            continue
        if npm is None:
            missing.append(f"{name}: npm is not installed; the system's typefaces serve")
            continue
        try:
            unpack(packed(declared, npm), declared, target)
        except (subprocess.SubprocessError, OSError, StopIteration) as err:
            missing.append(f"{name}: npm could not fetch it ({type(err).__name__}); the system's typefaces serve")
    return missing


if __name__ == "__main__":
    try:
        sys.stderr.writelines(f"{line}\n" for line in fetch())
    except WrongHash as refused:
        sys.exit(str(refused))

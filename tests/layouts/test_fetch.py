"""The script that fetches the typeface: it refuses another file and goes on without npm."""

from __future__ import annotations

import importlib.util
import io
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture(scope="module")
def fetching() -> ModuleType:
    """The script as a module; assets is not a package."""
    spec = importlib.util.spec_from_file_location("fetching", ASSETS / "fetch.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package() -> bytes:
    """A package as npm packs it."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        for name in ("package/files/a.woff2", "package/LICENSE"):
            entry = tarfile.TarInfo(name)
            entry.size = 4
            archive.addfile(entry, io.BytesIO(b"wOF2"))
    return held.getvalue()


def declared(fetching: ModuleType, content: bytes) -> dict[str, Any]:
    """The declaration of that package."""
    return {
        "package": "@x/a",
        "version": "1.0.0",
        "sha512": fetching.sha512(content),
        "files": ["files/a.woff2"],
        "licence_file": "LICENSE",
    }


def test_declared_files_are_unpacked_with_their_licence(fetching: ModuleType, tmp_path: Path) -> None:
    content = package()
    fetching.unpack(content, declared(fetching, content), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-LICENSE.txt", "a.woff2"]


def test_a_package_with_another_hash_is_refused_before_anything_is_written(
    fetching: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(fetching.WrongHash, match="SHA-512"):
        fetching.unpack(package() + b"x", declared(fetching, package()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_npm_it_says_so_and_nothing_breaks(
    fetching: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fetching.fetch(target=tmp_path / "out") == ["inter: npm is not installed; the system's typefaces serve"]
    assert not (tmp_path / "out").exists()

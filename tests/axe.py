"""axe-core, by npm pack and checked by its hash, for tests only: what keeps people from reading a page."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from assets.fetch import packed, unpack
from tests.third_party import installed

AXE = {
    "package": "axe-core", "version": "4.14.1", "licence": "MPL-2.0",
    "sha512": "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    "files": ["axe.min.js"], "licence_file": "LICENSE",
}
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")}`)"""


@lru_cache(maxsize=1)
def script() -> str:
    """The text of axe; the test is skipped where npm cannot give it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: axe-core cannot be")

    def install(folder: Path) -> None:
        unpack(packed(AXE, npm), AXE, folder)

    try:
        return (installed("axe", [AXE["sha512"]], install) / "axe.min.js").read_text(encoding="utf-8")
    except (subprocess.SubprocessError, StopIteration) as err:
        pytest.skip(f"npm could not fetch axe-core: {type(err).__name__}")


def findings(page: Page) -> list[str]:
    """Serious and critical findings of a page, each with the elements that it is about."""
    page.evaluate(script())
    found: Any = page.evaluate(RUN)
    return list(found)

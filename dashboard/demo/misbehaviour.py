"""How simulated agencies can be made to misbehave while they run: a switch (a file), and what each kind does to an answer.

The file names the kinds that are on, one a line; an agency looks at it whenever time passes. What is wrong in an answer is
done here; what is wrong in a file or a database is done by the system itself (``System.manners``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from dashboard.demo.web import DENIED, Answer, Request


class Kind(NamedTuple):
    """One way of misbehaving: which agency's system does it, and what people will see, in both languages."""

    system: str
    id: str
    en: str


KINDS: Mapping[str, Kind] = {
    "offline": Kind("dishub", "layanan mati", "the service is down"),
    "slow": Kind("disnakertrans", "jawaban menetes pelan", "its answers drip"),
    "login-page": Kind("lapor", "halaman masuk (HTML) dengan status 200", "a login page in HTML, with status 200"),
    "renamed-field": Kind("dpmptsp", "nama isian berganti", "a field has another name"),
    "shrunk": Kind("dinsos", "separuh baris hilang", "half of its rows are gone"),
    "rotated": Kind("rsud", "kredensial diganti (401)", "its credential was changed (401)"),
    "wrong-zone": Kind("dputrkp2", "waktu lokal ditandai UTC", "local time is marked as UTC"),
    "future-row": Kind("dpmd", "satu baris bertanggal lusa", "one row is dated the day after tomorrow"),
    "late-burst": Kind("disdukcapil", "baris tertahan lalu datang sekaligus", "rows are kept back, then come all at once"),
    "duplicate-pages": Kind("satudata", "setiap halaman sama", "every page is the same one"),
    "half-copied": Kind("dinkes", "berkas hari ini tersalin separuh", "today's file stays half copied"),
}
RENAMED = {"tgl_pengajuan": "tanggal_pengajuan"}
PAGING = ("page", "halaman", "offset", "cursor", "setelah")
LOGIN = b"<!doctype html><html><head><title>Masuk</title></head><body><form method='post'>Silakan masuk</form></body></html>"
_LOCAL = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$")


class Switch:
    """The file that says who misbehaves. Without one everybody behaves."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._kinds: frozenset[str] = frozenset()

    def kind_of(self, system: str) -> str:
        """The kind that a system misbehaves in now; ``""`` for none."""
        return next((name for name in self.read() if KINDS[name].system == system), "")

    def read(self) -> frozenset[str]:
        """The kinds that are on; read again only when the file changed. Unknown words count for nothing."""
        try:
            status = os.stat(self.path) if self.path else None
        except FileNotFoundError:
            status = None
        looks = (status.st_mtime_ns, status.st_size) if status else None
        if looks != self._seen and self.path is not None:
            words = self.path.read_text(encoding="utf-8").split() if status else []
            self._seen, self._kinds = looks, frozenset(words) & KINDS.keys()
        return self._kinds

    def write(self, kinds: Iterable[str]) -> None:
        """Let exactly these kinds be on. Raises ``ValueError`` for one that does not exist."""
        wanted = sorted(set(kinds))
        unknown = [name for name in wanted if name not in KINDS]
        if unknown or self.path is None:
            raise ValueError(f"{', '.join(unknown)}: not a way of misbehaving; known: {', '.join(KINDS)}")
        draft = self.path.with_name(f".{self.path.name}.tmp")
        draft.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        os.replace(draft, self.path)


def listed(text: str) -> tuple[str, ...]:
    """The kinds that a word of the command line means: ``all``, ``none``, or names with commas. Raises ``ValueError``."""
    if text in ("all", "none"):
        return tuple(KINDS) if text == "all" else ()
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if unknown := [name for name in names if name not in KINDS]:
        raise ValueError(f"{', '.join(unknown)}: not a way of misbehaving; known: {', '.join(KINDS)}")
    return names


def spoiled(kind: str, request: Request, answer: Callable[[Request], Answer]) -> Answer:
    """What a misbehaving system says instead of its answer."""
    if kind == "offline":
        return Answer(None, 0)
    if kind == "login-page":
        return Answer(None, raw=LOGIN, headers={"Content-Type": "text/html; charset=utf-8"})
    if kind == "rotated":
        return DENIED
    if kind == "duplicate-pages":
        request = replace(request, query={name: value for name, value in request.query.items() if name not in PAGING})
    said = answer(request)
    if kind == "slow":
        return replace(said, drips=True)
    if kind == "renamed-field":
        return replace(said, body=_changed(said.body, RENAMED))
    if kind == "wrong-zone":
        return replace(said, body=_changed(said.body, {}))
    return said


def _changed(value: Any, names: Mapping[str, str]) -> Any:
    """The same with other keys; without any, with local stamps that say they are UTC."""
    if isinstance(value, list):
        return [_changed(item, names) for item in value]
    if isinstance(value, dict):
        return {names.get(key, key): _changed(item, names) for key, item in value.items()}
    if not names and isinstance(value, str) and _LOCAL.match(value):
        return value.removesuffix("+08:00") + "Z"
    return value

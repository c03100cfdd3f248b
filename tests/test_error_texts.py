"""Every error text is read: two languages, a cause and what to do, and nothing of a row, a secret or a traceback in it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from dashboard.__main__ import unexpected
from tests.product import Product

ROOT = Path(__file__).parents[1]
CLASSES = {
    "ProductError", "ConfigError", "StoreError", "LeaseLost", "CollectError", "SourceUnavailable", "SourceRejected", "SourceChanged",
    "SourceHeld",
}
KINDS_OF_HELPERS = {"kind", "_changed", "_failed", "_too_much"}
ACTION = {
    "en": re.compile(
        r"\?|known: |declared: |choose|check|declare|deliver|give|mend|ask for|add |see |swap|try again|tried again|look at|restore|report|"
        r"release|put |set |update|rename|take one away|start it|stops |read once|use |begin it|fill|should send|narrow|or edit|save it anew|delete |^name ",
        re.IGNORECASE),
    "id": re.compile(
        r"\?|yang ada: |dinyatakan: |pilih|periksa|nyatakan|kirim|beri|perbaiki|minta|tambahkan|lihat|tukar|coba lagi|pulihkan|"
        r"laporkan|lepaskan|letakkan|atur |perbarui|ganti|hapus|jalankan ulang|berhenti|dibaca setelah|pakai|awali|isi|sebutkan|harus mengirim"
        r"|mulai |persempit|sunting|simpan ulang", re.IGNORECASE),
}
WHAT_FOLLOWS = re.compile(r"; \{\}$")
"""What to do is filled in there; the provoked messages are read with it (tests/collectors/test_error_messages.py)."""
OF_A_ROW = re.compile(r"\b(row|raw|cells|body|password|traceback|format_exc|params|sighting|value)\b")


class Text(NamedTuple):
    """One error text in the code: where, by which call, in both languages, and what is filled in."""

    where: str
    call: str
    en: str | None
    id: str | None
    filled: str


def flat(node: ast.expr | None) -> str | None:
    """A text with "{}" where something is filled in; ``None`` for what is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return f"{flat(node.left) or '{}'}{flat(node.right) or '{}'}"
    return None


def filled_in(*nodes: ast.expr | None) -> str:
    """The expressions that a text shows."""
    found = [part for node in nodes if node is not None for part in ast.walk(node) if isinstance(part, ast.FormattedValue)]
    return "; ".join(ast.unparse(part.value) for part in found)


def texts() -> Iterator[Text]:
    """Every error that is constructed with a text of its own; one that only passes words on has none."""
    for path in sorted(file for package in ("dashboard", "collectors", "layouts") for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            told = [arg for arg in node.args if flat(arg) is not None and len(re.findall(r"[A-Za-z]{2,}", flat(arg) or "")) > 1]
            if (name in CLASSES or name in KINDS_OF_HELPERS) and told:
                named = next((word.value for word in node.keywords if word.arg == "id"), None)
                other = told[1] if len(told) > 1 else named
                yield Text(f"{path.relative_to(ROOT)}:{node.lineno}", name, flat(told[0]), flat(other), filled_in(told[0], other))


ALL = list(texts())


def test_the_reader_finds_the_texts() -> None:
    assert len(ALL) > 80
    assert {text.call for text in ALL} >= {"ConfigError", "ProductError", "StoreError", "LeaseLost", "SourceChanged", "SourceHeld"}


@pytest.mark.parametrize("text", ALL, ids=lambda text: text.where)
def test_an_error_text_speaks_both_languages_and_says_what_to_do(text: Text) -> None:
    assert text.en, "no English text"
    assert text.id, "no Indonesian text"
    assert text.en != text.id
    assert text.call == "_too_much" or WHAT_FOLLOWS.search(text.en) or ACTION["en"].search(text.en), text.en
    assert text.call == "_too_much" or WHAT_FOLLOWS.search(text.id) or ACTION["id"].search(text.id), text.id


@pytest.mark.parametrize("text", ALL, ids=lambda text: text.where)
def test_an_error_text_shows_nothing_of_a_row_or_a_secret(text: Text) -> None:
    assert not OF_A_ROW.search(text.filled), text.filled


COMMANDS: dict[str, list[str]] = {
    "no source": ["collect", "--source", "x"], "no metric": ["figures", "--metric", "x"], "no grain": ["figures", "--metric", "received", "--grain", "x"],
    "no format": ["figures", "--metric", "received", "--format", "x"], "no screen": ["device", "add", "--place", "x", "--screen", "x"],
    "no device": ["device", "code", "x"], "no agency": ["template", "x"], "no sample": ["new", "agency", "--from", "x.csv"],
    "since after until": ["figures", "--metric", "received", "--since", "2026-02-01", "--until", "2026-01-01"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_fails_says_so_in_two_lines_and_no_traceback(tmp_path: Path, name: str) -> None:
    product = Product(tmp_path)
    product.declare({"regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\n',
                     "agencies/uji.toml": 'name = { id = "Uji", en = "Test" }\nshort_name = "Uji"\n'})
    done = subprocess.run([sys.executable, "-m", "dashboard", *COMMANDS[name]], env=product.environment, cwd=tmp_path, text=True,
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    indonesian, english = done.stderr.strip().splitlines()
    assert indonesian != english
    assert ACTION["id"].search(indonesian), indonesian
    assert ACTION["en"].search(english), english


def test_an_error_of_the_products_own_says_its_kind_and_place_only(tmp_path: Path) -> None:
    try:
        Product(tmp_path).declare({"a\0": "Canary"})
    except ValueError as err:
        text = unexpected(err)
    assert "ValueError tests/product.py:" in text
    assert "Canary" not in text

"""The style sheets of the wall, read without a browser: every rule that sets a size of text, and for whom it is.

A rule says for whom its text is by ``--read``: ``far`` (what makes somebody act: key figures, names, states, alarms) is read
by the farthest viewer, ``near`` (axes, bases, ages; what says nothing) by who steps up to half of that. Scene names after the
word say that only these scenes show it; the sheet ``scene-<name>.css`` is its scene's. The property is inherited, so that a
page can be measured by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"(--[\w-]+):\s*([^;}]+)")
_LENGTH = re.compile(r"calc\((-?[\d.]+) \* var\(--px\)\)")
_MODIFIER = re.compile(r":is\([^()]*\)|:not\([^()]*\)|\.is-[\w-]+|::?[\w-]+(?:\([^()]*\))?")
SHRUNK = ("is-long", "is-longer", "is-longest")
"""What a text gets that is longer than its place: it is smaller there, and near text, whoever it was for."""


@dataclass(frozen=True)
class Rule:
    """One selector with what it declares. ``media``: the condition it stands under, or ``""``; ``at``: its place among all."""

    file: str
    selector: str
    media: str
    declared: Mapping[str, str]
    at: int


@dataclass(frozen=True)
class TextClass:
    """A rule that sets a size. ``pixels`` of a 1080p wall; ``scenes``: those that show it, none for all."""

    rule: Rule
    pixels: float
    reader: str
    scenes: tuple[str, ...]
    shrunk: bool

    @property
    def key(self) -> str:
        """The selector, with the media condition that it stands under."""
        return f"{self.rule.media} {self.rule.selector}".strip()


def split_selectors(text: str) -> list[str]:
    """The selectors of a rule's head; commas inside brackets do not count."""
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [" ".join(part.split()) for part in (*parts, current) if part.strip()]


def rules(sheets: Iterable[tuple[str, str]]) -> Iterator[Rule]:
    """Every selector of sheets (file name, text) in order. Understands plain rules and one level of ``@media``."""
    at = 0
    for file, text in sheets:
        for media, head, body in _blocks(_COMMENT.sub("", text)):
            declared = {key.strip(): value.strip() for key, colon, value in (part.partition(":") for part in _parts(body)) if colon}
            for selector in split_selectors(head):
                yield Rule(file, selector, media, declared, at)
                at += 1


def _parts(body: str) -> list[str]:
    """The declarations of a body; a semicolon inside quotes or brackets (a data address) does not end one."""
    return re.findall(r"""(?:"[^"]*"|'[^']*'|\([^()]*(?:\([^()]*\)[^()]*)*\)|[^;"'()])+""", body)


def _blocks(text: str, media: str = "") -> Iterator[tuple[str, str, str]]:
    at = 0
    while (start := text.find("{", at)) >= 0:
        head, depth, end = text[at:start].strip(), 1, start + 1
        while depth and end < len(text):
            depth += (text[end] == "{") - (text[end] == "}")
            end += 1
        body = text[start + 1 : end - 1]
        if head.startswith("@media"):
            yield from _blocks(body, head.removeprefix("@media").strip())
        elif not head.startswith("@"):
            yield media, head, body
        at = end


@lru_cache(maxsize=4)
def shipped(folder: Path = ASSETS) -> tuple[Rule, ...]:
    """The rules of every style sheet of the assets, in the order in which the page has them."""
    walls = [path for path in sorted(folder.glob("*.css")) if path.name != "replay.css"]  # that page is read at a desk
    return tuple(rules((path.name, path.read_text(encoding="utf-8")) for path in walls))


def tokens(found: Iterable[Rule]) -> dict[str, str]:
    """The custom properties of the wall: of ``:root`` and ``[data-theme="wall"]`` outside any media condition."""
    return {
        key: value for rule in found if rule.media == "" and rule.selector in (":root", '[data-theme="wall"]')
        for key, value in rule.declared.items() if key.startswith("--")
    }


def pixels(value: str, known: Mapping[str, str]) -> float | None:
    """A length in pixels of a 1080p wall: ``calc(52 * var(--px))``, a token of such, ``26px`` inside a drawing; else ``None``."""
    value = value.removesuffix("!important").strip()
    if token := re.fullmatch(r"var\((--[\w-]+)\)", value):
        value = known.get(token[1], "")
    if found := _LENGTH.fullmatch(value):
        return float(found[1])
    return float(value.removesuffix("px")) if re.fullmatch(r"[\d.]+px", value) else None


def bare(selector: str) -> str:
    """A selector without what only says how things stand: ``.fig.is-long`` → ``.fig``."""
    return " ".join(part for part in _MODIFIER.sub("", selector).replace(">", " ").split() if part)


def text_classes(found: Iterable[Rule]) -> list[TextClass]:
    """Every rule of the wall that sets a size, with whom it is for.

    A size in ``em`` is of the smallest size that the sheets give to what it stands in. Raises ``ValueError`` for a size that
    cannot be read.
    """
    every = list(found)
    known = tokens(every)
    readers = {rule.selector: rule.declared["--read"] for rule in every if "--read" in rule.declared}
    sized = [rule for rule in every if "font-size" in rule.declared and not bare(rule.selector).endswith(".shape")]
    whole = [(rule, pixels(rule.declared["font-size"], known)) for rule in sized]
    made = []
    for rule, read in whole:
        size = _relative(rule, whole) if read is None else read
        if floor := re.fullmatch(r"max\([^,]+, (.+)\)", rule.declared["font-size"]):  # .5em, but never under a token
            size = max(size, pixels(floor[1], known) or 0)
        reader, *scenes = _reader(rule, readers).split()
        own = re.fullmatch(r"scene-([\w-]+)\.css", rule.file)
        shown_by = tuple(scenes) or ((own[1],) if own else ())
        made.append(TextClass(rule, size, reader, shown_by, _is_shrunk(rule.selector)))
    return made


def _is_shrunk(selector: str) -> bool:
    return any(f".{name}" in re.sub(r":not\([^()]*\)", "", selector) for name in SHRUNK)


def _relative(rule: Rule, whole: Iterable[tuple[Rule, float | None]]) -> float:
    share = re.search(r"([\d.]+)em", rule.declared["font-size"])
    above = bare(rule.selector).rpartition(" ")[0]
    sizes = [size for other, size in whole if size is not None and bare(other.selector) == above]
    if share is None or not sizes:
        raise ValueError(f"{rule.file}: {rule.selector}: font-size {rule.declared['font-size']} cannot be read")
    return float(share[1]) * min(sizes)


def _reader(rule: Rule, readers: Mapping[str, str]) -> str:
    """For whom a rule's text is: by itself, by the same selector without how things stand, by what it stands in; else near."""
    if "--read" in rule.declared:
        return rule.declared["--read"]
    plain = bare(rule.selector)
    while plain:
        for selector, reader in readers.items():
            if bare(selector) == plain:
                return reader
        plain = plain.rpartition(" ")[0]
    return "near"

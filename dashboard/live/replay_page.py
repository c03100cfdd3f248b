"""The outer page of a replay: mark, replayed time, steps, what was corrected since; in both languages at once.

Plain HTML; the recorded screen stands in the frame ``stage`` at its own size, and ``assets/replay.js`` fills both.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

LANGUAGES = ("id", "en")
STEPS = (
    ("back_minute", "minute", -1, "−1′"), ("back", "change", -1, "◀"), ("forward", "change", 1, "▶"),
    ("forward_minute", "minute", 1, "+1′"),
)
SPEEDS = (1, 10, 60)


def page(words: Mapping[str, Mapping[str, Any]], *, zone: str, zone_name: str, assets: Mapping[str, str]) -> bytes:
    """The HTML. ``words``: language → the section ``replay``; ``assets``: name of a file → its address with its version."""

    def both(key: str) -> str:
        first, second = (html.escape(words[language][key]) for language in LANGUAGES)
        return f'{first} <small lang="en">{second}</small>'

    steps = "".join(
        f'<button data-step="{unit}" data-by="{by}"><i aria-hidden="true">{sign}</i> {both(key)}</button>'
        for key, unit, by, sign in STEPS
    )
    speeds = "".join(f'<button data-speed="{speed}">{speed}×</button>' for speed in SPEEDS)
    spoken = {language: {key: text for key, text in words[language].items() if isinstance(text, str)} for language in LANGUAGES}
    said = html.escape(json.dumps(spoken, ensure_ascii=False))
    mark = " · ".join(html.escape(words[language]["mark"]) for language in LANGUAGES)
    return f"""<!doctype html>
<html lang="id"><head><meta charset="utf-8"><title>{mark}</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="{assets["tokens.css"]}"><link rel="stylesheet" href="{assets["replay.css"]}">
<script defer src="{assets["ages.js"]}"></script><script defer src="{assets["replay.js"]}"></script></head>
<body data-zone="{html.escape(zone)}" data-zone-name="{html.escape(zone_name)}" data-words="{said}">
<header><strong id="mark">{mark}</strong>
<div id="instant"><b id="told"></b><span id="told-en" lang="en"></span></div>
<div id="about"><span>{both("not_now")}</span><span>{both("screen")}: <b id="screen"></b></span>
<span id="thinned" hidden></span></div></header>
<main><div id="stand"><iframe id="stage" title="{mark}" tabindex="-1"></iframe><div id="veil" aria-hidden="true"></div></div>
<section id="gap" role="status" hidden></section></main>
<aside aria-live="polite"><h1>{both("now_title")}</h1><p>{both("now_about")}</p>
<ol id="figures"></ol><p id="same" hidden>{both("same")}</p>
<h2>{both("learnt_title")}</h2><ul id="learnt"></ul><p class="least">{both("not_compared")}</p></aside>
<footer><nav>{steps}<span class="play"><button data-speed="0">{both("pause")}</button>{both("play")} {speeds}</span>
<label>{both("go")} <input type="datetime-local" id="go" step="1"></label></nav>
<p id="failed" role="status" hidden>{both("failed")}</p><p id="ends">{both("ends")} <b id="ends-at"></b></p></footer>
</body></html>
""".encode()

"""The pairing page: what a screen without a principal sees. Neutral, static, in both languages, without a figure."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@lru_cache(maxsize=4)
def script() -> tuple[str, str]:
    """The page's script and its hash for the content security policy."""
    code = (HERE / "enter.js").read_text(encoding="utf-8")
    return code, f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def page(zone: str, words: Mapping[str, Mapping[str, Any]], *, asks: bool = True) -> bytes:
    """The HTML. ``words``: language → the section ``access``. The code comes by the page's script.

    ``asks = False``: a zone that is entered by a link alone, and shows no code of its own.
    """
    code, _ = script()
    style = (HERE / "enter.css").read_text(encoding="utf-8")
    both = {key: " · ".join(html.escape(words[language][key]) for language in ("id", "en")) for key in words["id"]}
    said = {language: {key: html.escape(text) for key, text in words[language].items()} for language in ("id", "en")}
    how = _asking(said) if asks else ""
    pair = f' data-pair="/{zone}/pair"' if asks else ""
    return f"""<!doctype html>
<html lang="id"><head><meta charset="utf-8"><title>{both["title"]}</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"><style>{style}</style></head>
<body data-pairing><main>
<h1>{both["title"]}</h1>
<p>{said["id"]["explain"]} <span lang="en">{said["en"]["explain"]}</span></p>
{how}<form data-enter="/{zone}/enter"{pair}
 data-refused="{both["refused"]}" data-later="{both["later"]}" data-failed="{both["failed"]}">
<label for="code">{both["link"]}</label>
<input id="code" name="code" autocomplete="off" spellcheck="false" maxlength="20">
<button>{both["pair"]}</button>
</form><p role="status"></p>
</main><script>{code}</script></body></html>
""".encode()


def _asking(said: Mapping[str, Mapping[str, str]]) -> str:
    """The place of the code that the screen shows, and how somebody approves it. ``said``: the escaped words."""
    how = "".join(
        f'<div lang="{language}"><p>{each["approve"]}</p><code data-command="command-center device approve {{code}} '
        f'--screen west --place &quot;{each["place"]}&quot;"></code></div>'
        for language, each in said.items()
    )
    left = " · ".join(
        f'<span lang="{language}" data-left="{each["left"]}" data-none="{each["asking"]}"></span>'
        for language, each in said.items()
    )
    return f'<output data-code></output><p class="left">{left}</p>\n<div class="how">{how}</div>\n'


def policy() -> bytes:
    """The page's own content security policy: its one script by hash."""
    return (
        f"default-src 'none'; script-src {script()[1]}; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ).encode()

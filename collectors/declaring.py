"""A proposal as the text of a declaration file: TOML as a person would write it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from collectors.proposal import Proposal
from collectors.sample import Sample

_BARE = re.compile(r"^[A-Za-z0-9_-]+$")


def inline(value: Any) -> str:
    """A value as TOML on one line. Control characters never come here: sample values are cleaned."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(str(key))} = {inline(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(inline(inner) for inner in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else json.dumps(str(value), ensure_ascii=False)


def _key(text: str) -> str:
    return text if _BARE.match(text) else json.dumps(text, ensure_ascii=False)


def source_table(
    source: str, owner: str, sample: Sample, proposal: Proposal, *, timezone: str, network: list[str], auth: Mapping[str, str]
) -> str:
    """The ``[[sources]]`` table. ``owner`` is empty inside an agency's own file."""
    file = sample.connector == "tabular" and "path" in sample.options
    lines = ["[[sources]]", f'id = "{source}"', *([f'owner = "{owner}"'] if owner else []), f'connector = "{sample.connector}"',
             f'kind = "{proposal.kind}"', *(['outcome = "dates"'] if proposal.outcome == "dates" else []),
             f'every = "{"15 minutes" if file else "5 minutes"}"', f'stale_after = "{"2 days" if file else "30 minutes"}"',
             f'timezone = "{timezone}"', *([f"network = {inline(network)}"] if network else []), 'mode = "snapshot"', "",
             "[sources.options]"]
    options = {**sample.options, **({"auth": dict(auth)} if auth else {})}
    lines += [f"{key} = {inline(value)}" for key, value in options.items()]
    lines += ["", "[sources.fields]"]
    lines += [f"{name} = {inline(value)}" for name, value in proposal.fields.items()]
    return "\n".join(lines) + "\n"


def agency_file(name: str, proposal: Proposal, source: str) -> str:
    """A whole agency file: its name, its services, and its source's table."""
    lines = [f"name = {inline({'id': name, 'en': name})}", f"short_name = {inline(name[:24])}", ""]
    for slug, label in proposal.services.items():
        lines += [f"[services.{slug}]", f"name = {inline({'id': label, 'en': label})}",
                  *([f'kind = "{proposal.kind}"'] if proposal.kind != "request" else []), ""]
    return "\n".join(lines) + "\n" + source

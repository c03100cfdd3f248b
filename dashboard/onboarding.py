"""``command-center new agency``: from a sample to a declaration, with all that has to be asked before anything is written.

What is shown are mapped values, and the names of columns that are left out; never a value of such a column, never an id.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from collectors.auth import Auth, credentials
from collectors.connector import CONNECTORS, Page
from collectors.declaring import agency_file, source_table
from collectors.http import Client
from collectors.mapping import Mapped
from collectors.mapping import Mapping as RowMapping
from collectors.proposal import Proposal, propose
from collectors.sample import Sample, read_file, sample_of
from config.loading import load
from dashboard.checking import check
from dashboard.derive import Deriver
from dashboard.errors import ConfigError, ProductError
from dashboard.words import Say

if TYPE_CHECKING:
    from config.declarations import Regency, Source
    from config.settings import Settings

SECONDS = 60.0
SHOWN = 20
LANGUAGES = ("id", "en")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")
NIGHT = (22, 5)
NIGHT_SHARE = 40
PLACEHOLDER = "https://alamat-sumber.invalid/"


@dataclass
class Ask:
    """What an administrator says of a new source. ``origin``: a file or an address; ``address``: where a JSON file came from."""

    origin: str
    agency: str
    name: str = ""
    address: str = ""
    zone: str = ""
    network: list[str] = field(default_factory=list)
    auth: Mapping[str, str] = field(default_factory=dict)
    header_row: int | None = None


@dataclass
class Proposed:
    """A checked proposal: the file it would be, the source as declared, and what the sample's rows become under it."""

    path: Path
    text: str
    source: Source
    regency: Regency
    sample: Sample
    proposal: Proposal
    mapped: Mapped
    notes: list[tuple[str, dict[str, Any]]]


def asked(ask: Ask, language: str) -> Ask:
    """The same, checked. Raises ``ConfigError`` that names the option which is wrong."""
    wrong = ""
    if _SLUG.fullmatch(ask.agency) is None:
        wrong = "--id"
    elif language not in LANGUAGES:
        wrong = "--language"
    else:
        try:
            for network in ask.network:
                ip_network(network)
            Auth.model_validate(ask.auth)
        except ValidationError:
            wrong = "--auth"
        except ValueError:
            wrong = "--network"
    if wrong:
        raise ConfigError(
            "new agency: this value is not understood; see command-center new agency --help",
            "new agency: nilai ini tidak dikenali; lihat command-center new agency --help", key=wrong,
        )
    return ask


def identity(text: str) -> str:
    """An agency's id from what was given: an id, or the name of a file or host."""
    parts = urlsplit(text)
    stem = (parts.hostname or "").split(".")[0] if parts.scheme in ("http", "https") else Path(text).stem
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem.lower())
    return "-".join(filter(None, letters.split("-"))) or "baru"


def proposed(ask: Ask, settings: Settings, regency: Regency, *, now: Callable[[], datetime], panels: list[str]) -> Proposed:
    """Read a sample, propose, check and try the proposal. Writes nothing below the declarations.

    Raises ``CollectError`` when the sample cannot be read, ``ProductError`` when it holds no cases or an answer is missing.
    """
    sample = _sample(ask, settings)
    known = regency.agencies.get(ask.agency)
    proposal = propose(sample, regency, {slug: service.name.id for slug, service in known.services.items()} if known else None)
    say = Say(regency, "en"), Say(regency, "id")
    for needed in ("submitted_at", "case_id"):
        if needed not in proposal.fields:
            raise ProductError(*(f"{sample.where}: propose: {words('onboarding.remarks.readings')}" for words in say))
    zone = ask.zone or regency.timezone
    stem = identity(Path(urlsplit(ask.address or ask.origin).path).stem or "data")
    source_id = stem if stem.startswith(f"{ask.agency}-") else f"{ask.agency}-{'data' if stem == ask.agency else stem}"
    table = source_table(
        source_id, ask.agency if known else "", sample, proposal, timezone=zone, network=ask.network, auth=ask.auth)
    name = f"sources/{source_id}.toml" if known else f"agencies/{ask.agency}.toml"
    text = table if known else agency_file(ask.name or ask.agency, proposal, table)
    whole = _checked(settings.config, name, text, panels)
    source = whole.sources[source_id]
    mapping = RowMapping(source, b"\0" * 32, now)
    page = Page(rows=list(sample.rows), lines=sample.lines, broken=sample.broken)
    mapped = mapping.page(page, 1)
    notes = [*proposal.notes, *_further(ask, sample, mapped, source)]
    return Proposed(settings.config / name, text, source, whole, sample, proposal, mapped, notes)


def _sample(ask: Ask, settings: Settings) -> Sample:
    if not ask.origin.startswith(("http://", "https://")):
        path = Path(ask.origin)
        sample = sample_of(
            read_file(path), path.name, address=ask.address, header_row=ask.header_row,
            drop_path=f"{ask.agency}/*{path.suffix.lower()}",
        )
        if sample.connector == "rest" and not ask.address:
            sample.options["url"] = PLACEHOLDER
        return sample

    def secret(name: str) -> str:
        value = settings.secret(name)
        if value is None:
            raise ConfigError(
                f"connect: the secret {name!r} is not given; set COMMAND_CENTER_SECRET_{name.upper()} or a file of that name",
                f"connect: rahasia {name!r} belum diberikan; atur COMMAND_CENTER_SECRET_{name.upper()} atau berkas bernama itu",
            )
        return value

    headers, basic = credentials(Auth.model_validate(ask.auth), secret)
    networks = tuple(ip_network(network) for network in ask.network)
    with Client(ask.origin, networks=networks, deadline=time.monotonic() + SECONDS) as client:
        answer = client.get(ask.origin, headers=headers, auth=basic)
    return sample_of(
        answer.body, answer.where, address=ask.origin, headers=dict(answer.headers), header_row=ask.header_row)


def _checked(folder: Path, name: str, text: str, panels: list[str]) -> Regency:
    """The declarations with the new file, as ``check`` sees them. Raises the first thing that is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="new-agency-") as made:
        place = Path(made) / name
        place.parent.mkdir()
        place.write_text(text, encoding="utf-8")
        (Path(made) / "regency.toml").write_text(f'extends = "{folder.resolve()}"\n', encoding="utf-8")
        wrong = check(Path(made), options_of={kind: CONNECTORS[kind].options for kind in CONNECTORS}, panels=panels)
        for error in wrong:
            raise ConfigError(error.message, error.message_id, file=name, key=error.key)
        return load(Path(made))


def _further(ask: Ask, sample: Sample, mapped: Mapped, source: Source) -> list[tuple[str, dict[str, Any]]]:
    """What the mapped rows make one ask."""
    notes: list[tuple[str, dict[str, Any]]] = []
    hours = [datetime.fromtimestamp(item.submitted_at, UTC).astimezone(source.zone) for item in mapped.sightings]
    timed = [at for at in hours if (at.hour, at.minute, at.second) != (0, 0, 0)]
    night = sum(at.hour >= NIGHT[0] or at.hour < NIGHT[1] for at in timed)
    if timed and 100 * night > NIGHT_SHARE * len(timed):
        notes.append(("night", {"share": round(100 * night / len(timed)), "zone": source.timezone}))
    if sample.options.get("url") == PLACEHOLDER:
        notes.append(("address", {}))
    elif "path" in sample.options:
        notes.append(("place", {"path": sample.options["path"]}))
    return notes


def show(found: Proposed, console: Console, language: str = "id") -> None:
    """Print the proposal: the file, what is left out and why, what to know, twenty mapped rows, what is put aside."""
    say = Say(found.regency, language)
    console.rule(f"{say('onboarding.proposed')}: {found.path}")
    console.print(found.text, markup=False, highlight=False, soft_wrap=True)
    personal = [f"{name}: {say(f'onboarding.reasons.{reason}')}" for name, reason in found.proposal.personal]
    for key, lines in (("personal", personal), ("unused", [", ".join(found.proposal.unused)] if found.proposal.unused else [])):
        console.print(f"{say(f'onboarding.{key}')}: {'' if lines else say('onboarding.nothing')}", markup=False, style="bold")
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(say("onboarding.notes"), style="bold", markup=False)
    for key, params in found.notes:
        text = say(f"onboarding.remarks.{key}", **{"zone": found.source.timezone, **params})
        console.print(f"  - {text}", markup=False, highlight=False, soft_wrap=True)
    console.print(_table(found, say))
    reasons = Counter((item.field, item.reason) for item in found.mapped.rejected)
    lines_of = {(item.field, item.reason): item.line for item in reversed(found.mapped.rejected)}
    for (name, reason), rows in reasons.most_common():
        told = f"{name}: {reason}" if name else reason
        console.print(say("onboarding.rejected", reason=told, rows=rows, line=lines_of[name, reason]), markup=False, soft_wrap=True)
    if not reasons:
        console.print(say("onboarding.none_rejected", rows=len(found.mapped.sightings)), markup=False, soft_wrap=True)


def _table(found: Proposed, say: Say) -> Table:
    """The first rows as they would be stored: a pseudonym's first letters in the place of the id."""
    deriver = Deriver(found.regency, found.source)
    shown = found.mapped.sightings[:SHOWN]
    stamps = [name for name in ("submitted_at", "accepted_at", "first_response_at", "ended_at") if name in found.source.fields]
    table = Table(title=say("onboarding.table", rows=len(shown)))
    for heading in ("case", "service", *stamps, "ended_as", "channel", "district"):
        table.add_column(heading)
    for seen in shown:
        case = deriver.derive(seen)
        times = [_moment(getattr(case, name), found.regency) for name in stamps]
        table.add_row(seen.key.hex()[:6], case.service, *times, case.ended_as or "-", case.channel, case.district or "-")
    return table


def _moment(at: int | None, regency: Regency) -> str:
    return "-" if at is None else datetime.fromtimestamp(at, regency.zone).strftime("%Y-%m-%d %H:%M")


def write(found: Proposed) -> Path:
    """Write the proposed file. Raises ``ConfigError`` when there is one of that name: nothing is overwritten."""
    if found.path.exists():
        raise ConfigError(
            "write: the file is there already; choose another --id, or edit it",
            "write: berkas sudah ada; pilih --id lain, atau sunting berkas itu", file=str(found.path),
        )
    found.path.parent.mkdir(parents=True, exist_ok=True)
    found.path.write_text(found.text, encoding="utf-8")
    return found.path

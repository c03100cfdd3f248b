"""The pages of one read on their way to the store: checked, mapped, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from collectors.clocks import Plausible
from collectors.connector import Page
from collectors.drops import remembered
from collectors.events import event_rows, sightings_of
from collectors.guards import Seen, check_fields, check_ids, check_rejects, check_total
from collectors.mapping import Mapping
from collectors.plan import Plan
from collectors.remarks import Remarks
from collectors.spool import Spool
from dashboard.cases import Rejected, Sighting
from dashboard.store.staging import PAGE
from dashboard.store.state import SourceState

if TYPE_CHECKING:
    from config.declarations import Source

Part = tuple[list[Sighting], list[Rejected]]
Stored = Callable[[Sequence[bytes]], dict[bytes, Sighting]]


class Pipeline:
    """The pages of one read on their way to the store: checked, mapped, counted; what the end of the run needs is noted."""

    def __init__(
        self, source: Source, state: SourceState, mapping: Mapping, stored: Stored, what: Plan, *, zone: ZoneInfo, started: int
    ) -> None:
        self.source, self.state, self.mapping, self.stored, self.what = source, state, mapping, stored, what
        self.before = Seen.of(state.signature)
        self.remarks = Remarks(source, state.signature.get("unmapped"))
        self.plausible = Plausible(state.signature, zone, started, full=what.full)
        self.seen = Seen()
        self.ids = str(state.signature.get("ids", ""))
        self.files: dict[str, float] = {}
        self.published: float | None = None
        self.earliest = what.earliest
        self.latest: int | None = None
        self.updated: int | None = None
        self.rows = self.rejected = self.pages = 0
        self.total: int | None = None
        self.total_first: int | None = None
        self.moving = False
        self.from_file = False

    def note_page(self, page: Page) -> None:
        """Check a page's fields before anything of it counts, and note what it says of itself."""
        self.pages += 1
        self.rows += len(page.rows) + len(page.broken)
        self.total = page.total if page.total is not None else self.total
        self.total_first = self.total if self.total_first is None else self.total_first
        self.moving = self.moving or page.moving
        self.remarks.note_page(page)
        if page.published_at is not None:
            self.from_file = True
            self.published = max(self.published or 0.0, page.published_at)
        self.files |= page.files
        if page.rows and not self.seen.columns:
            self.seen = check_fields(self.source, page, self.before, released=self.what.released)
            self.ids = check_ids(self.source, page, "" if self.what.released else self.ids)

    def note(self, sightings: Sequence[Sighting]) -> None:
        """Note the stamps that coverage and freshness are told from."""
        for item in sightings:
            self.earliest = item.submitted_at if self.earliest is None else min(self.earliest, item.submitted_at)
            newest = max(item.submitted_at, item.ended_at or 0, item.updated_at or 0)
            self.latest = newest if self.latest is None else max(self.latest, newest)
            if item.updated_at is not None:
                self.updated = max(self.updated or 0, item.updated_at)
            if item.published_at is not None:
                self.published = max(self.published or 0.0, item.published_at)

    def parts(self, pages: Iterator[Page], spool: Spool) -> Iterator[Part]:
        """Mapped parts of the read, one case one sighting. Raises when the source said that more rows are to come."""
        for sightings, rejected in self._folded(pages, spool) if self.mapping.events else self._mapped(pages):
            self.note(sightings)
            self.plausible.note(sightings, rejected)
            self.rejected += len(rejected)
            yield sightings, rejected
        check_total(self.source, self.total, self.rows)

    def _mapped(self, pages: Iterator[Page]) -> Iterator[Part]:
        for page in pages:
            self.note_page(page)
            mapped = self.mapping.page(page, self.pages)
            if self.pages == 1:
                check_rejects(self.source, len(page.rows), mapped.rejected)
            yield mapped.sightings, mapped.rejected

    def _folded(self, pages: Iterator[Page], spool: Spool) -> Iterator[Part]:
        """An event log: all rows are merged by case first, then the cases follow in parts."""
        for page in pages:
            self.note_page(page)
            rows, rejected = event_rows(self.mapping, page, self.pages)
            if self.pages == 1:
                check_rejects(self.source, len(page.rows), rejected)
            spool.merge(self.mapping, rows)
            if rejected:
                yield [], rejected
        cases = sightings_of(self.mapping, spool.events(), whole_from=self.what.whole_from, stored=self.stored)
        while part := list(islice(cases, PAGE)):
            yield [item for item in part if isinstance(item, Sighting)], [item for item in part if isinstance(item, Rejected)]

    def signature(self) -> dict[str, Any] | None:
        """What the next read compares itself with; ``None``: this one showed nothing of it."""
        if not self.seen.columns:
            return None
        signature = {
            **self.remarks.signature(self.seen.joined(self.before).as_dict()), **self.plausible.signature(), "ids": self.ids,
        }
        return {**signature, "files": remembered(self.state.signature.get("files", {}), self.files)} if self.files else signature

    def shifted(self, *, known: bool) -> bool:
        """Whether rows may have slipped between two pages of a list that shrank meanwhile (C3): then it is read once more.

        The source's own total tells; a list without one is read twice the first time.
        """
        if not self.moving or self.pages < 2:
            return False
        if self.total is None or self.total_first is None:
            return not known
        return self.total < self.total_first

    def mark(self, started: int) -> tuple[dict[str, int | None], int | None]:
        """How far the read has come: (position, until when all is known of a source that delivers in order of time)."""
        newest = self.published if "published_at" in self.source.fields else self.updated or self.latest
        position = {"page": self.pages, "updated": self.updated, "earliest": self.earliest}
        return position, None if newest is None else min(int(newest), started)

    def data_until(self, started: int) -> int | None:
        """Until when the read vouches for itself: its own publication stamp, the newest file's, else its start."""
        if self.published is not None:
            return min(int(self.published), started)
        return None if "published_at" in self.source.fields else started

    def covered_until(self, started: int) -> int | None:
        """Until when it covers: a file without a publication stamp of its own up to its latest stamp, else data_until."""
        if self.from_file and "published_at" not in self.source.fields:
            return None if self.latest is None else min(self.latest + 1, started)
        return self.data_until(started)

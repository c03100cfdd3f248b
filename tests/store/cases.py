"""Cases made by hand for tests of the store."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from config.declarations import Source
from dashboard.cases import Case, Codes
from dashboard.clock import epoch

SOURCE = Source.model_validate({
    "id": "uji", "owner": "uji", "connector": "rest", "timezone": "Asia/Makassar", "fields": {"case_id": "id", "submitted_at": "t"},
    "every": "5 minutes", "stale_after": "30 minutes",
})
CODES = Codes(service="x").dumps()


def at(text: str) -> int:
    """Epoch seconds of a UTC moment."""
    return epoch(datetime.fromisoformat(text).replace(tzinfo=UTC))


def made(number: int, submitted: int, ended: int | None = None, **more: Any) -> Case:
    """A case; completed when it has an end and nothing else is said."""
    ended_as = more.pop("ended_as", "completed" if ended is not None else None)
    elapsed = None if ended is None or ended < submitted else ended - submitted
    due = more.pop("due_at", submitted + 86_400)
    values: dict[str, Any] = {
        "agency": "uji", "service": "ktp", "kind": "request", "channel": "online", "district": "73.22.03", "accepted_at": None,
        "first_response_at": None, "closed_by": None, "class_": None, "standard": "1 days", "due_at": due,
        "elapsed_seconds": elapsed, "worked_seconds": None if elapsed is None else elapsed // 3,
        "on_time": ended <= due if ended is not None and ended_as == "completed" else None, "flags": 0, "codes": CODES,
        **more,
    }
    key = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
    return Case(key=key, submitted_at=submitted, ended_at=ended, ended_as=ended_as, **values)

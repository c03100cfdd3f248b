"""Nobody called while people wait: from when that clock runs. The alarm and the service mall judge by the same rule.

A real complaint behind it: Mal Pelayanan Publik Luwu, December 2023, numbers not called for 30 minutes and more.
"""

from __future__ import annotations

from dashboard.clock import local_day
from dashboard.worktime import Calendar


def uncalled_since(calendar: Calendar, at: int, came: int, last: int) -> int | None:
    """Since when nobody was called, at an instant at which people wait: the last call (``last``, 0 for none today), the
    coming of the first of those waiting (``came``) or the opening, whichever came last. ``None`` while it is closed.
    """
    if not calendar.is_open(at):
        return None
    opened = next(opens for opens, closes in calendar.spans(local_day(at, calendar.zone)) if opens <= at < closes)
    return max(opened, came, last)

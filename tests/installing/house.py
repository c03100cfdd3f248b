"""A product whose one source is a ledger, on a wall of two panels; and waiting until it serves."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from contextlib import suppress

from tests.ledger import DECLARATION
from tests.product import Product

FIGURE = "#received_today--figure"
SCREENS = """
[scenes.today]
name = { id = "Hari ini", en = "Today" }
dwell = "4 seconds"
panels = [{ panel = "received_today", area = "received" }, { panel = "sources_strip", area = "sources" }]
[scenes.again]
name = { id = "Lagi", en = "Again" }
dwell = "4 seconds"
panels = [{ panel = "completed_today", area = "completed" }]
[screens.west]
name = "Dinding Barat"
scenes = ["today", "again"]
"""


def declared(product: Product, source_port: int, *, scenes: str = '["today"]') -> None:
    """The declarations: an agency that never closes, its ledger read every second."""
    product.declare({
        "regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n',
        "screens.toml": SCREENS.replace('["today", "again"]', scenes),
        "agencies/uji.toml":
            'name = { id = "Dinas Uji", en = "Test" }\nshort_name = "Uji"\ncalendar = "always"\n\n[[sources]]\n'
            + DECLARATION.format(port=source_port),
    })


def ready(port: int, seconds: float = 90) -> None:
    """Wait until serve is ready. Raises ``AssertionError``."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3):
            return
        time.sleep(0.2)
    raise AssertionError("serve did not become ready")

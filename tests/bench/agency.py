"""An agency's system for the ingest: JSON pages over real loopback HTTP, in a process of its own, made before it is asked.

``python -m tests.bench.agency ROWS PAGE``: says ``port N``; a line on its standard input turns it to its later state, in which
a tenth of the rows has changed.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SERVICES = ("KTP", "KK", "Akta Kelahiran", "Akta Kematian", "KIA", "Pindah")
CHANNELS = ("Loket", "Online", "WhatsApp", "Telepon")
DISTRICTS = ("Masamba", "Baebunta", "Sabbang", "Sukamaju", "Bone-Bone", "Malangke", "Seko", "Rampi", "Mappedeceng")
DAYS = 365
SEED = 7322


def rows_of(count: int) -> list[dict[str, Any]]:
    """Rows in order of submission over a year, a name and an identity number among them that must not be kept."""
    draw = random.Random(SEED)
    now = datetime.now(UTC).replace(microsecond=0)
    step = timedelta(days=DAYS) / count
    rows = []
    for number in range(count):
        submitted = now - timedelta(days=DAYS) + number * step
        ended = submitted + timedelta(hours=draw.lognormvariate(2.6, 0.9))
        done = ended < now
        rows.append({
            "nomor": f"PRM-{number:07d}", "layanan": draw.choice(SERVICES), "kanal": draw.choice(CHANNELS),
            "kecamatan": draw.choice(DISTRICTS), "masuk": _stamp(submitted), "selesai": _stamp(ended) if done else None,
            "status": ("Selesai" if draw.random() > 0.05 else "Batal") if done else "Proses", "nama": "Andi Rahasia",
            "nik": "7322010101900001", "diubah": _stamp(ended if done else submitted),
        })
    return rows


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def changed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows, every tenth with another status or another end."""
    later = [dict(row) for row in rows]
    for number in range(0, len(later), 10):
        row = later[number]
        if row["selesai"] is None:
            row |= {"selesai": row["masuk"], "status": "Selesai"}
        else:
            row["status"] = "Batal" if row["status"] == "Selesai" else "Selesai"
    return later


def bodies(rows: list[dict[str, Any]], size: int) -> list[bytes]:
    """Every page as sent; the last is empty."""
    starts = range(0, len(rows) + 1, size)
    return [json.dumps({"total": len(rows), "data": rows[start : start + size]}).encode() for start in starts]


def main() -> None:
    """Serve until the standard input ends."""
    count, size = int(sys.argv[1]), int(sys.argv[2])
    rows = rows_of(count)
    states = [bodies(rows, size), bodies(changed(rows), size)]
    now = [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            number = int(parse_qs(urlsplit(self.path).query)["page"][0]) - 1
            body = states[now[0]][number]
            head = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
            self.wfile.write(head + body)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"port {server.server_address[1]}", flush=True)
    for line in sys.stdin:
        now[0] = int(line)
        print("turned", flush=True)


if __name__ == "__main__":
    main()

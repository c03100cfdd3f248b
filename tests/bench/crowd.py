"""Five hundred small agencies behind one server, some of which keep every caller waiting: ``python -m tests.bench.crowd SECONDS``.

``/good/<n>`` gives twenty rows at once; ``/slow/<n>`` takes the request and answers nothing for so many seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys

ROWS = [
    {"id": f"R{number}", "jenis": "KTP", "masuk": f"2026-11-{1 + number:02d} 09:00:00", "status": "PROSES"} for number in range(20)
]
BODY = json.dumps({"data": ROWS}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY) + BODY


async def main(seconds: float) -> None:
    """Serve until the standard input ends; the port is said first."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            while (await reader.readline()).strip():
                pass
            if b"/slow/" in line:
                await asyncio.sleep(seconds)
            else:
                writer.write(ANSWER)
                await writer.drain()
        except OSError:  # the caller gave up
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    print(f"port {server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))

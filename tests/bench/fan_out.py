"""Fan-out: the real server with 1, 100 and 500 screens against a bare ASGI server that sends the same bytes at the same rhythm.

A commit a second for 20 seconds, by a collector's own path. CPU is the event loop's thread (what grows with screens); the
threads that ask, draw, watch and record are told apart: what they use must not grow with the screens.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.house import House, house, served
from tests.bench.lines import Line, Options, at_most, number, percentiles, quantile, told
from tests.bench.processes import Cpu, cpu_of, heard, python

COUNTS = (1, 100, 500)
SECONDS = 20
PATH = "/wall/live"


@dataclass(frozen=True)
class Heard:
    """What so many screens received in the window, and what it cost. ``delays``: publish to receipt, milliseconds."""

    screens: int
    cpu: Cpu
    delays: list[float]
    bytes: int
    states: int
    script: dict[str, Any]

    @property
    def per_screen(self) -> float:
        """Milliseconds of the event loop's CPU per screen and second."""
        return self.cpu.loop * 1000 / self.screens / SECONDS


def measure(options: Options) -> list[Line]:
    """Product and bare at each number of screens."""
    counts = (1, 10) if options.quick else COUNTS
    product: dict[int, Heard] = {}
    bare: dict[int, Heard] = {}
    with house(5_000 if options.quick else 40_000) as where:
        where.sessions(max(counts))
        for count in counts:
            print(f"  {count} screens …", file=sys.stderr)
            product[count] = _product(where, count)
            bare[count] = _bare(where.folder, count, product[count].script)
    return [line for count in counts for line in _lines(count, product, bare)]


def _product(where: House, count: int) -> Heard:
    with served(where) as server:
        cookies = [f"{server.cookie}={token}" for token in where.sessions(count)]

        def commit(second: int) -> None:
            where.touch()

        heard_, cpu = window(where.folder, server.port, cookies, server.pid, commit)
        return received(count, cpu, heard_, server.published())


def _bare(folder: Path, count: int, script: dict[str, Any]) -> Heard:
    stamps, log, plan = folder / "bare-stamps.txt", folder / "bare.log", folder / "script.json"
    stamps.write_text("", encoding="ascii")
    plan.write_text(json.dumps(script), encoding="ascii")
    with python("tests.bench.bare", str(plan), str(stamps), log=log) as process:
        port = int(heard(process, "port", log))

        def play(second: int) -> None:
            if second == 0:
                assert process.stdin is not None
                process.stdin.write("play\n")
                process.stdin.flush()

        heard_, cpu = window(folder, port, ["bare=1"] * count, process.pid, play)
        lines = stamps.read_text(encoding="ascii").splitlines()
        return received(count, cpu, heard_, {int(seq): float(at) for seq, at in (line.split() for line in lines)})


def window(folder: Path, port: int, cookies: list[str], pid: int, each_second: Any) -> tuple[dict[str, Any], Cpu]:
    """Connect, then measure for 20 seconds; ``each_second`` is called with 0, 1, … at its beginning."""
    plan, result, log = folder / "plan.json", folder / "result.json", folder / "screens.log"
    plan.write_text(json.dumps({"port": port, "path": PATH, "cookies": cookies}), encoding="utf-8")
    with python("tests.bench.screens", str(plan), str(result), log=log) as screens:
        assert screens.stdin is not None
        heard(screens, "ready", log)
        time.sleep(2)
        screens.stdin.write("begin\n")
        screens.stdin.flush()
        heard(screens, "measuring", log)
        before, began = cpu_of(pid), time.monotonic()
        for second in range(SECONDS):
            each_second(second)
            time.sleep(max(0.0, began + second + 1 - time.monotonic()))
        time.sleep(0.5)
        cpu = cpu_of(pid) - before
        screens.stdin.write("end\n")
        screens.stdin.flush()
        heard(screens, "written", log)
    found = json.loads(result.read_text(encoding="ascii"))
    if found["open"] != len(cookies):
        raise RuntimeError(f"only {found['open']} of {len(cookies)} streams stayed open")
    return found, cpu


def received(count: int, cpu: Cpu, found: dict[str, Any], published: dict[int, float]) -> Heard:
    """``published``: state's number → when the server had it to send. Numbers of the hello are not in the window."""
    began = found["began"]
    delays = [
        (at - published[seq]) * 1000 for screen in found["heard"] for seq, at in screen
        if seq in published and published[seq] >= began
    ]
    chunks = found["chunks"]
    script = {"hello": chunks[0][1], "chunks": [(at - began, body) for at, body in chunks if at >= began]}
    return Heard(count, cpu, delays, found["bytes"], len(delays), script)


def _lines(count: int, product: dict[int, Heard], bare: dict[int, Heard]) -> list[Line]:
    ours, theirs, fewest = product[count], bare[count], min(product)
    ratio = ours.per_screen / theirs.per_screen
    late = quantile(ours.delays, 0.99) / quantile(theirs.delays, 0.99)
    plural = "screen" if count == 1 else "screens"
    per = (
        f"{number(ours.per_screen)} against {number(theirs.per_screen)} ms of CPU per screen and second "
        f"({ours.states / count / SECONDS:.1f} states, {ours.bytes / count / SECONDS / 1000:.1f} kB)"
    )
    how = (
        f"the event loop's thread over {SECONDS} s with a commit a second, from /proc; what is asked and drawn once for all is told "
        f"apart; whole processes: "
        f"{ours.cpu.whole:.2f} s against {theirs.cpu.whole:.2f} s of CPU"
    )
    lines = [
        at_most(f"server CPU per screen, {count} {plural}", ratio, 1.5, "× bare", measured=per, ratio=f"{ratio:.2f} ×", method=how)
        if count > 1 else
        told(f"server CPU per screen, {count} {plural}", measured=per, ratio=f"{ratio:.2f} ×", method=how),
        told(f"publish to receipt, {count} {plural}", ratio=f"{late:.2f} × at p99",
             measured=f"{percentiles(ours.delays)} against {percentiles(theirs.delays)} (p50 / p95 / p99)",
             method="from when the hub (or the bare server) has a state until the last byte of it is in the screen's process; the "
             "screens share this machine's cores with the server"),
    ]
    if count > fewest:
        first, now = product[fewest].cpu.others, ours.cpu.others
        lines.append(told(
            f"computation with {count} screens", measured=f"{now:.2f} s of CPU against {first:.2f} s with {fewest}",
            ratio=f"{now / first:.2f} ×", method="the server's other threads: asking, drawing, encoding, watching, recording",
        ))
    return lines

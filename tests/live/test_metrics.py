"""`/metrics` of a real process: what Prometheus' own tool accepts, named by its conventions."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request

import pytest

from tests.live.conftest import Served


def exposed(served: Served) -> str:
    with urllib.request.urlopen(f"{served.base}/metrics", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return str(answer.read().decode())


def test_promtool_finds_no_fault_in_metrics(served: Served) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    done = subprocess.run(["promtool", "check", "metrics"], input=exposed(served), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_counters_end_in_total_units_are_base_units_and_everything_is_explained(served: Served) -> None:
    text = exposed(served)
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    assert len(kinds) >= 7
    assert set(helps) == set(kinds)
    assert [name for name in kinds if not re.fullmatch(r"command_center_[a-z0-9_]+", name)] == []
    assert {name for name, kind in kinds.items() if kind == "counter"} == {name for name in kinds if name.endswith("_total")}
    assert [name for name in kinds if re.search(r"_(ms|milliseconds|kb|mb|minutes|hours|percent)(_total)?$", name)] == []

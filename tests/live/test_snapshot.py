"""Which instances are asked, when, and what a failing one does to the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from dash import html

from dashboard import clock
from dashboard.live.frames import assemble
from dashboard.live.snapshot import EVERYTHING, Instance, Snapshot
from dashboard.queries.answers import Context, Limits

START = clock.utc(1_795_000_000)


class Panel:
    """A question whose answer the test sets, and how often it was asked."""

    def __init__(self, name: str, reads: set[str], at_most_every: float = 0.0) -> None:
        self.asked = 0
        self.value: Any = 1
        self.changes_at: int | None = None
        self.limits = Limits()
        self.instance = Instance(
            name, self.ask, lambda found: html.B(found.value, id="value"),
            lambda: html.Div("broken", className="panel-failed"), frozenset(reads), at_most_every,
        )

    def ask(self, context: Context) -> SimpleNamespace:
        self.asked += 1
        if isinstance(self.value, Exception):
            raise self.value
        return SimpleNamespace(
            as_of=int(context.now.timestamp()), changes_at=self.changes_at, limits=self.limits, value=self.value
        )


def _at(seconds: float) -> Context:
    return Context(None, None, START + timedelta(seconds=seconds))  # type: ignore[arg-type]


def _names(new: list[Any]) -> list[str]:
    return sorted(said.panel for said in new)


def test_only_what_reads_the_change_is_asked() -> None:
    cases, state = Panel("a", {"cases"}), Panel("b", {"state", "cases"})
    snapshot = Snapshot([cases.instance, state.instance])
    assert _names(snapshot.refresh(_at(0), EVERYTHING)) == ["a", "b"]
    cases.value = state.value = 2
    assert _names(snapshot.refresh(_at(1), {"state"})) == ["b"]
    assert (cases.asked, state.asked) == (1, 2)
    assert snapshot.complete


def test_an_answer_that_says_the_same_is_not_sent_again() -> None:
    panel = Panel("a", {"cases"})
    snapshot = Snapshot([panel.instance])
    snapshot.refresh(_at(0), EVERYTHING)
    assert snapshot.refresh(_at(1), {"cases"}) == []
    assert panel.asked == 2


def test_the_clock_alone_asks_again_when_an_answer_changes() -> None:
    panel = Panel("a", {"cases"})
    panel.changes_at = int(START.timestamp()) + 60
    snapshot = Snapshot([panel.instance])
    snapshot.refresh(_at(0), EVERYTHING)
    panel.changes_at, panel.value = None, 2
    assert snapshot.refresh(_at(59)) == []
    assert snapshot.next_due() == START.timestamp() + 60
    assert _names(snapshot.refresh(_at(60))) == ["a"]
    assert snapshot.next_due() is None


def test_an_answer_that_changes_in_the_past_is_not_asked_without_end() -> None:
    panel = Panel("a", {"cases"})
    panel.changes_at = int(START.timestamp()) - 60
    snapshot = Snapshot([panel.instance])
    snapshot.refresh(_at(0), EVERYTHING)
    snapshot.refresh(_at(0.5))
    assert panel.asked == 1
    snapshot.refresh(_at(1))
    assert panel.asked == 2


def test_a_costly_panel_is_asked_once_a_minute_and_not_forgotten() -> None:
    panel = Panel("a", {"cases"}, at_most_every=60)
    snapshot = Snapshot([panel.instance])
    snapshot.refresh(_at(0), EVERYTHING)
    panel.value = 2
    for second in range(1, 60):
        assert snapshot.refresh(_at(second), {"cases"}) == []
    assert _names(snapshot.refresh(_at(60))) == ["a"]
    assert panel.asked == 2


def test_a_failing_panel_keeps_its_last_answer_and_is_stale() -> None:
    panel, other = Panel("a", {"cases"}), Panel("b", {"cases"})
    snapshot = Snapshot([panel.instance, other.instance])
    panel.limits = Limits(late=int(START.timestamp()) + 900, stale=int(START.timestamp()) + 1800)
    snapshot.refresh(_at(0), EVERYTHING)
    panel.value, other.value = RuntimeError("no"), 2
    new = {said.panel: said for said in snapshot.refresh(_at(10), {"cases"})}
    assert new["a"].failed
    assert new["a"].stale == int(START.timestamp()) + 10
    assert new["a"].drawn.props == {"a--value": {"children": 1}}
    assert new["b"].drawn.props == {"b--value": {"children": 2}}
    assert snapshot.refresh(_at(11), {"cases"}) == []


def test_a_failing_panel_is_tried_again_by_the_clock_and_comes_back() -> None:
    panel = Panel("a", {"cases"})
    snapshot = Snapshot([panel.instance])
    snapshot.refresh(_at(0), EVERYTHING)
    panel.value = RuntimeError("no")
    snapshot.refresh(_at(1), {"cases"})
    panel.value = 3
    new = snapshot.refresh(_at(12))
    assert [(said.failed, said.drawn.props) for said in new] == [(False, {"a--value": {"children": 3}})]


def test_a_panel_that_never_answered_shows_its_error_state() -> None:
    panel = Panel("a", {"cases"})
    panel.value = RuntimeError("no")
    snapshot = Snapshot([panel.instance])
    (said,) = snapshot.refresh(_at(0), EVERYTHING)
    assert said.failed
    assert said.drawn.tree["props"]["className"] == "panel-failed"
    assert snapshot.complete


@pytest.mark.parametrize("value", [float("nan"), html.B("x", id="value")])
def test_a_drawing_that_cannot_be_sent_is_a_failure_of_its_panel(value: Any) -> None:
    panel = Panel("a", {"cases"})
    panel.instance = Instance(
        "a", panel.ask, lambda found: html.Div([html.B(found.value, id="value"), html.I(id="value")]),
        lambda: html.Div(), frozenset({"cases"}),
    )
    panel.value = value
    (said,) = Snapshot([panel.instance]).refresh(_at(0), EVERYTHING)
    assert said.failed


def test_instances_of_one_question_share_its_answer() -> None:
    panel = Panel("a", {"cases"})
    both = [
        Instance(name, panel.ask, panel.instance.draw, panel.instance.failed, panel.instance.reads, 0.0, "the question")
        for name in ("a", "a-en")
    ]
    assert _names(Snapshot(both).refresh(_at(0), EVERYTHING)) == ["a", "a-en"]
    assert panel.asked == 1


def test_quick_panels_do_not_wait_for_a_slow_one() -> None:
    slow, quick = Panel("a", {"cases"}), Panel("b", {"cases"})
    snapshot = Snapshot([slow.instance, quick.instance])
    snapshot.refresh(_at(0), EVERYTHING)
    snapshot.asked_seconds["a"] = 0.3
    slow.value = quick.value = 2
    assert [_names(batch) for batch in snapshot.refreshing(_at(1), {"cases"})] == [["b"], ["a"]]


def test_a_frame_is_the_shape_with_all_its_props() -> None:
    panel = Panel("a", {"cases"})
    (said,) = Snapshot([panel.instance]).refresh(_at(0), EVERYTHING, changed_ms=42)
    assert said.frame.startswith(b"event: frame\nid: 1\ndata: {")
    assert said.frame.endswith(b"}\n\n")
    assert b'"changed_ms":42' in said.frame
    assert assemble(said.drawn.skeleton, said.drawn.props) == said.drawn.tree


def test_a_panel_that_no_screen_shows_rests_and_is_asked_at_once_when_one_does() -> None:
    panel, shown = Panel("a", {"cases"}), []
    snapshot = Snapshot([replace(panel.instance, rests=lambda _: not shown)])
    snapshot.refresh(_at(0), EVERYTHING)
    for second in range(1, 10):
        snapshot.refresh(_at(second), {"cases"})
    assert panel.asked == 1
    snapshot.refresh(_at(10), {"cases"})
    assert panel.asked == 2
    shown.append("west")
    snapshot.refresh(_at(11), {"cases"})
    assert panel.asked == 3

"""What every panel says now: asked once, drawn once, encoded once, whatever the number of screens that show it.

An instance is asked again when what it reads changed or when the clock alone would change its answer (``changes_at``).
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from dashboard.live.frames import Drawn, digest, encode, pages_in, split
from dashboard.queries.answers import Context

log = structlog.get_logger("snapshot")

EVERYTHING: frozenset[str] = frozenset({"everything"})
"""A change after which every instance is asked again."""
BATCH_SECONDS = 0.02
"""What is drawn goes to the screens at least this often while more is being asked."""
RESTING_SECONDS = 10.0
"""How often a panel is asked that no screen shows in the present mode: it is there at once, and little behind, when one does."""
FAILED_AGAIN_SECONDS = 10
"""How soon a panel that failed is asked again by the clock."""


@dataclass(frozen=True)
class Instance:
    """A panel with its parameters and language, ready to be asked.

    ``ask(context)`` gives an answer with ``as_of``, ``changes_at`` and ``limits``; ``draw(answer)`` a component;
    ``failed()`` what a panel looks like that never had an answer. ``reads``: words of ``changed.what``.
    ``at_most_every``: seconds. ``pins(answer)``: the rule of a critical alarm, else "".
    ``rests(now)``: whether no screen shows it in the present mode.
    Instances with the same ``question`` share one answer (languages, an alarm's strip and list).
    """

    id: str
    ask: Callable[[Context], Any]
    draw: Callable[[Any], Any]
    failed: Callable[[], Any]
    reads: frozenset[str]
    at_most_every: float = 0.0
    question: Hashable = None
    pins: Callable[[Any], str] | None = None
    rests: Callable[[float], bool] | None = None


@dataclass(frozen=True)
class Said:
    """What an instance said last. ``late``/``stale``: epoch seconds; ``changed_ms``: the change that caused it, if any.

    ``failed``: the last good answer with its staleness forced, or the panel's own error state when there is none.
    ``frame`` is the whole server-sent event, ``said`` names its content (what did not change is not sent again).
    """

    panel: str
    seq: int
    drawn: Drawn
    as_of: int
    late: int | None
    stale: int | None
    changed_ms: int | None
    failed: bool
    pages: int
    said: str
    frame: bytes
    props: bytes
    pins: str = ""

    def tree_body(self) -> bytes:
        """The answer of ``/wall/panel/<instance>``: the whole tree with the shape and the marks of this state."""
        return encode({
            "panel": self.panel, "seq": self.seq, "shape": self.drawn.shape, "as_of": self.as_of, "said": self.said,
            "limits": {"late": self.late, "stale": self.stale}, "failed": self.failed, "tree": self.drawn.tree,
        })


def event(name: str, data: bytes, seq: int | None = None) -> bytes:
    """One server-sent event."""
    number = b"" if seq is None else b"id: %d\n" % seq
    return b"event: %s\n%sdata: %s\n\n" % (name.encode(), number, data)


def _say(
    panel: str, seq: int, drawn: Drawn, *, as_of: int, late: int | None, stale: int | None, changed_ms: int | None,
    failed: bool = False, pins: str = "",
) -> Said:
    props = encode(drawn.props)
    limits = encode({"late": late, "stale": stale})
    head = encode({
        "panel": panel, "seq": seq, "shape": drawn.shape, "as_of": as_of, "changed_ms": changed_ms, "failed": failed,
    })
    said = digest(drawn.shape.encode() + props + limits + (b"!" if failed else b"") + pins.encode())
    body = head[:-1] + b',"said":"' + said.encode() + b'","limits":' + limits + b',"props":' + props + b"}"
    return Said(
        panel=panel, seq=seq, drawn=drawn, as_of=as_of, late=late, stale=stale, changed_ms=changed_ms, failed=failed,
        pages=pages_in(drawn), said=said, frame=event("frame", body, seq), props=props, pins=pins,
    )


class Snapshot:
    """The states of all instances. One thread asks (:meth:`refresh`); others read :attr:`states` (always replaced)."""

    def __init__(self, instances: Iterable[Instance], *, seq: int = 0) -> None:
        self.instances = {instance.id: instance for instance in instances}
        self.states: dict[str, Said] = {}
        self.seq = seq
        self.asked_seconds: dict[str, float] = {}
        self.failures = 0
        self._asked_at: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    @property
    def complete(self) -> bool:
        """Whether every instance said something once."""
        return len(self.states) == len(self.instances)

    def next_due(self) -> float | None:
        """Epoch seconds at which the clock alone asks the next instance; ``None`` when none waits."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def refresh(
        self, context: Context, changed: Collection[str] = frozenset(), changed_ms: int | None = None
    ) -> list[Said]:
        """Ask every instance that reads something in ``changed`` or is due, once; what says something else comes back.

        ``context.now`` is the instant of the question. A failing panel never harms its neighbours: it says what it said
        last, marked as failed and stale.
        """
        return [said for batch in self.refreshing(context, changed, changed_ms) for said in batch]

    def refreshing(
        self, context: Context, changed: Collection[str] = frozenset(), changed_ms: int | None = None
    ) -> Iterator[list[Said]]:
        """The same in batches, those that cost least first, so that a quick tile does not wait for a slow list."""
        now = context.now.timestamp()
        for instance in self.instances.values():
            if changed is EVERYTHING or instance.reads.intersection(changed):
                self._wait(instance.id, now, self._asked_at.get(instance.id, 0.0) + self._pause(instance, now))
        due = []
        while (at := self.next_due()) is not None and at <= now:
            due.append(heapq.heappop(self._heap)[1])
            del self._due[due[-1]]
        answers: dict[Hashable, Any] = {}
        new: list[Said] = []
        began = time.perf_counter()
        for name in sorted(due, key=lambda name: self._cost(name)):
            if new and time.perf_counter() - began + self._cost(name) > BATCH_SECONDS:
                yield new
                new, began = [], time.perf_counter()
            said = self._ask(self.instances[name], context, changed_ms, answers)
            before = self.states.get(name)
            if before is None or before.said != said.said:
                self.states = {**self.states, name: said}
                new.append(said)
        if new:
            yield new

    def _pause(self, instance: Instance, now: float) -> float:
        """Seconds that pass at least between two times an instance is asked."""
        resting = instance.rests is not None and instance.rests(now)
        return max(instance.at_most_every, RESTING_SECONDS) if resting else instance.at_most_every

    def _cost(self, name: str) -> float:
        """What an instance is expected to cost, seconds, by its question's last time."""
        question = self.instances[name].question
        return max((
            seconds for other, seconds in self.asked_seconds.items()
            if other == name or (question is not None and self.instances[other].question == question)
        ), default=0.0)

    def _wait(self, name: str, now: float, earliest: float) -> None:
        """Let an instance be asked at ``earliest``, or now when that is past, unless it is due before."""
        at = max(now, earliest)
        if self._due.get(name, float("inf")) > at:
            self._due[name] = at
            heapq.heappush(self._heap, (at, name))

    def _ask(
        self, instance: Instance, context: Context, changed_ms: int | None, answers: dict[Hashable, Any]
    ) -> Said:
        now, began = context.now.timestamp(), time.perf_counter()
        self._asked_at[instance.id] = now
        self.seq += 1
        try:
            answer = answers.get(instance.question)
            if answer is None:
                answer = instance.ask(context)
                if instance.question is not None:
                    answers[instance.question] = answer
            drawn = split(instance.draw(answer), instance.id)
            said = _say(
                instance.id, self.seq, drawn, as_of=answer.as_of, late=answer.limits.late, stale=answer.limits.stale,
                changed_ms=changed_ms, pins=instance.pins(answer) if instance.pins is not None else "",
            )
            changes_at = answer.changes_at
        except Exception as err:  # noqa: BLE001  (this panel's failure, never its neighbours')
            said, changes_at = self._failed(instance, now, err), now + FAILED_AGAIN_SECONDS
        self.asked_seconds[instance.id] = time.perf_counter() - began
        if changes_at is not None:
            # An instant already past would be asked again without end; a second is the resolution of all stamps.
            self._wait(instance.id, now + 1, max(changes_at, now + self._pause(instance, now)))
        return said

    def _failed(self, instance: Instance, now: float, err: Exception) -> Said:
        before = self.states.get(instance.id)
        if before is None or not before.failed:
            log.warning("panel fails", panel=instance.id, error=f"{type(err).__name__}: {err}")
        self.failures += 1
        if before is not None and before.failed:
            return before
        if before is not None:
            return _say(
                instance.id, self.seq, before.drawn, as_of=before.as_of, late=before.late,
                stale=min(before.stale or int(now), int(now)), changed_ms=None, failed=True, pins=before.pins,
            )
        drawn = split(instance.failed(), instance.id)
        return _say(
            instance.id, self.seq, drawn, as_of=int(now), late=None, stale=int(now), changed_ms=None,
            failed=True,
        )

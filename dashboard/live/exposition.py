"""What ``/metrics`` says of a serve process, read at the moment it is asked for."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard.live.hub import Hub
from dashboard.live.snapshot import Snapshot


class _Serving(Collector):
    def __init__(self, hub: Hub, snapshot: Snapshot) -> None:
        self.hub, self.snapshot = hub, snapshot

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("command_center_screens_connected", "Open live streams.", self.hub.connected)
        yield GaugeMetricFamily("command_center_seq", "Number of the last state published.", self.hub.seq)
        yield CounterMetricFamily("command_center_frames_sent", "Frames sent to screens.", self.hub.sent_frames)
        yield CounterMetricFamily("command_center_bytes_sent", "Bytes of live streams sent.", self.hub.sent_bytes)
        yield CounterMetricFamily("command_center_screens_dropped", "Streams ended as too slow.", self.hub.dropped)
        yield CounterMetricFamily("command_center_panel_failures", "Questions that failed.", self.snapshot.failures)
        asked = GaugeMetricFamily(
            "command_center_ask_seconds", "How long a panel's last question and drawing took.", labels=["panel"]
        )
        for panel, seconds in sorted(self.snapshot.asked_seconds.items()):
            asked.add_metric([panel], seconds)
        yield asked


def metrics(hub: Hub, snapshot: Snapshot) -> CollectorRegistry:
    """A registry of its own for one serve process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Serving(hub, snapshot))
    return registry


def text(registry: CollectorRegistry) -> bytes:
    """The exposition, version 0.0.4."""
    return generate_latest(registry)

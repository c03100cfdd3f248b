"""What ``/metrics`` says of a serve process, read at the moment it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard.live.hub import Hub
from dashboard.live.receipts import Receipts
from dashboard.live.snapshot import Snapshot

FAULTS = ("old", "frozen", "clock", "size", "build")
TOLD = {  # name of the gauge → what a receipt says, and what it is
    "behind_seconds": ("behind_seconds", "How long ago the server gave up the oldest content that the wall paints."),
    "data_age_seconds": ("data_age_seconds", "Age of the oldest data in sight on the wall."),
    "frame_age_seconds": ("frame_seconds", "Since the wall's browser drew its last frame."),
    "heap_bytes": ("heap_bytes", "JavaScript heap of the wall's page."),
    "clock_skew_seconds": ("skew_seconds", "Clock of the wall's computer against the server's."),
    "shown_clock_skew_seconds": ("shown_seconds", "The clock that the wall shows against the server's."),
    "painted_seq": ("seq", "Number of the newest state that the wall painted."),
}


class _Serving(Collector):
    def __init__(self, hub: Hub, snapshot: Snapshot, receipts: Receipts) -> None:
        self.hub, self.snapshot, self.receipts = hub, snapshot, receipts

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
        yield from self._walls()

    def _walls(self) -> Iterable[Metric]:
        """What the walls told this process last, by device; those not heard for an hour are left out."""
        now, heard = self.receipts.now().timestamp(), dict(self.receipts.last)
        faults = Counter(fault for each in heard.values() for fault in each.faults)
        troubled = GaugeMetricFamily("command_center_walls_troubled", "Walls whose last receipt has a fault.", labels=["fault"])
        for fault in FAULTS:
            troubled.add_metric([fault], faults[fault])
        yield troubled
        age = GaugeMetricFamily("command_center_wall_receipt_age_seconds", "Since a wall spoke last.", labels=["device"])
        for device, each in sorted(heard.items()):
            age.add_metric([device], max(0.0, now - each.at))
        yield age
        for name, (key, about) in TOLD.items():
            gauge = GaugeMetricFamily(f"command_center_wall_{name}", about, labels=["device"])
            for device, each in sorted(heard.items()):
                if each.told[key] is not None:
                    gauge.add_metric([device], each.told[key])
            yield gauge


def metrics(hub: Hub, snapshot: Snapshot, receipts: Receipts) -> CollectorRegistry:
    """A registry of its own for one serve process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Serving(hub, snapshot, receipts))
    return registry


def text(registry: CollectorRegistry) -> bytes:
    """The exposition, version 0.0.4."""
    return generate_latest(registry)

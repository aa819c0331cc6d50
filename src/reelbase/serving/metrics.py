"""What this process tells of itself to Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from reelbase.serving.desk import Desk

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What this process has done; series are looked up once for each route, method and status."""

    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method", "code")
        self._seconds = Histogram(
            "reelbase_http_request_duration_seconds", "Requests and how long they took", labels,
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._bytes = Counter(
            "reelbase_http_response_bytes", "Bytes of bodies that were sent", ("route",), registry=self.registry
        )
        self._received = Counter("reelbase_upload_bytes", "Bytes of uploads that have come", registry=self.registry)
        in_use = Gauge("reelbase_pool_in_use", "Questions that are asked or wait", registry=self.registry)
        in_use.set_function(lambda: float(desk.waiting))
        size = Gauge("reelbase_pool_size", "Questions that can be asked at a time", registry=self.registry)
        size.set(desk.limits.connections)
        self._series: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, route: str, method: str, status: int, seconds: float, sent: int) -> None:
        """One request."""
        key = (route, method, status)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self._seconds.labels(route, method, str(status))
        series.observe(seconds)
        if sent:
            self._bytes.labels(route).inc(sent)

    def count_upload(self, size: int) -> None:
        """Bytes of an upload."""
        self._received.inc(size)

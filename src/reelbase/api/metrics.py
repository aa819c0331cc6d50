"""Numbers for Prometheus. Each process tells of its own requests; imports are asked from the database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from reelbase.api.desk import Desk
from reelbase.api.query import Nothing, pairs, parse
from reelbase.database.connect import DictConnection
from reelbase.errors import ReelbaseError
from reelbase.imports import read

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


async def show_metrics(request: Request) -> Response:
    """GET /metrics."""
    parse(Nothing, pairs(request.scope["query_string"]))
    desk: Desk = request.app.state.desk
    metrics: Metrics = request.app.state.metrics
    registry = CollectorRegistry()
    try:
        states, successes = await desk.ask(request, _imports)
        registry.register(_Imports(states, successes))
    except (psycopg.Error, ReelbaseError):
        pass  # what this process knows by itself is told all the same
    body = generate_latest(metrics.registry) + generate_latest(registry)
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"cache-control": "no-store"})


def _imports(connection: DictConnection) -> tuple[dict[str, int], dict[str, float]]:
    return read.states(connection), read.last_successes(connection)


class _Imports:
    """What the database says of imports."""

    def __init__(self, states: dict[str, int], successes: dict[str, float]) -> None:
        self._states = states
        self._successes = successes

    def collect(self) -> Iterator[GaugeMetricFamily]:
        by_state = GaugeMetricFamily("reelbase_imports", "Imports by state", labels=["state"])
        for state, count in self._states.items():
            by_state.add_metric([state], count)
        yield by_state
        last = GaugeMetricFamily(
            "reelbase_import_last_success_timestamp_seconds", "When a dataset was last brought in", labels=["dataset"]
        )
        for dataset, seconds in self._successes.items():
            last.add_metric([dataset], seconds)
        yield last

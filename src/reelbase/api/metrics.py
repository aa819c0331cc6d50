"""Numbers for Prometheus. Each process tells of its own requests; imports are asked from the database."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import psycopg
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from reelbase.errors import ReelbaseError
from reelbase.imports.events import Events
from reelbase.imports.numbers import Numbers, numbers
from reelbase.serving.desk import Desk
from reelbase.serving.metrics import Metrics
from reelbase.serving.query import Nothing, pairs, parse


async def show_metrics(request: Request) -> Response:
    """GET /metrics."""
    parse(Nothing, pairs(request.scope["query_string"]))
    desk: Desk = request.app.state.desk
    metrics: Metrics = request.app.state.metrics
    events: Events = request.app.state.events
    registry = CollectorRegistry()
    Gauge("reelbase_sse_clients", "Clients that watch imports", registry=registry).set(events.watchers)
    # What this process knows by itself is told all the same.
    with contextlib.suppress(psycopg.Error, ReelbaseError):
        registry.register(_Imports(await desk.ask(request, numbers)))
    body = generate_latest(metrics.registry) + generate_latest(registry)
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"cache-control": "no-store"})


class _Imports:
    """What the database says of imports."""

    def __init__(self, found: Numbers) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        found = self._found
        yield _gauge("reelbase_imports", "Imports by state", "state", found.states)
        yield _gauge("reelbase_jobs", "Jobs in the queue by state", "state", found.jobs)
        yield GaugeMetricFamily(
            "reelbase_job_queue_oldest_seconds",
            "For how long the import that waits longest has been waiting",
            value=found.oldest_queued_seconds,
        )
        rows = CounterMetricFamily(
            "reelbase_import_rows", "Records that imports have read", labels=["dataset", "outcome"]
        )
        for labels, count in found.rows.items():
            rows.add_metric(labels, count)
        yield rows
        size = CounterMetricFamily("reelbase_import_bytes", "Bytes, unpacked, that were loaded", labels=["dataset"])
        for dataset, count in found.bytes.items():
            size.add_metric([dataset], count)
        yield size
        durations = SummaryMetricFamily(
            "reelbase_import_duration_seconds", "How long imports took that were completed", labels=["dataset"]
        )
        for dataset, (count, seconds) in found.durations.items():
            durations.add_metric([dataset], count, seconds)
        yield durations
        yield _gauge(
            "reelbase_import_last_success_timestamp_seconds",
            "When a dataset was last brought in",
            "dataset",
            found.last_success,
        )


def _gauge(name: str, says: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family

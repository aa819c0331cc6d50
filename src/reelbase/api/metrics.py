"""Numbers for Prometheus. Each process tells of its own requests; imports are asked from the database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from reelbase.database.connect import DictConnection
from reelbase.errors import ReelbaseError
from reelbase.imports import read
from reelbase.serving.desk import Desk
from reelbase.serving.metrics import Metrics
from reelbase.serving.query import Nothing, pairs, parse


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

"""Figures for Prometheus: operations, statuses, times and counts; no name and no id of anything."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from kinsynth.service.figures import count_objects
from kinsynth.service.platform import Platform

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The figures of one application."""

    def __init__(self, platform: Platform) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kinsynth_requests", "Requests served.", ("operation", "status"), registry=self._registry
        )
        self._times = Histogram(
            "kinsynth_request_seconds",
            "Time to serve a request.",
            ("operation",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Objects(platform))

    def count(self, operation: str, status: int, took_s: float) -> None:
        """Count a request."""
        self._requests.labels(operation, str(status)).inc()
        self._times.labels(operation).observe(took_s)

    def render(self) -> bytes:
        """Give all figures as Prometheus reads them.

        Raises:
            TransientError: ``records.unavailable``.
        """
        return generate_latest(self._registry)


class _Objects:
    """Counts of the database and of this process, asked for at each reading."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand: the database is asked when figures are read."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Give the counts."""
        figures = count_objects(self._platform)
        executions = GaugeMetricFamily("kinsynth_executions", "Executions.", labels=("status",))
        for status, count in figures.executions.items():
            executions.add_metric((status,), count)
        yield executions
        yield GaugeMetricFamily("kinsynth_workers", "Workers that are alive.", figures.workers)
        yield GaugeMetricFamily("kinsynth_users", "Active accounts.", figures.users)
        yield GaugeMetricFamily("kinsynth_artefact_bytes", "Bytes kept as artefacts.", figures.artefact_bytes)
        lost = self._platform.analysts.readers.lost
        yield CounterMetricFamily("kinsynth_readers_lost", "Readers of pages that died or were late.", lost)

"""What a process answered, counted for Prometheus."""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from dynamic_api.web.access_log import Entry

__all__ = ["CONTENT_TYPE_LATEST", "RequestMetrics"]

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where several processes of one `serve` keep their counters
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_PARTS = (
    ("/api/v1/mobile", "phone"),
    ("/api/learn", "learning"),
    ("/api/checkout", "checkout"),
    ("/api/", "api"),
    ("/webhooks/", "webhooks"),
    ("/healthz", "probes"),
    ("/readyz", "probes"),
    ("/metrics", "probes"),
)


class RequestMetrics:
    """Requests by the part of the service that they went to, and by status. Addresses themselves have no bound."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "coursewright_requests", "Requests answered.", ("part", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "coursewright_request_seconds",
            "Time until the last byte of an answer.",
            ("part",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        if SHARED_FOLDER not in os.environ:
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)

    def count(self, entries: Iterable[Entry]) -> None:
        """Count what was answered."""
        for each in entries:
            part = next((name for beginning, name in _PARTS if each.path.startswith(beginning)), "pages")
            self._requests.labels(part, str(each.status)).inc()
            self._seconds.labels(part).observe(each.milliseconds / 1000)

    def text(self, more: Collector) -> bytes:
        """Everything, as Prometheus reads it: of all processes that share a folder, and what `more` adds."""
        registry = CollectorRegistry()
        registry.register(more)
        if SHARED_FOLDER in os.environ:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self._registry) + generate_latest(registry)

"""The signs of an installation as Prometheus reads them. `docs/monitoring.md` has alerts for them."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dynamic_api.health.check import Health


class SignsCollector(Collector):
    """What was asked last; the same answer as `/readyz`."""

    def __init__(self, health: Health, missing_courses: int, now: datetime) -> None:
        self._health, self._missing, self._now = health, missing_courses, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ages are in seconds; what has not happened yet is left out."""
        yield _gauge("coursewright_ready", "1 while the database can be written.", int(self._health.is_ready))
        yield _gauge("coursewright_problems", "Sentences that /readyz has for an operator.", len(self._health.problems))
        yield _gauge(
            "coursewright_missing_courses", "Courses that are owned and not in the course files.", self._missing
        )
        signs = self._health.signs
        if signs is None:
            return
        yield _gauge("coursewright_dead_jobs", "Jobs that were given up.", signs.dead_jobs)
        jobs = GaugeMetricFamily("coursewright_waiting_jobs", "Jobs that are not done, by kind.", labels=["kind"])
        for kind, waiting in signs.waiting.items():
            jobs.add_metric([kind], waiting.count)
        yield jobs
        if signs.free_bytes is not None:
            yield _gauge("coursewright_database_free_bytes", "Free on the disk of the database.", signs.free_bytes)
        ages = {
            "oldest_job": ("How long the job waits that waits longest.", signs.oldest_job),
            "oldest_event": ("How long the oldest event of Stripe waits.", signs.oldest_event),
            "mail": ("Since the last email was handed over.", signs.mailed_at),
            "sweep": ("Since orders were compared with Stripe.", signs.swept_at),
            "clean_up": ("Since the last daily clean-up.", signs.cleaned_at),
            "heartbeat": ("Since this process saved progress.", signs.heartbeat_at),
            "catalog": ("Since the catalogue was taken over.", signs.catalog_at),
        }
        for name, (says, moment) in ages.items():
            if moment is not None:
                age = max(0.0, (self._now - moment).total_seconds())
                yield _gauge(f"coursewright_{name}_age_seconds", says, age)


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)

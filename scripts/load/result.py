"""What a measurement tells."""

from typing import TypedDict


class Route(TypedDict):
    """One kind of request: its rate, as a share of the bare route's, and the processor's time it takes."""

    per_second: int
    ratio: float
    least: float
    most: float
    cpu_us: int
    cpu_ratio: float
    wanted: float | None


class Steady(TypedDict):
    """Heartbeats at a fixed rate: how long they took."""

    learners: int
    heartbeats_per_second: int
    answered: int
    refused: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class Result(TypedDict):
    """Everything."""

    database: str
    rounds: int
    bare_per_second: int
    routes: dict[str, Route]
    watching_at_once: Steady
    memory_mb: dict[str, float]
    refused: int

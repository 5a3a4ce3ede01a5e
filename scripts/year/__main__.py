"""Measures what one learner costs, and multiplies: rows, bytes, requests, processor time and euros of a year.

What is assumed stands in the answer, beside what was measured.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.year.measure import BEATS, Weighed, measure

BEAT_SECONDS = 15


@dataclass(frozen=True)
class Habits:
    """What a learner does in a year, as assumed."""

    lessons: int = 60  # of three courses
    minutes: float = 8.0  # each lesson
    visits: int = 40  # days on which they come
    pages: int = 12  # requests of a visit besides heartbeats
    peak: float = 6.0  # the busiest minute against the average of the year

    @property
    def beats(self) -> float:
        """Heartbeats in a year."""
        return self.lessons * self.minutes * 60 / BEAT_SECONDS

    @property
    def requests(self) -> float:
        """All requests to the service in a year."""
        return self.beats + self.visits * self.pages + 30


@dataclass(frozen=True)
class Prices:
    """Euros, as assumed; ask your own host."""

    core_month: float = 8.0
    gigabyte_month: float = 0.08
    thousand_mails: float = 0.10
    thousand_minutes: float = 0.93  # Stream, delivered
    mails: int = 6  # for each learner


def main() -> None:
    """See `--help`."""
    parser = argparse.ArgumentParser(prog="scripts/bench year", description=__doc__)
    parser.add_argument("--learners", type=int, default=100, help="who are measured")
    parser.add_argument("--million", type=float, default=1.0, help="for how many millions it is multiplied")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coursewright-year-") as name:
        weighed = measure(options.learners, Path(name))
    print(table(weighed, options.million * 1e6))


def table(weighed: Weighed, people: float, habits: Habits | None = None, prices: Prices | None = None) -> str:
    """The answer, as Markdown."""
    habits, prices = habits or Habits(), prices or Prices()
    lines = [
        f"Measured: {weighed.learners} people bought a course, claimed it, signed a phone in and watched its "
        f"{weighed.lessons} lessons with {BEATS} heartbeats each, through the real service on SQLite.",
        "",
        "| table | rows a learner | bytes a learner, with indexes |",
        "|---|---|---|",
    ]
    for name, size in sorted(weighed.bytes.items(), key=lambda item: -item[1]):
        if size >= 1:
            lines.append(f"| {name} | {weighed.rows[name]:.1f} | {size:,.0f} |")
    per_lesson = weighed.bytes.get("progress", 0) / weighed.lessons
    total = sum(weighed.bytes.values()) + per_lesson * (habits.lessons - weighed.lessons)
    cpu = weighed.cpu_seconds / weighed.requests
    year = 365 * 24 * 3600
    average = people * habits.requests / year
    stored = people * total / 1e9
    cores = average * habits.peak * cpu
    minutes = people * habits.lessons * habits.minutes
    euros = {
        "processors at the peak": cores * prices.core_month * 12 * 2,
        "database and a month of backups": stored * 31 * prices.gigabyte_month * 12 / 2,
        "email": people * prices.mails / 1000 * prices.thousand_mails,
        "videos at Stream": minutes / 1000 * prices.thousand_minutes,
    }
    lines += [
        "",
        f"A learner takes {weighed.cpu_seconds:.2f} s of the processor for {weighed.requests} requests "
        f"({cpu * 1e3:.2f} ms each, purchase and password hash included).",
        "",
        f"A year of {people:,.0f} learners; assumed: {habits.lessons} lessons of {habits.minutes:.0f} minutes, "
        f"{habits.visits} visits with {habits.pages} requests, a peak {habits.peak:.0f} times the average.",
        "",
        "| what | figure |",
        "|---|---|",
        f"| rows | {people * (sum(weighed.rows.values()) + habits.lessons - weighed.lessons) / 1e6:,.0f} million |",
        f"| database | {stored:,.1f} GB, {total:,.0f} bytes a learner |",
        f"| requests | {people * habits.requests / 1e9:,.2f} thousand million, {average:,.0f} a second on average |",
        f"| at the peak | {average * habits.peak:,.0f} a second, {cores:,.1f} processors |",
        *(f"| {name} | {amount:,.0f} € |" for name, amount in euros.items()),
        f"| all of it, for each learner | {sum(euros.values()) / people:.2f} € |",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""The report: a page with what happened, charts, and verdicts. Needs nothing but a browser."""

import html
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from scripts.soak.judge import Verdict
from scripts.soak.people import Answer

_WIDTH, _HEIGHT, _STEP = 900, 160, 5.0
_COLOURS = ("#2a6f97", "#c1121f", "#588157", "#7b2cbf")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse}td,th{text-align:start;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8884}"
    "svg{width:100%;height:auto}text{font:12px system-ui;fill:currentColor}.no{color:#c1121f;font-weight:600}"
)

Points = Sequence[tuple[float, float]]


def page(
    title: str,
    answers: Sequence[Answer],
    faults: Sequence[tuple[str, float, float]],
    memory: Mapping[str, Points],
    verdicts: Sequence[Verdict],
    begun: float,
) -> str:
    """One HTML page."""
    end = max((each.at for each in answers), default=begun) - begun
    by_step: dict[int, list[Answer]] = defaultdict(list)
    for each in answers:
        by_step[int((each.at - begun) // _STEP)].append(each)
    steps = sorted(by_step)
    rate = [(step * _STEP, len(by_step[step]) / _STEP) for step in steps]
    failed = [
        (step * _STEP, sum(each.status in (0, *range(500, 600)) for each in by_step[step]) / _STEP) for step in steps
    ]
    median = [(step * _STEP, statistics.median(each.seconds for each in by_step[step]) * 1000) for step in steps]
    slow = [(step * _STEP, _high(by_step[step]) * 1000) for step in steps]
    shown = [(name, start - begun, until - begun) for name, start, until in faults]
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _verdicts(verdicts),
        "<h2>Answers</h2>",
        _chart({"requests a second": rate, "without a good answer": failed}, end, shown),
        _chart({"median, ms": median, "99th percentile, ms": slow}, end, shown),
        _statuses(answers),
        "<h2>Memory</h2>",
        _chart(
            {f"{name}, MB": [(at - begun, value) for at, value in points] for name, points in memory.items()},
            end,
            shown,
        ),
        "<h2>Faults</h2>",
        _table(
            ("at", "seconds", "fault"),
            [(f"{start:.0f} s", f"{until - start:.1f}", name) for name, start, until in shown],
        ),
    ]
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = f"<head>{meta}<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
    return f'<!doctype html><html lang="en">{head}<body>{"".join(parts)}</body></html>'


def _since(begun: float, points: Points) -> Points:
    return [(at - begun, value) for at, value in points]


def _high(answers: Sequence[Answer]) -> float:
    times = sorted(each.seconds for each in answers)
    return times[min(len(times) - 1, int(len(times) * 0.99))]


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    rows = [
        f"<tr><td{'' if each.holds else ' class=no'}>{'✓' if each.holds else '✗'} {html.escape(each.sentence)}</td>"
        f"<td>{html.escape(each.found)}</td></tr>"
        for each in verdicts
    ]
    return f"<table>{''.join(rows)}</table>"


def _statuses(answers: Sequence[Answer]) -> str:
    found = Counter((each.what, each.status) for each in answers)
    rows = [(what, str(status or "none"), str(count)) for (what, status), count in sorted(found.items())]
    return (
        "<details><summary>By request and status</summary>"
        + _table(("request", "status", "times"), rows)
        + "</details>"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(each)}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(each)}</td>" for each in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _chart(lines: Mapping[str, Points], end: float, faults: Sequence[tuple[str, float, float]]) -> str:
    """Lines over time; what was broken meanwhile is grey."""
    top = max((value for points in lines.values() for _, value in points), default=1) or 1
    across, up = _WIDTH / max(end, 1), _HEIGHT / top
    drawn = [
        f'<rect x="{start * across:.1f}" y="0" width="{max(1, (until - start) * across):.1f}" height="{_HEIGHT}" '
        f'fill="#8883"><title>{html.escape(name)}</title></rect>'
        for name, start, until in faults
    ]
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{at * across:.1f},{_HEIGHT - value * up:.1f}" for at, value in points)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        key = f'<tspan fill="{colour}">■</tspan> {html.escape(name)}'
        drawn.append(f'<text x="{8 + 200 * number}" y="{_HEIGHT + 18}">{key}</text>')
    drawn.append(f'<text x="4" y="12">{top:,.0f}</text>')
    label = html.escape(", ".join(lines))
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT + 26}" role="img" aria-label="{label}"'
    return f"<svg {box}>{''.join(drawn)}</svg>"

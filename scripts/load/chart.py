"""The figures, for eyes."""

from typing import Any

_WIDTH = 40


def table(result: dict[str, Any]) -> str:
    """Lines with bars."""
    lines = [
        f"{result['database']}: a bare Starlette JSON route answers {result['bare_per_second']:,} a second; "
        f"beside it, in turn, {result['rounds']} rounds:",
        "",
    ]
    for name, each in result["routes"].items():
        bar = "█" * round(min(1.0, each["ratio"]) * _WIDTH)
        goal = ""
        if result["database"] == "sqlite":  # what is wanted was said of it
            goal = f", wanted {each['wanted']:.2f}: {'ok' if each['ratio'] >= each['wanted'] else 'too slow'}"
        lines.append(
            f"{name:<20} {each['ratio']:.2f} ({each['least']:.2f}-{each['most']:.2f}) {bar:<{_WIDTH}} "
            f"{each['per_second']:>7,}/s{goal}"
        )
    steady = result["watching_at_once"]
    lines += [
        "",
        f"{steady['learners']:,} learners at once, {steady['beats_per_second']:,} beats a second, durable: "
        f"p50 {steady['p50_ms']} ms, p99 {steady['p99_ms']} ms, longest {steady['max_ms']} ms "
        f"({steady['answered']:,} answered).",
        f"Requests that were refused: {result['refused']}.",
    ]
    return "\n".join(lines)


def draw(result: dict[str, Any]) -> str:
    """The ratios as SVG: a bar each, its spread as a line, what is wanted as a mark."""
    rows = []
    for number, (name, each) in enumerate(result["routes"].items()):
        top = 50 + number * 34
        rows.append(f'<text x="150" y="{top + 15}" text-anchor="end">{name}</text>')
        rows.append(f'<rect x="160" y="{top}" width="{each["ratio"] * 500:.0f}" height="20" fill="#24506b"/>')
        rows.append(
            f'<line x1="{160 + each["least"] * 500:.0f}" x2="{160 + each["most"] * 500:.0f}" y1="{top + 10}" '
            f'y2="{top + 10}" stroke="#b5541f" stroke-width="3"/>'
        )
        mark = 160 + each["wanted"] * 500
        rows.append(f'<line x1="{mark}" x2="{mark}" y1="{top - 4}" y2="{top + 24}" stroke="#22252b"/>')
        rows.append(
            f'<text x="{170 + max(each["most"], each["ratio"]) * 500:.0f}" y="{top + 15}">{each["ratio"]}</text>'
        )
    title = f"Requests a second, as a share of a bare route's ({result['database']})"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 240" font-family="system-ui,sans-serif" '
        f'font-size="14"><rect width="760" height="240" fill="#fdfcf9"/><text x="20" y="28">{title}</text>'
        + "".join(rows)
        + "</svg>\n"
    )

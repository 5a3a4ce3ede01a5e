"""The figures, as a table and as a picture."""

from scripts.load.result import Result, Route

_WIDTH = 40


def table(result: Result) -> str:
    """Lines with bars."""
    lines = [
        f"{result['database']}: a bare Starlette JSON route answers {result['bare_per_second']:,} a second; "
        f"beside it, in turn, {result['rounds']} rounds:",
        "",
    ]
    lines += [_line(name, route) for name, route in result["routes"].items()]
    steady = result["watching_at_once"]
    lines += [
        "",
        f"{steady['learners']:,} learners at once, {steady['heartbeats_per_second']:,} heartbeats a second, durable: "
        f"p50 {steady['p50_ms']} ms, p99 {steady['p99_ms']} ms, longest {steady['max_ms']} ms "
        f"({steady['answered']:,} answered, {steady['refused']:,} refused).",
        "Memory: " + ", ".join(f"{megabytes:.0f} MB {when}" for when, megabytes in result["memory_mb"].items()) + ".",
        f"Requests that were refused: {result['refused']}.",
    ]
    return "\n".join(lines)


def _line(name: str, route: Route) -> str:
    bar, goal = "█" * round(min(1.0, route["ratio"]) * _WIDTH), ""
    if route["wanted"] is not None:
        goal = f", wanted {route['wanted']:.2f}: {'ok' if route['ratio'] >= route['wanted'] else 'too slow'}"
    return (
        f"{name:<18} {route['ratio']:.2f} ({route['least']:.2f}-{route['most']:.2f}) {bar:<{_WIDTH}} "
        f"{route['per_second']:>7,}/s, {route['cpu_us']:>4} µs of processor ({route['cpu_ratio']:.2f}){goal}"
    )


def draw(result: Result) -> str:
    """The ratios as SVG: a bar each, its spread as a line, what is wanted as a mark."""
    rows = []
    for number, (name, route) in enumerate(result["routes"].items()):
        top = 50 + number * 34
        rows.append(f'<text x="150" y="{top + 15}" text-anchor="end">{name}</text>')
        rows.append(f'<rect x="160" y="{top}" width="{route["ratio"] * 500:.0f}" height="20" fill="#24506b"/>')
        rows.append(
            f'<line x1="{160 + route["least"] * 500:.0f}" x2="{160 + route["most"] * 500:.0f}" y1="{top + 10}" '
            f'y2="{top + 10}" stroke="#b5541f" stroke-width="3"/>'
        )
        if route["wanted"] is not None:
            mark = 160 + route["wanted"] * 500
            rows.append(f'<line x1="{mark}" x2="{mark}" y1="{top - 4}" y2="{top + 24}" stroke="#22252b"/>')
        end = 170 + max(route["most"], route["ratio"]) * 500
        rows.append(f'<text x="{end:.0f}" y="{top + 15}">{route["ratio"]}</text>')
    title = f"Requests a second, as a share of a bare route's ({result['database']})"
    height = 60 + len(result["routes"]) * 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" font-family="system-ui,sans-serif" '
        f'font-size="14"><rect width="760" height="{height}" fill="#fdfcf9"/><text x="20" y="28">{title}</text>'
        + "".join(rows)
        + "</svg>\n"
    )

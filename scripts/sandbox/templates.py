"""The sandbox's own pages."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse

from sitegen.catalog.money import format_money


@cache
def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)
    environment.filters["money"] = lambda amount, currency: format_money(amount, currency.upper())
    return environment


def page(name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, rendered."""
    return HTMLResponse(_environment().get_template(name).render(values), status)

"""The contract as an OpenAPI 3.1 document, made from the routes themselves. https://spec.openapis.org/oas/v3.1.0"""

import re
from collections.abc import Iterable

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from dynamic_api.core.models import Json
from dynamic_api.web.routing import Audience, Documentation, Route

_COMPONENTS = "#/components/schemas/{model}"
_REFUSALS = {
    401: "Not signed in, or the session has expired.",
    403: "Not entitled, or the token may not do this.",
    404: "Not found, or not published.",
    405: "This address does not support the method.",
    413: "The request body is too large.",
    422: "A field is invalid; `details` says which.",
    429: "Too many requests; `Retry-After` says for how long.",
    500: "Something went wrong on our side.",
}


class Problem(TypedDict, total=False):
    """What was refused, and why. `details` only for validation."""

    code: str
    message: str
    details: dict[str, list[str]]


class Refusal(TypedDict):
    """The one body of every answer that is not 2xx."""

    error: Problem


def openapi(routes: Iterable[Route], base: str, site_url: str) -> Json:
    """The document of these routes, which stand below `base`."""
    described = [(route, route.documentation) for route in routes if route.documentation is not None]
    types: set[type] = {Refusal}
    for _, documentation in described:
        types |= {each for each in (documentation.answer, documentation.body) if each is not None}
    ordered = sorted(types, key=lambda each: (each.__module__, each.__name__))
    schemas, definitions = TypeAdapter.json_schemas(
        [(each, "validation", TypeAdapter(each)) for each in ordered], ref_template=_COMPONENTS
    )
    references = {each: schemas[each, "validation"] for each in ordered}
    paths: dict[str, dict[str, Json]] = {}
    for route, documentation in described:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, documentation, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mobile API", "version": "1", "description": "Frozen: fields may be added, nothing else."},
        "servers": [{"url": f"{site_url}{base}"}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, documentation: Documentation, references: dict[type, Json]) -> Json:
    operation: Json = {
        "operationId": "_".join(re.findall(r"\w+", f"{route.method} {route.path}")).lower(),
        "summary": documentation.purpose,
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "integer", "minimum": 1} if kind else {"type": "string", "minLength": 1},
            }
            for name, kind in re.findall(r"\{(\w+)(:int)?\}", route.path)
        ],
        "responses": {"200": {"description": "Success.", "content": _json(references[documentation.answer])}}
        | {
            str(status): {"description": text, "content": _json(references[Refusal])}
            for status, text in _REFUSALS.items()
        },
    }
    if route.audience is Audience.PHONE:
        operation["security"] = [{"bearer": []}]
    if documentation.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(references[documentation.body])}
    return operation


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}

"""The contract as an OpenAPI 3.1 document, made from the routes themselves. https://spec.openapis.org/oas/v3.1.0"""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dynamic_api.mobile_v1.answers import Refusal
from dynamic_api.routing import Audience, AudienceRoute

_COMPONENTS = "#/components/schemas/{model}"
_REFUSALS = {
    401: "Nobody is signed in, or no longer.",
    403: "Not entitled, or the token may not do this.",
    404: "Not there, or not published.",
    405: "The address does not take this method.",
    413: "The body is larger than any of ours.",
    422: "A field will not do; `details` says which.",
    429: "Too many requests; `Retry-After` says for how long.",
    500: "Something went wrong on our side.",
}


def openapi(routes: Iterable[AudienceRoute], base: str, site_url: str) -> dict[str, Any]:
    """The document of these routes, which stand below `base`."""
    described = [route for route in routes if route.answer is not None]
    models: set[type[BaseModel]] = {Refusal}
    for route in described:
        models |= {model for model in (route.answer, route.body) if model is not None}
    ordered = sorted(models, key=lambda model: (model.__module__, model.__name__))
    names, definitions = models_json_schema([(model, "validation") for model in ordered], ref_template=_COMPONENTS)
    references = {model: names[model, "validation"] for model in ordered}
    paths: dict[str, dict[str, Any]] = {}
    for route in described:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, references)
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


def _operation(route: AudienceRoute, references: dict[type[BaseModel], Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.name}_{len(route.path)}" if route.name == "logout_all" else route.name,
        "summary": (route.purpose or route.name).strip(),
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "integer", "minimum": 1} if kind else {"type": "string", "minLength": 1},
            }
            for name, kind in re.findall(r"\{(\w+)(:int)?\}", route.path)
        ],
        "responses": {"200": {"description": "Fine.", "content": _json(references[route.answer or Refusal])}}
        | {
            str(status): {"description": text, "content": _json(references[Refusal])}
            for status, text in _REFUSALS.items()
        },
    }
    if route.audience is Audience.DEVICE:
        operation["security"] = [{"bearer": []}]
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(references[route.body])}
    return operation


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}

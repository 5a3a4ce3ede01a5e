"""Stripe's wire format: bracketed forms in, JSON out, its errors, its idempotency, its expansion."""

import hashlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from .store import Json, Store, kind_of


class StripeProblem(Exception):
    """An error as Stripe answers it. https://docs.stripe.com/api/errors"""

    def __init__(
        self, status: int, kind: str, message: str, *, code: str | None = None, param: str | None = None, **more: Any
    ) -> None:
        self.status = status
        error = {"type": kind, "message": message, "code": code, "param": param, **more}
        self.body = {"error": {name: value for name, value in error.items() if value is not None}}
        super().__init__(message)


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeProblem:
    """A request Stripe would not take."""
    return StripeProblem(400, "invalid_request_error", message, param=param, code=code)


def missing(kind: str, name: str, *, param: str = "id", status: int = 404) -> StripeProblem:
    """There is no such object."""
    return StripeProblem(
        status, "invalid_request_error", f"No such {kind}: '{name}'", code="resource_missing", param=param
    )


def decode(body: str) -> Json:
    """`a[b][0][c]=1` → {"a": {"b": [{"c": "1"}]}}."""
    root: Json = {}
    for key, value in parse_qsl(body, keep_blank_values=True):
        path = key.replace("]", "").split("[")
        place = root
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return {key: _lists(value) for key, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def refuse_unknown(params: Json, known: Iterable[str]) -> None:
    """Stripe refuses parameters it does not know, and so a typing mistake shows here too."""
    for name in params:
        if name not in {*known, "expand"}:
            raise StripeProblem(
                400,
                "invalid_request_error",
                f"Received unknown parameter: {name}",
                code="parameter_unknown",
                param=name,
            )


def whole(params: Json, name: str, *, least: int = 0) -> int:
    """A whole number of the form."""
    value = str(params.get(name, ""))
    if not value.lstrip("-").isdigit():
        raise invalid(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer")
    if int(value) < least:
        raise invalid("This value must be greater than or equal to " + str(least) + ".", param=name)
    return int(value)


def listing(things: list[Json], url: str, *, limit: int = 10) -> Json:
    """A page of a list."""
    return {"object": "list", "data": things[:limit], "has_more": len(things) > limit, "url": url}


def expanded(store: Store, thing: Json, paths: Iterable[str]) -> Json:
    """A copy in which each path's ids are replaced by their objects. https://docs.stripe.com/expand"""
    result = _without_hidden(store.snapshot(thing))
    for path in paths:
        _expand(store, result, path.split("."))
    return result


def _without_hidden(thing: Json) -> Json:
    """A coupon names its products only where it is asked to."""
    if thing.get("object") == "coupon":
        thing.pop("applies_to", None)
    return thing


def _expand(store: Store, place: Json, path: list[str]) -> None:
    name, rest = path[0], path[1:]
    if name == "line_items" and place["object"] == "checkout.session":
        items = store.snapshot({"data": store.line_items.get(place["id"], [])})["data"]
        place["line_items"] = listing(items, f"/v1/checkout/sessions/{place['id']}/line_items")
        return
    if name == "data" and place["object"] == "list":
        for each in place["data"]:
            _expand(store, each, rest)
        return
    if name == "applies_to" and place["object"] == "coupon":
        place["applies_to"] = store.snapshot(store.objects[place["id"]])["applies_to"]
        return
    if name not in place:
        raise invalid(f"This property cannot be expanded ({name}).", param="expand[0]")
    value = place[name]
    if isinstance(value, str) and kind_of(value):
        place[name] = _without_hidden(store.snapshot(store.objects[value]))
    if rest and isinstance(place[name], dict):
        _expand(store, place[name], rest)


def fingerprint(path: str, body: str) -> str:
    """What an idempotency key is bound to."""
    return hashlib.sha256(f"{path}\n{body}".encode()).hexdigest()

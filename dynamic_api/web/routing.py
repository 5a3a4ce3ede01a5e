"""Routes that say who may call them, and the index that finds them. A route without an audience cannot be made."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from starlette.convertors import Convertor
from starlette.responses import Response
from starlette.routing import compile_path

from dynamic_api.core.errors import ApiError, MethodNotAllowed, NotFound
from dynamic_api.web.requests import Request

Endpoint = Callable[[Request], Awaitable[Response]]
Check = Callable[[Request], Awaitable[None]]


class Audience(StrEnum):
    """Who may call a route."""

    ANYONE = "anyone"
    LEARNER = "a signed-in browser"
    PHONE = "a phone with a bearer token"
    LINK_HOLDER = "anyone with a signed link"
    STRIPE = "Stripe, by its signature"
    MONITOR = "this machine, or a monitor with a token"


@dataclass(frozen=True)
class Documentation:
    """What an API document says of a route: its purpose, and the types of its answer and its body."""

    purpose: str
    answer: type
    body: type | None = None


@dataclass(frozen=True)
class Route:
    """One method of one path. `path` is relative to where the route is mounted."""

    method: str
    path: str
    endpoint: Endpoint
    audience: Audience
    name: str
    documentation: Documentation | None = None


def open_route(method: str, path: str, endpoint: Endpoint, audience: Audience = Audience.ANYONE) -> Route:
    """A route that does not ask who is calling; its audience says what it checks instead."""
    return Route(method, path, endpoint, audience, endpoint.__name__)


def mounted(prefix: str, routes: Iterable[Route]) -> dict[str, list[Route]]:
    """Routes by their whole path."""
    found: dict[str, list[Route]] = {}
    for route in routes:
        found.setdefault(prefix + route.path, []).append(route)
    return found


@dataclass(frozen=True)
class _Pattern:
    regex: re.Pattern[str]
    convertors: Mapping[str, Convertor[object]]
    methods: Mapping[str, Route]


class Router:
    """Finds the route of a path by its number of segments and its first two, instead of trying every pattern."""

    def __init__(self, routes: Mapping[str, Iterable[Route]], unknown: Mapping[str, Check]) -> None:
        """`unknown` says what is checked, by the beginning of the path, before a path without a route is refused."""
        self._exact: dict[str, Mapping[str, Route]] = {}
        self._patterns: dict[tuple[int, str, str], list[_Pattern]] = {}
        self._unknown = dict(unknown)
        for path, each in routes.items():
            methods = {route.method: route for route in each}
            if "GET" in methods:
                methods["HEAD"] = methods["GET"]
            if "{" not in path:
                self._exact[path] = methods
                continue
            regex, _, convertors = compile_path(path)
            self._patterns.setdefault(_key(path), []).append(_Pattern(regex, convertors, methods))

    def find(self, request: Request) -> Endpoint:
        """The endpoint of a request, whose path parameters are set. Raises NotFound, MethodNotAllowed."""
        path, method = request.scope["path"], request.scope["method"]
        methods = self._exact.get(path)
        if methods is None:
            for pattern in self._patterns.get(_key(path), ()):
                match = pattern.regex.match(path)
                if match is not None and (parameters := _converted(match, pattern.convertors)) is not None:
                    request.scope["path_params"], methods = parameters, pattern.methods
                    break
        if methods is not None and method in methods:
            return methods[method].endpoint
        for prefix, check in self._unknown.items():
            if path.startswith(prefix):
                return _refusing(check, methods)
        raise _refusal(methods)


def _refusal(methods: Mapping[str, Route] | None) -> ApiError:
    return NotFound() if methods is None else MethodNotAllowed(tuple(methods))


def _refusing(check: Check, methods: Mapping[str, Route] | None) -> Endpoint:
    async def refuse(request: Request) -> Response:
        await check(request)
        raise _refusal(methods)

    return refuse


def _key(path: str) -> tuple[int, str, str]:
    parts = path.split("/", 3)
    return path.count("/"), parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else ""


def _converted(match: re.Match[str], convertors: Mapping[str, Convertor[object]]) -> dict[str, object] | None:
    try:
        return {name: convertors[name].convert(value) for name, value in match.groupdict().items()}
    except ValueError:  # a number of so many digits that Python refuses to read it
        return None

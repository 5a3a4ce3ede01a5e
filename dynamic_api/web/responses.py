"""Answers: JSON made by orjson with headers that are prepared once, and the shape of every refusal."""

import orjson
from starlette.responses import RedirectResponse, Response

from dynamic_api.core.errors import ApiError

_JSON = (b"content-type", b"application/json")
_PRIVATE = (b"cache-control", b"private, no-store")


class JsonResponse(Response):
    """Data for one person: never cached by anybody else. `content` may be JSON bytes already."""

    def __init__(self, content: object, status_code: int = 200) -> None:
        # Starlette's own constructor takes three times as long.
        self.status_code = status_code
        self.background = None
        self.body = content if isinstance(content, bytes) else orjson.dumps(content)
        self.raw_headers = [(b"content-length", str(len(self.body)).encode()), _JSON, _PRIVATE]


def refusal(error: ApiError) -> JsonResponse:
    """The answer to a request that is refused."""
    response = JsonResponse(error.body(), error.status)
    response.raw_headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    return response


def see_other(url: str) -> Response:
    """A redirect after a form was sent: the browser asks for the other page with GET."""
    return RedirectResponse(url, 303)

"""Answers: JSON made by orjson with headers that are prepared once, and the shape of every refusal."""

import gzip
from collections.abc import Mapping
from hashlib import blake2b

import orjson
from starlette.responses import RedirectResponse, Response

from dynamic_api.core.errors import ApiError
from sitegen.catalog.words import Words

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


def refusal(error: ApiError, words: Words) -> JsonResponse:
    """The answer to a request that is refused."""
    response = JsonResponse(error.body(words), error.status)
    response.raw_headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    return response


WORTH_IT = 1024  # bytes; a smaller body is smaller than what compressing and comparing it cost


def negotiated(response: JsonResponse, headers: Mapping[bytes, bytes]) -> Response:
    """The answer as its client can take it: nothing new (304), or compressed. RFC 9110, 8.8.3 and 12.5.3."""
    etag = b'W/"' + blake2b(response.body, digest_size=12).hexdigest().encode() + b'"'
    response.raw_headers += [(b"etag", etag), (b"vary", b"Accept-Encoding")]
    if etag in headers.get(b"if-none-match", b""):
        unchanged = Response(status_code=304)
        unchanged.raw_headers = [
            each for each in response.raw_headers if each[0] in (b"etag", b"vary", b"cache-control")
        ]
        return unchanged
    if b"gzip" in headers.get(b"accept-encoding", b""):
        response.body = gzip.compress(response.body, compresslevel=4, mtime=0)
        response.raw_headers[0] = (b"content-length", str(len(response.body)).encode())
        response.raw_headers.append((b"content-encoding", b"gzip"))
    return response


def see_other(url: str) -> Response:
    """A redirect after a form was sent: the browser asks for the other page with GET."""
    return RedirectResponse(url, 303)

"""What the browser talks to: pages from memory with a bar below them, and the real service behind /api."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from .phone import phone_page
from .workshop import Problem, Workshop

STATIC = Path(__file__).resolve().parent / "static"
VIEWS = ("visitor", "buyer", "refunded", "phone")
_VIEW = "preview_view"
_SIGNED_IN = "signed_in"
_SNIPPET = '<link rel="stylesheet" href="/-/preview.css">\n<script type="module" src="/-/preview.js"></script>\n</body>'
_DROPPED = {
    "host",
    "connection",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "accept-encoding",
    "cookie",
    "if-none-match",  # the answer gets the text that was just saved, of which the service knows nothing yet
    "if-modified-since",
}


@dataclass(frozen=True)
class People:
    """Tokens of two browsers and a phone; see `people.py`."""

    buyer: str
    refunded: str
    phone: str


@dataclass
class Front:
    """`people` is None until the service runs; `service` is its URL."""

    workshop: Workshop
    service: str
    people: People | None = None
    given: list[tuple[str, str]] = field(default_factory=list)  # the courses that the buyer owns
    stopping: bool = False
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def app(self, lifespan: Callable[..., object]) -> Starlette:
        """The application."""
        routes = [
            Route("/-/events", self._events),
            Route("/-/state", self._state),
            Route("/-/view", self._choose, methods=["POST"]),
            Route("/-/phone", self._phone),
            Route("/-/{name}", self._static),
            Route("/api/{rest:path}", self._forward, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            Route("/webhooks/{rest:path}", self._forward, methods=["POST"]),
            Route("/{path:path}", self._page),
        ]
        return Starlette(routes=routes, lifespan=lifespan)  # type: ignore[arg-type]  # a context manager

    async def announce(self) -> None:
        """Tell every open page that there is something new."""
        async with self._changed:
            self._changed.notify_all()

    async def _page(self, request: Request) -> Response:
        name = request.url.path.lstrip("/")
        if name and not name.endswith("/") and f"{name}/index.html" in self.workshop.files:
            return RedirectResponse(f"/{name}/")
        file = f"{name}index.html" if not name or name.endswith("/") else name
        content = self.workshop.files.get(file)
        status = 200
        if content is None:
            file, status = "404.html", 404
            content = self.workshop.files.get(file, _NOTHING_YET)
        media_type = guess_type(file)[0] or "application/octet-stream"
        if file.endswith(".html"):
            content = content.replace(b"</body>", _SNIPPET.encode(), 1)
        # Assets have their content's hash in their address.
        kept = "max-age=31536000, immutable" if file.startswith("assets/") and status == 200 else "no-store"
        response = Response(content, status, media_type=media_type, headers={"Cache-Control": kept})
        self._hint(request, response)
        return response

    def _hint(self, request: Request, response: Response) -> None:
        """The pages' header reads this cookie to show “Library” or “Sign in”."""
        if self._view(request) in ("buyer", "refunded"):
            response.set_cookie(_SIGNED_IN, "1", path="/")
        elif _SIGNED_IN in request.cookies and "session" not in request.cookies:
            response.delete_cookie(_SIGNED_IN, path="/")

    def _view(self, request: Request) -> str:
        view = request.cookies.get(_VIEW, "visitor")
        return view if view in VIEWS else "visitor"

    async def _choose(self, request: Request) -> Response:
        view = (await request.body()).decode(errors="replace")
        if request.headers.get("origin") != self.workshop.url or view not in VIEWS:
            return PlainTextResponse("No such view.", 400)
        response = Response(status_code=204)
        response.set_cookie(_VIEW, view, path="/", samesite="strict")
        return response

    async def _state(self, request: Request) -> Response:
        return JSONResponse(self._described(self._view(request), request.query_params.get("page", "/")))

    def _described(self, view: str, page: str) -> dict[str, object]:
        workshop = self.workshop
        return {
            "version": workshop.version,
            "view": view,
            "ready": self.people is not None,
            "hidden": page in workshop.hidden,
            "seconds": round(workshop.seconds, 3),
            "problems": [_as_json(each) for each in workshop.problems],
            "notices": [_as_json(each) for each in workshop.notices],
        }

    async def _events(self, request: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            known = -1
            while not self.stopping and not await request.is_disconnected():
                stamp = hash((self.workshop.version, tuple(self.workshop.notices), self.people is not None))
                if stamp != known:
                    known = stamp
                    version = -1 if self.workshop.problems else self.workshop.version
                    yield f"data: {version}\n\n".encode()
                async with self._changed:
                    try:
                        await asyncio.wait_for(self._changed.wait(), 15)
                    except TimeoutError:
                        yield b": still here\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _static(self, request: Request) -> Response:
        path = STATIC / request.path_params["name"]
        if path.parent != STATIC or not path.is_file():
            return PlainTextResponse("Not found.", 404)
        return Response(path.read_bytes(), media_type=guess_type(path.name)[0], headers={"Cache-Control": "no-store"})

    async def _forward(self, request: Request) -> Response:
        """The service's own answer, as the person that the bar says."""
        if self.people is None:
            return JSONResponse({"message": "The service is still starting."}, 503, headers={"Retry-After": "2"})
        cookies = {name: value for name, value in request.cookies.items() if name not in (_VIEW, _SIGNED_IN)}
        if token := {"buyer": self.people.buyer, "refunded": self.people.refunded}.get(self._view(request)):
            cookies["session"] = token
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _DROPPED]
        headers.append(("host", request.url.netloc))
        if cookies:
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
        address = f"{self.service}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.request(request.method, address, headers=headers, content=await request.body())
        content = self._with_fresh_notes(request.url.path, answer)
        response = Response(content, answer.status_code)
        response.raw_headers = [
            (name.encode(), value.encode())
            for name, value in answer.headers.multi_items()
            if name.lower() not in _DROPPED
        ]
        response.headers["content-length"] = str(len(content))
        return response

    def _with_fresh_notes(self, path: str, answer: httpx.Response) -> bytes:
        """The service reads a new catalogue twice a second; the text that was just saved is shown at once."""
        parts = path.strip("/").split("/")
        if answer.status_code == 200 and parts[:2] == ["api", "learn"] and len(parts) == 4:
            notes = self.workshop.notes(parts[2], parts[3])
            if notes is not None:
                told = answer.json()
                told["lesson"]["notes_html"] = notes
                return json.dumps(told).encode()
        return answer.content

    async def _phone(self, request: Request) -> Response:
        """What the app would be told about one of the courses."""
        slugs = [slug for slug, _ in self.workshop.courses]
        asked = request.query_params.get("course", "")
        slug = asked if asked in slugs else next(iter(slugs), "")
        told: dict[str, object] | None = None
        if slug and self.people is not None:
            async with httpx.AsyncClient(timeout=60) as client:
                answer = await client.get(
                    f"{self.service}/api/v1/mobile/courses/{slug}",
                    headers={"Authorization": f"Bearer {self.people.phone}", "Host": request.url.netloc},
                )
            told = answer.json()
        page = phone_page(self.workshop.courses, slug, told).replace("</html>", "") + _SNIPPET
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})


_NOTHING_YET = b"<!doctype html><title>Preview</title><body><h1>Nothing to show yet</h1></body>"


def _as_json(problem: Problem) -> dict[str, str]:
    return {"place": problem.place, "problem": problem.problem, "remedy": problem.remedy}

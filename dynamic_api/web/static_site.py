"""Serves `output/` for small installations; a CDN, Caddy or nginx does the same in front of larger ones."""

from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dynamic_api.core.errors import MethodNotAllowed, NotFound
from sitegen.caching import ASK_AGAIN, FOR_EVER

ENCODINGS = (("br", ".br"), ("gzip", ".gz"))  # the better one first; `coursewright build` writes them


class StaticSite:
    """Static pages. Assets have their content's hash in their address, so browsers may keep them; pages they check."""

    def __init__(self, output: Path, site_url: str) -> None:
        self._files = StaticFiles(directory=output, html=True)
        self._site_url = site_url

    async def response(self, scope: Scope) -> Response:
        """The file, or the site's own page for what is not there. Raises MethodNotAllowed, NotFound."""
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed(("GET", "HEAD"))
        path = self._files.get_path(scope)
        try:
            response = await self._files.get_response(path, scope)
        except HTTPException:
            raise NotFound from None
        if isinstance(response, RedirectResponse):
            # Starlette builds the address from the Host header, which anybody can send.
            response = RedirectResponse(f"{self._site_url}{scope['path']}/")
        if isinstance(response, FileResponse) and response.status_code == 200:
            response = _compressed(response, scope)
        is_asset = path.startswith("assets/") and response.status_code in (200, 206, 304)
        response.headers["Cache-Control"] = FOR_EVER if is_asset else ASK_AGAIN
        return response


def _compressed(response: FileResponse, scope: Scope) -> Response:
    """The file as its browser can take it, where the build wrote it compressed too; or that it has not changed."""
    headers = Headers(scope=scope)
    accepted = headers.get("accept-encoding", "")
    if "range" in headers:
        return response
    for coding, ending in ENCODINGS:
        path = Path(f"{response.path}{ending}")
        if coding in accepted and path.is_file():
            etag = f'{response.headers["etag"][:-1]}-{coding}"'
            shared = {"etag": etag, "vary": "Accept-Encoding"}
            if etag in headers.get("if-none-match", ""):
                return Response(status_code=304, headers=shared)
            return FileResponse(path, media_type=response.media_type, headers={**shared, "content-encoding": coding})
    return response

"""Serves `output/` for small installations; a CDN, Caddy or nginx does the same in front of larger ones."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dynamic_api.core.errors import MethodNotAllowed, NotFound
from sitegen.caching import ASK_AGAIN, FOR_EVER


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
        is_asset = path.startswith("assets/") and response.status_code in (200, 206, 304)
        response.headers["Cache-Control"] = FOR_EVER if is_asset else ASK_AGAIN
        return response

"""Serves `output/` for small installs; a CDN, Caddy or nginx does the same in front of larger ones."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_ASSETS = "public, max-age=31536000, immutable"


class StaticSite(StaticFiles):
    """Static pages: hashed assets for ever, everything else asked for again."""

    def __init__(self, output: Path) -> None:
        super().__init__(directory=output, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the site's own page for what is not there."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        response = await super().get_response(path, scope)
        is_asset = path.startswith("assets/") and response.status_code in (200, 206, 304)
        response.headers["Cache-Control"] = _ASSETS if is_asset else "no-cache"
        return response

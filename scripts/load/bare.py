"""What there is to be compared with: a Starlette route that answers a small JSON, and nothing else."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(request: Request) -> JSONResponse:
    """A small answer."""
    return JSONResponse({"hello": "world"})


app = Starlette(routes=[Route("/hello", hello)])

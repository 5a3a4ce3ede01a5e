"""All partners in one application: Stripe, Stream and the inbox."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from . import inbox, stream, stream_videos, stripe_api, stripe_pages
from .bank import Bank
from .deliveries import Deliveries
from .store import Store
from .wire import StripeProblem


def create_sandbox(store: Store, *, page: str) -> Starlette:
    """`page` is the address the sandbox's own pages stand at."""
    bank = Bank(store, page)
    bank.seed()
    app = Starlette(
        routes=[
            Route("/", _home),
            *stripe_api.routes,
            *stripe_pages.routes,
            *stream.routes,
            *stream_videos.routes,
            *inbox.routes,
        ],
        exception_handlers={StripeProblem: _problem},
        lifespan=_lifespan,
    )
    app.state.store, app.state.bank = store, bank
    app.state.deliveries = Deliveries(bank)
    app.state.outage = {}
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(app.state.deliveries.run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await app.state.deliveries.stop()
    app.state.store.save()


async def _home(request: Request) -> Response:
    return RedirectResponse("/dashboard", 303)


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, StripeProblem):
        raise error
    return JSONResponse(error.body, error.status)

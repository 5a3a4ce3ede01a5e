"""The application: routes, what surrounds them, and what starts and stops with them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Router

import dynamic_api.accounts.claim_routes
import dynamic_api.accounts.own_routes
import dynamic_api.accounts.routes
import dynamic_api.checkout.routes
import dynamic_api.learning.routes
import dynamic_api.mobile_v1.routes
import dynamic_api.webhooks.routes
from dynamic_api.access_log import AccessLog
from dynamic_api.accounts.passwords import Passwords
from dynamic_api.accounts.throttle import Throttle
from dynamic_api.catalog import CatalogSource
from dynamic_api.checkout.sweep import schedule_sweep
from dynamic_api.clock import Clock, utc_now
from dynamic_api.config import Settings
from dynamic_api.database import Database
from dynamic_api.errors import ApiError, MethodNotAllowed, NotFound
from dynamic_api.fast_lane.hot_database import hot_database
from dynamic_api.fast_lane.lane import FastLane
from dynamic_api.fast_lane.progress_writer import ProgressWriter
from dynamic_api.gateways import Gateways
from dynamic_api.jobs.handlers import HANDLERS
from dynamic_api.jobs.tidy import schedule_tidy
from dynamic_api.jobs.worker import follow_catalog, work
from dynamic_api.middleware import BodyLimit, CrossOriginCheck, RequestLog, SecurityHeaders, refusal
from dynamic_api.mobile_v1.gate import MobileGate, MobileHeaders
from dynamic_api.routing import open_route
from dynamic_api.service import Service
from dynamic_api.static_site import StaticSite

logger = logging.getLogger("coursewright.app")


def create_app(settings: Settings, gateways: Gateways, *, clock: Clock = utc_now) -> Starlette:
    """The whole service. Nothing is opened until it starts."""
    service = create_service(settings, gateways, clock=clock)
    throttle, access_log = Throttle(), AccessLog()
    app = Starlette(
        routes=_routes(settings),
        middleware=[
            Middleware(FastLane, service=service, throttle=throttle, access_log=access_log),
            Middleware(SecurityHeaders, settings=settings),
            Middleware(MobileHeaders),
            Middleware(RequestLog, access_log=access_log),
            Middleware(BodyLimit),
            Middleware(CrossOriginCheck, settings=settings),
        ],
        exception_handlers={ApiError: _refuse, HTTPException: _refuse_http},
        lifespan=_lifespan,
    )
    app.state.service = service
    app.state.throttle = throttle
    app.state.passwords = Passwords()
    return app


def create_service(settings: Settings, gateways: Gateways, *, clock: Clock = utc_now) -> Service:
    """What commands and workers need, without the web in front."""
    database = Database(settings.database_url)
    catalog = CatalogSource(settings.manifest, database, clock)
    hot = hot_database(settings.database_url)
    return Service(settings, database, hot, gateways, catalog, ProgressWriter(database), clock)


def _routes(settings: Settings) -> list[BaseRoute]:
    api = [
        open_route("GET", "/health", _health),
        *dynamic_api.accounts.routes.routes,
        *dynamic_api.accounts.claim_routes.routes,
        *dynamic_api.accounts.own_routes.routes,
        *dynamic_api.checkout.routes.routes,
        *dynamic_api.learning.routes.routes,
    ]
    routes: list[BaseRoute] = [
        Mount(
            dynamic_api.mobile_v1.routes.BASE,
            Router(dynamic_api.mobile_v1.routes.routes, redirect_slashes=False, middleware=[Middleware(MobileGate)]),
        ),
        Mount("/api", Router(api, redirect_slashes=False)),
        Mount("/webhooks", Router(dynamic_api.webhooks.routes.routes, redirect_slashes=False)),
    ]
    if settings.output is not None:
        routes.append(Mount("/", StaticSite(settings.output)))
    return routes


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    service: Service = app.state.service
    if not service.gateways.streaming.is_signed:
        logger.warning("videos play unsigned (COURSEWRIGHT_STREAM_UNSIGNED): whoever learns an id can watch")
    await service.catalog.refresh()
    if service.settings.embedded_worker:
        await schedule_sweep(service)
        await schedule_tidy(service)
    task = asyncio.create_task(work(service, HANDLERS) if service.settings.embedded_worker else follow_catalog(service))
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await service.close()


async def _health(request: Request, service: Service) -> Response:
    """Whether the service can do its work: it answers, and the database does."""
    async with service.database.reading() as db:
        await db.execute(text("SELECT 1"))
    return JSONResponse({"status": "ok", "catalog": service.catalog.current.version})


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return refusal(error)


async def _refuse_http(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, in our shape."""
    if not isinstance(error, HTTPException):
        raise error
    known: ApiError = NotFound() if error.status_code == 404 else MethodNotAllowed()
    if error.status_code not in (404, 405):
        known = ApiError(str(error.detail))
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))  # Starlette has a set there
    return JSONResponse(known.body(), error.status_code, headers=headers)

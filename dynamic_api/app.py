"""The application: its parts, its routes, and what starts and stops with it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dynamic_api.accounts.account_routes
import dynamic_api.accounts.sign_in_routes
import dynamic_api.checkout.routes
import dynamic_api.claims.routes
import dynamic_api.learning.purchase_routes
import dynamic_api.learning.reviews
import dynamic_api.learning.routes
import dynamic_api.mobile_v1.routes
import dynamic_api.newsletter.routes
import dynamic_api.webhooks.routes
from dynamic_api.catalog.source import CatalogSource
from dynamic_api.core.clock import Clock, utc_now
from dynamic_api.core.database import Database, PostgresUse
from dynamic_api.core.inbox import Inbox
from dynamic_api.core.outages import wait_out
from dynamic_api.core.passwords import Passwords, load_common_passwords
from dynamic_api.core.reader import PostgresReader, open_reader
from dynamic_api.core.settings import Settings
from dynamic_api.core.sqlite_writer import SqliteWriter
from dynamic_api.core.throttle import Limits, Throttle
from dynamic_api.gateways import Gateways
from dynamic_api.handlers import HANDLERS
from dynamic_api.health.routes import HealthRoutes, is_alive
from dynamic_api.jobs.regular import schedule_regular_jobs
from dynamic_api.jobs.worker import follow_catalog, work
from dynamic_api.orders.money_mode import use_money_mode
from dynamic_api.progress.group import ProgressStore
from dynamic_api.progress.postgres_store import PostgresStore
from dynamic_api.progress.sqlite_store import SqliteStore
from dynamic_api.progress.writer import ProgressWriter
from dynamic_api.service import Service
from dynamic_api.web import sessions
from dynamic_api.web.application import Application
from dynamic_api.web.metrics import RequestMetrics
from dynamic_api.web.parent import end_with_parent
from dynamic_api.web.routing import Audience, Route, Router, mounted, open_route
from dynamic_api.web.static_site import StaticSite

logger = logging.getLogger("coursewright.app")


def create_app(
    settings: Settings, gateways: Gateways, *, clock: Clock = utc_now, passwords: Passwords | None = None
) -> Application:
    """The whole service. Nothing is opened until it starts."""
    service = create_service(settings, gateways, clock=clock, passwords=passwords)
    phones = dynamic_api.mobile_v1.routes
    metrics = RequestMetrics()
    router = Router(routes(metrics), unknown={phones.BASE: phones.count_unknown})
    site = StaticSite(settings.output, settings.site_url) if settings.output is not None else None
    return Application(service, router, site=site, metrics=metrics, lifespan=_lifespan)


def create_service(
    settings: Settings, gateways: Gateways, *, clock: Clock = utc_now, passwords: Passwords | None = None
) -> Service:
    """What commands and workers need, without the web in front of it. `passwords` are hashed as OWASP says."""
    use = PostgresUse(settings.database_connections, settings.database_pooler, settings.database_seconds)
    database = Database(settings.database_url, use)
    reader = open_reader(database)
    writer = reader.pool if isinstance(reader, PostgresReader) else SqliteWriter(database)
    store: ProgressStore = SqliteStore(writer) if isinstance(writer, SqliteWriter) else PostgresStore(writer)
    return Service(
        settings,
        database,
        reader,
        gateways,
        CatalogSource(settings.manifest, database, clock, has_stream=settings.stream_base_url is not None),
        ProgressWriter(store, session_lifetime=sessions.LIFETIME),
        Inbox(writer),
        writer,
        clock,
        passwords or Passwords(),
        throttle=_limits(settings),
    )


def _limits(settings: Settings) -> Limits:
    if settings.valkey_url is None:
        return Throttle()
    from dynamic_api.core.shared_throttle import SharedThrottle  # its client takes 60 ms and 10 MB, which few need

    return SharedThrottle(settings.valkey_url.get_secret_value(), settings.secret_key.get_secret_value())


def routes(metrics: RequestMetrics) -> dict[str, list[Route]]:
    """Every route of the service, by its path."""
    health = HealthRoutes(metrics)
    probes = [
        open_route("GET", "/healthz", is_alive),
        open_route("GET", "/readyz", health.explain, Audience.MONITOR),
        open_route("GET", "/metrics", health.count, Audience.MONITOR),
    ]
    api = [
        open_route("GET", "/health", health.show),
        *dynamic_api.accounts.sign_in_routes.routes,
        *dynamic_api.accounts.account_routes.routes,
        *dynamic_api.claims.routes.routes,
        *dynamic_api.checkout.routes.routes,
        *dynamic_api.learning.routes.routes,
        *dynamic_api.learning.purchase_routes.routes,
        *dynamic_api.learning.reviews.routes,
        *dynamic_api.newsletter.routes.routes,
    ]
    return {
        **mounted("/api", api),
        **mounted(dynamic_api.mobile_v1.routes.BASE, dynamic_api.mobile_v1.routes.routes),
        **mounted("/webhooks", dynamic_api.webhooks.routes.routes),
        **mounted("", probes),
    }


@asynccontextmanager
async def _lifespan(app: Application) -> AsyncIterator[None]:
    service = app.service
    if service.settings.stream_unsigned:
        logger.warning("videos play unsigned (COURSEWRIGHT_STREAM_UNSIGNED): anyone with a video's id can watch it")
    await asyncio.to_thread(load_common_passwords)  # takes 30 ms, which no request should wait for
    await wait_out(service.catalog.start)
    await wait_out(lambda: use_money_mode(service))
    if service.settings.embedded_worker:
        await wait_out(lambda: schedule_regular_jobs(service))
        task = asyncio.create_task(work(service, HANDLERS))
    else:
        task = asyncio.create_task(follow_catalog(service))
    parent = asyncio.create_task(end_with_parent())
    yield
    for each in (task, parent):
        each.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await each
    app.access_log.flush()
    await service.close()

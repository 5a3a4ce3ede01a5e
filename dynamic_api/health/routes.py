"""The addresses that watch the service. Proxies forward `/api/health` alone."""

import asyncio
import hmac
import time
from ipaddress import ip_address

from starlette.responses import Response

from dynamic_api.core.errors import NotFound
from dynamic_api.health.check import Health, check_health
from dynamic_api.health.metrics import SignsCollector
from dynamic_api.service import Service
from dynamic_api.web.metrics import CONTENT_TYPE_LATEST, RequestMetrics
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse

FOR = 2.0  # seconds that an answer is good for: anybody may ask, and asking writes
_FORWARDED = (b"x-forwarded-for", b"forwarded", b"via", b"x-real-ip")


class HealthRoutes:
    """Asks the service, and remembers the answer for a moment."""

    def __init__(self, metrics: RequestMetrics) -> None:
        self._metrics = metrics
        self._asking = asyncio.Lock()
        self._asked_at = -FOR
        self._health = Health(is_ready=False, problems=())

    async def ask(self, service: Service) -> Health:
        """The present answer."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= FOR:
                self._health, self._asked_at = await check_health(service), time.monotonic()
            return self._health

    async def show(self, request: Request) -> Response:
        """For anyone: 200 while the service can work, 503 while it cannot."""
        health = await self.ask(request.service)
        return JsonResponse(_body(request, health), 200 if health.is_ready else 503)

    async def explain(self, request: Request) -> Response:
        """For the operator: the same, with what somebody should look at. Raises NotFound for others."""
        if not _is_operators(request):
            raise NotFound
        health = await self.ask(request.service)
        body = _body(request, health) | {"problems": list(health.problems)}
        return JsonResponse(body, 200 if health.is_ready else 503)

    async def count(self, request: Request) -> Response:
        """For Prometheus: with the token of the settings, or from this machine itself. Raises NotFound."""
        if not _is_operators(request):
            raise NotFound
        service = request.service
        health = await self.ask(service)
        signs = SignsCollector(health, len(service.catalog.current.missing), service.clock())
        return Response(self._metrics.text(signs), media_type=CONTENT_TYPE_LATEST)


async def is_alive(_request: Request) -> Response:
    """For what restarts the service: it answers. A database that is away is no reason to restart it."""
    return JsonResponse({"status": "alive"}, 200)


def _body(request: Request, health: Health) -> dict[str, object]:
    return {"status": health.status, "catalog": request.service.catalog.current.version}


def _is_operators(request: Request) -> bool:
    """Whether it comes from this machine itself, or has the token of the settings."""
    token = request.service.settings.metrics_token
    given = request.raw_headers.get(b"authorization", b"")
    if token is not None and hmac.compare_digest(given, b"Bearer " + token.get_secret_value().encode()):
        return True
    if any(name in request.raw_headers for name in _FORWARDED):  # a proxy on this machine speaks for somebody else
        return False
    try:
        return ip_address(request.scope["client"][0]).is_loopback
    except (TypeError, ValueError):  # a unix socket has no address
        return False

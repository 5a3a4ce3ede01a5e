"""What visitors reach: the site with the headers that the service would send, the service behind it, the webhook."""

from collections.abc import AsyncIterator

import httpx

from dynamic_api.core.settings import LOOPBACK, Settings
from dynamic_api.doctor.findings import ONE_EACH, Finding, failed, passed, skipped
from dynamic_api.web.headers import kind_of, page_headers
from sitegen import urls
from sitegen.caching import ASK_AGAIN

_TIMEOUT = 15  # seconds


async def look_at_address(settings: Settings) -> AsyncIterator[Finding]:
    """Ask the public address from here."""
    async with httpx.AsyncClient(base_url=settings.site_url, timeout=_TIMEOUT, limits=ONE_EACH) as client:
        try:
            home = await client.get("/")
        except httpx.HTTPError as error:
            yield failed("address", f"{settings.site_url} cannot be reached: {error or type(error).__name__}",
                         "Point the name to this machine, and start the web server.")  # fmt: skip
            return
        if home.status_code != 200:
            yield failed("address", f"{settings.site_url} answers {home.status_code}", "Build the site, and serve it.")
        else:
            yield passed("address", f"{settings.site_url} answers")
        yield _headers(settings, home)
        yield await _service(client)
        yield await _webhook(client, settings)


def _headers(settings: Settings, answer: httpx.Response) -> Finding:
    expected = {**page_headers(settings, kind_of("/")), "Cache-Control": ASK_AGAIN}
    other = [name for name, value in expected.items() if answer.headers.get(name) != value]
    if other:
        return failed("headers", f"these differ from the service's: {', '.join(other)}",
                      "Write the configuration again: coursewright host caddy, nginx, …")  # fmt: skip
    return passed("headers", "are those of the service")


async def _service(client: httpx.AsyncClient) -> Finding:
    answer = await client.get("/api/health")
    try:
        status = answer.json()["status"]
    except (ValueError, KeyError, TypeError):
        return failed("service", f"/api/health answers {answer.status_code}, and is not the service",
                      "Send /api/* and /webhooks/* to the service.")  # fmt: skip
    if status == "unavailable":
        return failed("service", "it is unavailable", "Look at /readyz on the machine where it runs.")
    return passed("service", f"answers behind the address; it is {status}")


async def _webhook(client: httpx.AsyncClient, settings: Settings) -> Finding:
    """An event without a signature is refused with 400; anything else did not come from the service."""
    answer = await client.post(urls.STRIPE_WEBHOOK, content=b"{}")
    if answer.status_code != 400:
        return failed("webhook", f"an event is answered with {answer.status_code}, not by the service",
                      "Send /webhooks/* to the service, unchanged, with its body.")  # fmt: skip
    if any(host in settings.site_url for host in LOOPBACK):
        return skipped("webhook", "the address is this machine's own: Stripe cannot reach it")
    return passed("webhook", "reaches the service")

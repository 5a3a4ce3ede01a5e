"""OpenTelemetry traces by the official packages: requests, and calls to partners.

Its package for SQLAlchemy refuses version 2.1, so statements have no spans of their own. Nothing
of it is imported unless `COURSEWRIGHT_TRACES_ENDPOINT` is set. Query strings never leave: they hold signatures.
"""

import importlib.util
from typing import TYPE_CHECKING, Any

from dynamic_api.core.settings import Settings, SettingsInvalid
from dynamic_api.web.application import Application

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span
    from starlette.types import ASGIApp

_QUERIES = ("url.query",)
_ADDRESSES = ("url.full", "http.url", "http.target")


def traced(app: Application, settings: Settings, processor: "SpanProcessor | None" = None) -> "ASGIApp":
    """The application with a span around each request. Raises SettingsInvalid where the packages are not installed."""
    if settings.traces_endpoint is None:
        return app
    if importlib.util.find_spec("opentelemetry.instrumentation") is None:
        raise SettingsInvalid("COURSEWRIGHT_TRACES_ENDPOINT needs more packages: pip install 'coursewright[traces]'")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "coursewright"}))
    to_endpoint = OTLPSpanExporter(endpoint=settings.traces_endpoint)
    provider.add_span_processor(processor or BatchSpanProcessor(to_endpoint))
    HTTPXClientInstrumentor().instrument(
        tracer_provider=provider, request_hook=_to_partner, async_request_hook=_to_partner_async
    )
    return OpenTelemetryMiddleware(
        app, tracer_provider=provider, exclude_spans=["receive", "send"], server_request_hook=_to_us
    )


def _to_us(span: "Span", _scope: dict[str, Any]) -> None:  # Any: as ASGI has it
    _take_queries_off(span)


def _to_partner(span: "Span", _request: object) -> None:
    _take_queries_off(span)


async def _to_partner_async(span: "Span", _request: object) -> None:
    _take_queries_off(span)


def _take_queries_off(span: "Span") -> None:
    for name, value in dict(getattr(span, "attributes", None) or {}).items():
        if name in _QUERIES:
            span.set_attribute(name, "")
        elif name in _ADDRESSES and isinstance(value, str):
            span.set_attribute(name, value.partition("?")[0])

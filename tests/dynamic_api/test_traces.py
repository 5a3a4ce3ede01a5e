"""Traces tell what happened, without the signatures in addresses; without the setting nothing of them is loaded."""

import subprocess
import sys
from collections.abc import Callable

import httpx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dynamic_api.core.settings import Settings
from dynamic_api.traces import traced
from tests.school import SITE, School

SECRET = "signature=0123456789abcdef"


async def test_spans_without_query_strings(school: School, make_settings: Callable[..., Settings]) -> None:
    exporter = InMemorySpanExporter()
    settings = make_settings(traces_endpoint="http://127.0.0.1:1/v1/traces")
    app = traced(school.app, settings, SimpleSpanProcessor(exporter))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SITE) as visitor:
            assert (await visitor.get(f"/api/files/1?until=5&{SECRET}")).status_code == 403
            assert (await visitor.get("/readyz")).status_code == 200
        async with httpx.AsyncClient(base_url=school.service.settings.stripe_api_base) as partner:
            assert (await partner.get(f"/nothing?{SECRET}")).status_code == 404
    finally:
        HTTPXClientInstrumentor().uninstrument()
    text = " ".join(str(span.to_json()) for span in exporter.get_finished_spans())
    assert "/api/files/1" in text
    assert "/nothing" in text
    assert SECRET not in text


def test_nothing_is_loaded_unless_it_is_set() -> None:
    program = "import sys, dynamic_api.app, dynamic_api.traces; print([n for n in sys.modules if 'opentelemetry' in n])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

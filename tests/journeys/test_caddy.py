"""The Caddyfile of `docs/going-live.md`, run by a real Caddy in front of the real service."""

import re
import shutil
import subprocess
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.installation import Installation
from tests.conftest import ROOT
from tests.ports import free_ports

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed (apt install caddy)"),
]
SHARED = ("referrer-policy", "permissions-policy", "cross-origin-opener-policy", "x-content-type-options")


def documented() -> str:
    """The block of the document that begins with the snippet of page headers."""
    text = (ROOT / "docs/going-live.md").read_text()
    block = next(each for each in re.findall(r"```\n(.*?)```", text, re.S) if "your.school" in each)
    return textwrap.dedent(block)


@pytest.fixture
def caddy(installation: Installation, tmp_path: Path) -> Iterator[str]:
    """Its address."""
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    upstream = installation.url.partition("://")[2]
    config = documented().replace("your.school", address).replace("127.0.0.1:8000", upstream)
    config = config.replace("/srv/school/output", str(installation.folder / "output"))
    (tmp_path / "Caddyfile").write_text("{\n    admin off\n    auto_https off\n}\n" + config)
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(
        ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
        cwd=tmp_path, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        for _ in range(100):
            try:
                httpx.get(address)
                break
            except httpx.TransportError:
                assert process.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()
        log.close()


def test_pages_have_the_headers_of_the_service(caddy: str, installation: Installation) -> None:
    for path in ("/", "/courses/sourdough/", "/learn/sourdough/what-lives-in-the-jar/", "/library/"):
        page, ours = httpx.get(caddy + path), httpx.get(installation.url + path)
        assert page.status_code == ours.status_code == 200
        assert {name: page.headers[name] for name in SHARED} == {name: ours.headers[name] for name in SHARED}
        assert policy(page) == policy(ours)
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-encoding"] in ("gzip", "zstd")
        assert "strict-transport-security" in page.headers


def policy(answer: httpx.Response) -> dict[str, set[str]]:
    """The names of the policy, and their values without hosts, which are the installation's own."""
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: {value for value in values if "://" not in value} for name, *values in parts}


def test_assets_are_kept_for_ever_where_they_exist(caddy: str) -> None:
    page = httpx.get(caddy + "/").text
    asset = re.search(r'/assets/[^"]+\.css', page)
    assert asset
    assert "immutable" in httpx.get(caddy + asset[0]).headers["cache-control"]
    missing = httpx.get(caddy + "/assets/nothing.css")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")


def test_what_is_not_there_is_said_on_the_sites_own_page(caddy: str) -> None:
    answer = httpx.get(caddy + "/no/such/page/")
    assert answer.status_code == 404
    assert "Page not found" in answer.text
    assert "default-src" in answer.headers["content-security-policy"]


def test_requests_wait_while_the_service_restarts(caddy: str, installation: Installation) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert httpx.get(f"{caddy}/api/health").json()["status"] == "ok"
    installation.kill("service")
    with httpx.Client(timeout=40) as client:
        starting = threading.Timer(1.0, installation.start_service)
        starting.start()
        answer = client.post(f"{caddy}/api/checkout", data={"course": "sourdough"}, headers=headers)
        starting.join()
    assert answer.status_code == 303
    assert "/c/pay/" in answer.headers["location"]

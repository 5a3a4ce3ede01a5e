"""What `coursewright host` writes, run by a real Caddy and a real nginx before the real service, header by header."""

import json
import re
import shutil
import ssl
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.installation import Installation
from tests.ports import free_ports

pytestmark = pytest.mark.slow

SHARED = (
    "content-security-policy", "referrer-policy", "permissions-policy", "cross-origin-opener-policy",
    "x-content-type-options", "cache-control",
)  # fmt: skip
PAGES = (
    "/", "/courses/", "/courses/sourdough/", "/courses/sourdough/gift/", "/preview/sourdough/what-lives-in-the-jar/",
    "/learn/sourdough/what-lives-in-the-jar/", "/learn/", "/library/", "/news/", "/about/", "/robots.txt",
    "/build.json",
)  # fmt: skip


def configured(installation: Installation, server: str, port: int, *more: str) -> str:
    """The configuration for a server that listens on loopback."""
    upstream = installation.url.partition("://")[2]
    output = installation.folder / "output"
    written = installation.ask(
        "dynamic_api.commands", "host", server, "--output", output, "--upstream", upstream, *more
    )
    if server == "caddy":
        return written.replace(f"\n{installation.url} {{", f"\nhttp://127.0.0.1:{port} {{")
    return written.replace(f"listen {installation.port};", f"listen 127.0.0.1:{port};")


def start(
    command: list[str], folder: Path, address: str, *, verify: ssl.SSLContext | bool = True
) -> subprocess.Popen[bytes]:
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    for _ in range(100):
        try:
            httpx.get(address, verify=verify)
        except httpx.TransportError:
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        else:
            return process
    process.kill()
    raise AssertionError((folder / "log").read_text())


@pytest.fixture(params=["caddy", "nginx"])
def front(request: pytest.FixtureRequest, installation: Installation, tmp_path: Path) -> Iterator[str]:
    """The address of a server before the service."""
    server = str(request.param)
    if shutil.which(server) is None:
        pytest.skip(f"{server} is not installed")
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    config = configured(installation, server, port)
    if server == "caddy":
        (tmp_path / "Caddyfile").write_text("{\n    admin off\n    auto_https off\n}\n" + config)
        command = ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    else:
        temporary = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
        (tmp_path / "nginx.conf").write_text(
            f"daemon off;\nuser root;\npid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nworker_processes 1;\n"
            "events {}\nhttp {\ninclude /etc/nginx/mime.types;\naccess_log off;\n" + temporary + config + "}\n"
        )
        command = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    process = start(command, tmp_path, address)
    yield address
    process.terminate()
    process.wait()


def test_every_kind_of_page_has_the_headers_of_the_service(front: str, installation: Installation) -> None:
    for path in PAGES:
        page, ours = httpx.get(front + path), httpx.get(installation.url + path)
        assert page.status_code == ours.status_code == 200, path
        assert page.content == ours.content, path
        for name in SHARED:
            assert page.headers.get_list(name) == ours.headers.get_list(name), (path, name)
        assert page.headers["content-type"].partition(";")[0] == ours.headers["content-type"].partition(";")[0], path
        if path.endswith("/"):
            assert page.headers["content-encoding"] in ("gzip", "zstd")
    assert "cloudflarestream" not in httpx.get(front).headers["content-security-policy"]


def test_assets_are_kept_for_ever_where_they_exist(front: str, installation: Installation) -> None:
    page = httpx.get(front + "/").text
    asset = re.search(r'/assets/[^"]+\.css', page)
    assert asset
    found = httpx.get(front + asset[0])
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = httpx.get(front + asset[0], headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, found.headers["cache-control"])
    missing = httpx.get(front + "/assets/nothing.css")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    assert httpx.get(front + "/.coursewright").status_code == 404


def test_what_is_not_there_is_said_on_the_sites_own_page(front: str) -> None:
    answer = httpx.get(front + "/no/such/page/")
    assert answer.status_code == 404
    assert "Page not found" in answer.text
    assert "default-src" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert (
        httpx.get(front + "/courses/sourdough", follow_redirects=False)
        .headers["location"]
        .endswith("/courses/sourdough/")
    )


def test_the_services_answers_pass_unchanged(front: str, installation: Installation) -> None:
    for path in ("/api/health", "/api/library", "/api/nothing"):
        answer, ours = httpx.get(front + path), httpx.get(installation.url + path)
        assert answer.status_code == ours.status_code, path
        for name in SHARED:
            assert answer.headers.get_list(name) == ours.headers.get_list(name), (path, name)
    large = httpx.post(front + "/api/checkout", content=b"x" * (2 * 1024 * 1024))
    assert large.status_code == 413


def test_while_the_service_restarts_requests_wait_or_are_told_to(
    front: str, installation: Installation, request: pytest.FixtureRequest
) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert httpx.get(f"{front}/api/health").json()["status"] == "ok"
    is_caddy = "caddy" in request.node.name
    installation.kill("service")
    if not is_caddy:
        away = httpx.get(f"{front}/api/health")
        assert (away.status_code, away.headers["retry-after"], away.json()["error"]["code"]) == (
            503,
            "5",
            "unavailable",
        )
        page = f"{front}/courses/sourdough/"
        assert httpx.get(page).status_code == 200  # the storefront stays, and says what is wrong
        wanted = httpx.post(f"{front}/api/checkout", data={"course": "sourdough"}, headers=headers | {"Referer": page})
        assert (wanted.status_code, wanted.headers["location"]) == (303, f"{page}#payment-unavailable")
        installation.start_service()
        return
    with httpx.Client(timeout=40) as client:
        starting = threading.Timer(1.0, installation.start_service)
        starting.start()
        answer = client.post(f"{front}/api/checkout", data={"course": "sourdough"}, headers=headers)
        starting.join()
    assert answer.status_code == 303
    assert "/c/pay/" in answer.headers["location"]


def test_hosts_without_a_server_of_ones_own(installation: Installation) -> None:
    def written(server: str) -> str:
        return installation.ask("dynamic_api.commands", "host", server, "--upstream", "api.school.example")

    ours = httpx.get(installation.url + "/about/").headers["content-security-policy"]
    videos = httpx.get(installation.url + "/learn/").headers["content-security-policy"]
    pages = written("cloudflare-pages")
    assert f"/*\n  Content-Security-Policy: {ours}\n" in pages
    assert f"/learn/*\n  ! Content-Security-Policy\n  Content-Security-Policy: {videos}\n" in pages
    assert f"\n/\n  ! Content-Security-Policy\n  Content-Security-Policy: {videos}\n" in pages
    assert all(len(line) < 2000 for line in pages.splitlines())
    netlify = tomllib.loads(written("netlify"))
    assert netlify["headers"][0]["values"]["Content-Security-Policy"] == ours
    assert netlify["redirects"][0]["to"] == "https://api.school.example/api/:splat"
    cloudfront = json.loads(written("s3"))
    assert {"Header": "Content-Security-Policy", "Value": videos, "Override": True} in (
        cloudfront[1]["CustomHeadersConfig"]["Items"]
    )
    assert "request_buffers 64KB" in installation.ask(
        "dynamic_api.commands", "host", "caddy", "--caddy-version", "2.10"
    )

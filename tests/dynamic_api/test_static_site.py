"""The service serves the site itself: caching, headers, and what is not there."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from dynamic_api.app import create_app
from dynamic_api.core.settings import Settings
from dynamic_api.gateways import open_gateways
from dynamic_api.web.headers import kind_of, page_headers
from tests.school import SITE

PAGE_POLICY = {
    "default-src": "'none'",
    "script-src": "'self' {partner}",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "frame-src": "'self' {partner}",
    "form-action": "'self' {partner}",
    "base-uri": "'none'",
    "manifest-src": "'self'",
    "frame-ancestors": "'none'",
}


def policy_of(answer: httpx.Response) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))


@pytest.fixture
async def visitor(settings: Settings, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who looks at a small site."""
    output = tmp_path / "output"
    (output / "assets/abc/js").mkdir(parents=True)
    (output / "courses/bread").mkdir(parents=True)
    (output / "index.html").write_text("home")
    (output / "404.html").write_text("not here")
    (output / "courses/bread/index.html").write_text("bread")
    (output / "assets/abc/js/header.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    own = settings.model_copy(update={"output": output, "embedded_worker": False})
    app = create_app(own, open_gateways(own))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SITE) as client:
        yield client
    await app.service.close()


async def test_pages_are_checked_and_assets_are_kept(visitor: httpx.AsyncClient) -> None:
    for address in ("/", "/courses/bread/", "/nope/"):
        assert (await visitor.get(address)).headers["cache-control"] == "no-cache", address
    asset = await visitor.get("/assets/abc/js/header.js")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = await visitor.get("/assets/abc/js/header.js", headers={"If-None-Match": asset.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "public, max-age=31536000, immutable")
    # What is not there today may be there tomorrow.
    assert (await visitor.get("/assets/abc/js/nope.js")).headers["cache-control"] == "no-cache"


async def test_what_the_build_compressed_is_sent_compressed(visitor: httpx.AsyncClient, tmp_path: Path) -> None:
    page = tmp_path / "output/index.html"
    plain = page.read_bytes()
    page.with_name("index.html.gz").write_bytes(gzip.compress(plain))
    answer = await visitor.get("/", headers={"Accept-Encoding": "gzip, br"})
    assert (answer.content, answer.headers["content-encoding"]) == (plain, "gzip")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["vary"] == "Accept-Encoding"
    again = await visitor.get("/", headers={"Accept-Encoding": "gzip", "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    other = await visitor.get("/", headers={"Accept-Encoding": "identity", "If-None-Match": answer.headers["etag"]})
    assert (other.status_code, other.content) == (200, plain)
    assert "content-encoding" not in other.headers
    part = await visitor.get("/", headers={"Accept-Encoding": "gzip", "Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, plain[:4])


async def test_what_is_not_there_is_said_on_the_sites_own_page(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/nope/")
    assert (answer.status_code, answer.text) == (404, "not here")


async def test_pages_have_exactly_this_policy(visitor: httpx.AsyncClient, settings: Settings) -> None:
    headers = (await visitor.get("/courses/bread/")).headers
    partner = settings.stripe_checkout_origin
    videos = {name: value.format(partner=partner) for name, value in PAGE_POLICY.items()}
    others = {"script-src": "'self'", "media-src": "'self'", "connect-src": "'self'", "frame-src": "'none'"}
    for path in ("/", "/learn/bread/first/", "/preview/bread/first/", "/courses/bread/"):
        assert policy_of(await visitor.get(path)) == videos
    for path in ("/about/", "/library/", "/learning/", "/topics/bread/"):
        assert policy_of(await visitor.get(path)) == videos | others
    for path in ("/search/", "/pagefind/pagefind-worker.js"):
        assert policy_of(await visitor.get(path)) == videos | others | {"script-src": "'self' 'wasm-unsafe-eval'"}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert headers["permissions-policy"] == "camera=(), microphone=(), geolocation=(), payment=()"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"


def test_a_snippets_hosts_are_for_course_and_catalogue_pages_alone(settings: Settings) -> None:
    host = "https://stats.example"
    for path, may in (("/courses/bread/", True), ("/topics/x/", True), ("/", False), ("/learn/b/l/", False),
                      ("/account/", False), ("/search/", False), ("/checkout/success/", False)):  # fmt: skip
        policy = page_headers(settings, kind_of(path), (host,))["Content-Security-Policy"]
        assert policy.count(host) == (3 if may else 0), path


async def test_data_has_exactly_this_policy(visitor: httpx.AsyncClient) -> None:
    headers = (await visitor.get("/api/session")).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-store"


async def test_redirects_come_from_the_settings(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/courses/bread", headers={"Host": "evil.example"})
    assert answer.headers["location"] == f"{SITE}/courses/bread/"


@pytest.mark.parametrize(
    "address", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "//etc/passwd"]
)
async def test_nothing_outside_the_folder_is_served(visitor: httpx.AsyncClient, address: str) -> None:
    answer = await visitor.get(f"{SITE}{address}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_other_methods_are_refused(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/courses/bread/", headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (await visitor.head("/")).status_code == 200


async def test_a_change_is_refused_from_other_sites_on_pages_too(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.json()["error"]["code"] == "cross_origin"

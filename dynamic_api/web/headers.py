"""The security headers of pages and of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from dynamic_api.core.settings import Settings

ASSETS = "/assets/"
SERVICE = ("/api/", "/webhooks/")  # addresses that the service answers; every other one is a file


@dataclass(frozen=True)
class PageKind:
    """Pages at these addresses, or below one that ends in `*`, and what they may do that no other page may."""

    name: str
    paths: tuple[str, ...] = ()
    plays_video: bool = False
    searches: bool = False  # Pagefind is WebAssembly
    has_snippet: bool = False  # the creator's own, such as a counter of visits


PLAIN = PageKind("page")
KINDS = (
    PageKind("home", ("/",), plays_video=True),
    PageKind("lesson", ("/learn/*", "/preview/*"), plays_video=True),
    PageKind("course", ("/courses/*",), plays_video=True, has_snippet=True),
    PageKind("list", ("/topics/*", "/levels/*", "/teachers/*"), has_snippet=True),
    PageKind("search", ("/search/*", "/pagefind/*"), searches=True),  # a worker’s policy is that of its own file
)


def kind_of(path: str) -> PageKind:
    """Which kind of page an address is."""
    return next((kind for kind in KINDS if any(_is_at(path, place) for place in kind.paths)), PLAIN)


def _is_at(path: str, place: str) -> bool:
    return path.startswith(place[:-1]) if place.endswith("*") else path == place


def page_headers(settings: Settings, kind: PageKind = PLAIN, hosts: Sequence[str] = ()) -> Mapping[str, str]:
    """Headers of pages; what serves `output/` instead of the service sends the same: `hosting.py` writes it down.

    OWASP, HTTP Headers cheat sheet. Pages without a video may load nothing from anywhere else, but for the `hosts` that
    the creator's snippet needs, on the pages that have it.
    """
    plays_video = kind.plays_video
    wasm = " 'wasm-unsafe-eval'" if kind.searches else ""
    others = "".join(f" {host}" for host in hosts) if kind.has_snippet else ""
    policy = {
        "default-src": "'none'",
        "script-src": f"'self'{wasm}{f' {_origin(settings.stream_sdk_url)}' if plays_video else ''}{others}",
        "style-src": "'self'",
        "img-src": f"'self' data:{others}",
        # Videos of one's own: their parts may come from the bucket, and hls.js hands them over as blobs.
        "media-src": f"'self' blob:{_bucket(settings)}" if plays_video else "'self'",
        "connect-src": f"'self'{_bucket(settings) if plays_video else ''}{others}",
        "frame-src": f"'self'{_player(settings)}" if plays_video else "'none'",
        # Chromium checks a form's redirects against this too.
        "form-action": f"'self' {settings.stripe_checkout_origin}",
        "base-uri": "'none'",
        "manifest-src": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        **_common(settings),
    }


def api_headers(settings: Settings) -> Mapping[str, str]:
    """Headers of data, which loads nothing and is never framed. OWASP, REST Security cheat sheet."""
    return {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", **_common(settings)}


def _common(settings: Settings) -> Mapping[str, str]:
    headers = {"X-Content-Type-Options": "nosniff"}
    if settings.is_https:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return headers


def _bucket(settings: Settings) -> str:
    return f" {_origin(settings.r2_endpoint)}" if settings.r2_endpoint and settings.files_dir is None else ""


def _player(settings: Settings) -> str:
    return f" {_origin(settings.stream_base_url)}" if settings.stream_base_url else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

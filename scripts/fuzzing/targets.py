"""What is fuzzed: each target reads bytes, and may refuse them only in its own way."""

import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from PIL import Image
from starlette.types import Message

from dynamic_api.app import create_app
from dynamic_api.core.settings import Settings
from dynamic_api.gateways import open_gateways
from dynamic_api.gateways.signatures import SignatureMismatch, read_signed_event
from dynamic_api.migrations import upgrade
from scripts.installation import ROOT
from scripts.sandbox.deliveries import signed
from sitegen.catalog.captions import CaptionsInvalid, parse_vtt
from sitegen.catalog.course_file import CourseFile
from sitegen.catalog.load import load_catalog
from sitegen.catalog.manifest import (
    ManifestRefused,
    ManifestUnreadable,
    compile_manifest,
    read_manifest,
    write_manifest,
)
from sitegen.catalog.pictures import FileRefused, picture_size
from sitegen.catalog.site_file import SiteFile
from sitegen.catalog.validate import check_shape
from sitegen.catalog.yaml_source import YamlSource, parse_yaml
from sitegen.media.captions import CaptionsUnknown, convert_captions
from sitegen.texts.render import render

SECRET = "whsec_fuzz"
LONGEST = 5.0  # seconds for one input, on a machine that does something else as well


@dataclass(frozen=True)
class Target:
    """`read` takes one input. Whatever it raises other than `refusals` is a find."""

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()


def offline_targets(folder: Path) -> Iterator[Target]:
    """What reads files, and signatures. `folder` is scratch."""
    course = ROOT / "course_data/courses/sourdough"
    yield Target("course.yaml", (_bytes(course / "course.yaml"),), _read_yaml(CourseFile))
    yield Target("site.yaml", (_bytes(ROOT / "course_data/site.yaml"),), _read_yaml(SiteFile))
    texts = sorted([*course.rglob("*.md"), *(ROOT / "content").rglob("*.md"), ROOT / "docs/markdown.md"])
    yield Target("markdown", tuple(map(_bytes, texts)), _read_markdown)
    captions = tuple(map(_bytes, sorted((ROOT / "course_data").rglob("*.vtt"))[:5]))
    yield Target("captions", captions, lambda data: parse_vtt(data.decode("utf-8", "replace")), (CaptionsInvalid,))
    scripts = (*captions, b"1\n00:00:01,000 --> 00:00:02,500\nHello\n", b"0:00:01.000,0:00:02.500\nHello\n")
    yield Target("other captions", scripts, convert_captions, (CaptionsUnknown,))
    manifest = folder / "catalog.json"
    write_manifest(compile_manifest(load_catalog(ROOT / "course_data")), manifest)
    refusals = (ManifestUnreadable, ManifestRefused)
    yield Target("manifest", (_bytes(manifest),), _in_file(folder / "fuzz.json", read_manifest), refusals)
    for name in ("PNG", "JPEG", "WEBP", "GIF", "AVIF"):
        ending = ".jpg" if name == "JPEG" else f".{name.lower()}"
        read = _in_file(folder / f"fuzz{ending}", picture_size)
        yield Target(f"picture {name}", (_picture(name),), read, (FileRefused,))
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><path d="M0 0h20v10z"/></svg>'
    yield Target("picture SVG", (svg,), _in_file(folder / "fuzz.svg", picture_size), (FileRefused,))
    event = {"id": "evt_1", "type": "checkout.session.completed", "livemode": False, "data": {"object": {"id": "cs_1"}}}
    body, signature = signed(event, SECRET)
    yield Target("signed event", (body,), _read_event, (SignatureMismatch,))
    yield Target("signature", (signature.encode(),), lambda data: _read_signature(body, data), (SignatureMismatch,))


def _bytes(path: Path) -> bytes:
    return path.read_bytes()


def _read_yaml(shape: type[CourseFile] | type[SiteFile]) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        source = parse_yaml(YamlSource(Path("course.yaml")), data.decode("utf-8", "replace"))
        return check_shape(shape, source)

    return read


def _read_markdown(data: bytes) -> object:
    return render(data.decode("utf-8", "replace"))


def _in_file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def read_bytes(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return read_bytes


def _picture(kind: str) -> bytes:
    content = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert("RGB").save(content, kind)
    return content.getvalue()


def _read_event(data: bytes) -> object:
    """Signed as Stripe would sign it: what is in the body is still a stranger's, or a new version's."""
    import stripe

    header = stripe.WebhookSignature.generate_signature_header(data.decode("utf-8", "replace"), SECRET)
    return read_signed_event(data.decode("utf-8", "replace").encode(), str(header), [SECRET])


def _read_signature(body: bytes, data: bytes) -> object:
    return read_signed_event(body, data.decode("latin-1"), [SECRET])


REQUESTS = (
    b"POST /webhooks/stripe\nStripe-Signature: t=1,v1=00\n\n{}",
    b"POST /api/checkout\n\ncourse=sourdough&gift=1&recipient_email=a%40b.example&message=Enjoy",
    b'POST /api/session\n\n{"email": "ann@example.com", "password": "x"}',
    b'POST /api/claims\n\n{"token": "x", "name": "Ann", "password": "a loaf on every table"}',
    b'POST /api/learn/sourdough/what-lives-in-the-jar/progress\nCookie: __Host-session=x\n\n{"position_seconds": 5}',
    b'POST /api/v1/mobile/auth/login\n\n{"email": "ann@example.com", "password": "x", "device_name": "x"}',
    b"GET /api/files/1?until=5&signature=x\n\n",
    b"GET /api/drafts/bread/1/abc/index.html\n\n",
    b"GET /courses/sourdough/?x=%FF\nRange: bytes=0-5\nAccept-Encoding: br;q=1.0, gzip\n\n",
)


class Requests:
    """The whole service in memory; an answer of 500 is a find."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def open(self) -> None:
        """Start it."""
        await upgrade(self._settings.database_url)
        app = create_app(self._settings, open_gateways(self._settings))
        await app.service.catalog.start()
        self._service = app.service
        # 127.0.0.1 has limits too: each request comes from elsewhere.
        self._app, self._number = app, 0

    async def close(self) -> None:
        """Stop it."""
        await self._service.close()

    async def read(self, data: bytes) -> None:
        """One request: a line, headers, an empty line, and the body. Raises AssertionError for an answer of 500."""
        head, _, body = data.partition(b"\n\n")
        line, *rest = head.split(b"\n")
        method, _, target = line.partition(b" ")
        path, _, query = target.partition(b"?")
        parts = [each.partition(b":") for each in rest]
        headers = [(name.strip().lower(), value.strip()) for name, colon, value in parts if colon]
        self._number += 1
        scope = {
            "type": "http",
            "method": method.decode("latin-1") or "GET",
            "path": unquote(path.decode("latin-1")) or "/",
            "raw_path": path,
            "query_string": query,
            "headers": [*headers, (b"content-length", b"%d" % len(body)), (b"sec-fetch-site", b"same-origin")],
            "client": (f"10.{self._number >> 16 & 255}.{self._number >> 8 & 255}.{self._number & 255}", 1),
            "server": ("school.test", 443),
            "scheme": "https",
            "http_version": "1.1",
        }
        status = 0

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]

        await self._app(scope, receive, send)
        if status == 500:
            raise AssertionError("the service answered 500")


def settings_for_fuzzing(folder: Path) -> Settings:
    """An installation that knows nobody and reaches no partner."""
    manifest = folder / "catalog.json"
    if not manifest.exists():
        write_manifest(compile_manifest(load_catalog(ROOT / "course_data")), manifest)
    return Settings(
        site_url="https://school.test", secret_key="k" * 40, manifest=manifest, stripe_secret_key="rk_test_fuzz",
        stripe_webhook_secrets=SECRET, stripe_api_base="http://127.0.0.1:1", stream_base_url="https://stream.test",
        stream_unsigned=True, files_dir=ROOT / "course_data/files", smtp_host="127.0.0.1", smtp_port=1,
        smtp_security="none", mail_from="s@school.example", database_url=f"sqlite+aiosqlite:///{folder}/fuzz.sqlite3",
    )  # fmt: skip


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for one run."""
    return tempfile.TemporaryDirectory(prefix="coursewright-fuzz-")

"""The outside world: tokens, links, mail."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from pydantic import SecretStr

from dynamic_api.app import create_app
from dynamic_api.core.settings import Settings
from dynamic_api.gateways import open_gateways
from dynamic_api.gateways.payments import Payments
from dynamic_api.gateways.storage import LocalStorage, R2Storage, attachment
from dynamic_api.gateways.streaming import Streaming
from dynamic_api.mail.envelope import make_email
from dynamic_api.mail.text import Button, Text
from sitegen.catalog.model import Catalog
from tests.conftest import SigningKey
from tests.school import lifespan

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_stream_token_is_what_stream_documents(settings: Settings, signing_key: SigningKey) -> None:
    playback = Streaming(settings).playback("f" * 32, seconds=600, now=NOW)
    token = playback.iframe_url.split("/")[-2]
    assert jwt.get_unverified_header(token) | {"typ": "JWT"} == {"alg": "RS256", "kid": "testkey", "typ": "JWT"}
    claims = jwt.decode(token, signing_key.public, algorithms=["RS256"], options={"verify_exp": False})
    assert claims == {
        "sub": "f" * 32,
        "kid": "testkey",
        "exp": int((NOW + timedelta(seconds=600 + 900 + 300)).timestamp()),
    }
    assert playback.hls_url.endswith(f"/{token}/manifest/video.m3u8")
    long = Streaming(settings).playback("f" * 32, seconds=10**6, now=NOW)
    assert long.expires_at == NOW + timedelta(hours=24)


def test_r2_links_are_sigv4_and_short_lived(settings: Settings) -> None:
    bucket = {
        "r2_endpoint": "https://acc.r2.cloudflarestorage.com",
        "r2_bucket": "school",
        "r2_access_key_id": SecretStr("id"),
        "r2_secret_access_key": SecretStr("key"),
    }
    url = R2Storage(settings.model_copy(update=bucket)).link(
        "a/b ü.pdf", name="Brötchen", media_type="application/pdf", seconds=300
    )
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    assert parts.netloc == "acc.r2.cloudflarestorage.com"
    assert parts.path == "/school/a/b%20%C3%BC.pdf"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert "/auto/s3/" in query["X-Amz-Credential"][0]
    assert query["response-content-disposition"] == [attachment("Brötchen", "b.pdf")]
    assert not any("checksum" in name.lower() for name in query)


def test_file_names_in_any_alphabet_and_without_tricks() -> None:
    assert attachment("Brötchen", "x/y.pdf") == (
        "attachment; filename=\"Br_tchen.pdf\"; filename*=UTF-8''Br%C3%B6tchen.pdf"
    )
    assert "\r" not in attachment('a"\r\nSet-Cookie: x', "y.pdf")
    assert attachment("plan.PDF", "y.pdf").count(".") == 2


@pytest.mark.parametrize("key", ["../secret.txt", "/etc/passwd", "folder", "missing.pdf", "link.pdf"])
def test_local_storage_stays_inside_its_folder(tmp_path: Path, key: str) -> None:
    root = tmp_path / "files"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.pdf").symlink_to(tmp_path / "secret.txt")
    (root / "good.pdf").write_text("good")
    storage = LocalStorage(root)
    assert storage.path("good.pdf") is not None
    assert storage.path(key) is None


def test_mail_reads_the_same_in_text_and_html(catalog: Catalog) -> None:
    mail = Text(
        "Grüße", ("Hello <b> & welcome.",), Button("Open", "https://school.test/claim/#token=abc_-1"), ("Bye.",)
    )
    message = make_email(
        mail,
        site=catalog.site,
        site_url="https://school.test",
        sender="School <s@school.test>",
        to="a@b.test",
        message_id="receipt.ord_1",
        now=NOW,
    )
    raw = message.as_bytes()
    assert max(raw) < 128
    read = message_from_bytes(raw, policy=default)
    text, html = (read.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    for body in (text, html):
        assert "https://school.test/claim/#token=abc_-1" in body
        assert "Bye." in body
    assert "Hello <b> & welcome." in text
    assert "Hello &lt;b&gt; &amp; welcome." in html
    assert read["Message-ID"] == "<receipt.ord_1@school.test>"
    assert read["Auto-Submitted"] == "auto-generated"
    with pytest.raises(ValueError, match=r"linefeed|carriage"):
        make_email(
            Text("x\r\nBcc: evil@evil.test", ()),
            site=catalog.site,
            site_url="https://s.test",
            sender="s@s.test",
            to="a@b.test",
            message_id="x",
            now=NOW,
        )


async def test_unsigned_videos_only_where_it_is_said_and_with_a_warning(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    unsigned = settings.model_copy(update={"stream_unsigned": True, "stream_key_id": None, "stream_key_pem": None})
    playback = Streaming(unsigned).playback("f" * 32, seconds=60, now=NOW)
    assert playback.iframe_url == f"{settings.stream_base_url}/{'f' * 32}/iframe"
    for each, warned in ((settings, False), (unsigned, True)):
        caplog.clear()
        app = create_app(each.model_copy(update={"embedded_worker": False}), open_gateways(each))
        async with lifespan(app):
            pass
        assert ("anyone with a video's id can watch it" in caplog.text) == warned


def test_tokens_are_shared_for_minutes_and_never_outlive_their_time(settings: Settings) -> None:
    streaming = Streaming(settings)
    first = streaming.playback("f" * 32, seconds=600, now=NOW)
    assert streaming.playback("f" * 32, seconds=600, now=NOW + timedelta(minutes=4)) == first
    later = streaming.playback("f" * 32, seconds=600, now=NOW + timedelta(minutes=5))
    assert later != first
    assert first.expires_at - (NOW + timedelta(minutes=5)) >= timedelta(seconds=600 + 900)
    assert streaming.playback("e" * 32, seconds=600, now=NOW).iframe_url != first.iframe_url


@pytest.mark.parametrize(
    ("key", "live"), [("sk_test_x", False), ("rk_test_x", False), ("sk_live_x", True), ("rk_live_x", True)]
)
async def test_the_key_says_whether_money_is_real(settings: Settings, key: str, live: bool) -> None:
    payments = Payments(settings.model_copy(update={"stripe_secret_key": SecretStr(key)}))
    assert payments.livemode is live
    await payments.close()

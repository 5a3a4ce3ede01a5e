"""Settings: every fault at once, misspelt names told, and no secret shown."""

import traceback
from pathlib import Path

import pytest

from dynamic_api.core.read_settings import load_settings
from dynamic_api.core.settings import PREFIX, Settings, SettingsInvalid, variable
from dynamic_api.gateways import open_gateways
from dynamic_api.web.headers import KINDS, page_headers
from tests.conftest import ROOT, SigningKey


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder, so that no `.env` is found, and none of our variables."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, signing_key: SigningKey) -> None:
    """The least that a creator must set."""
    (tmp_path / "files").mkdir()
    values = {
        "SITE_URL": "https://school.test",
        "SECRET_KEY": "k" * 32,
        "STRIPE_SECRET_KEY": "sk_live_hush",
        "STRIPE_WEBHOOK_SECRETS": "whsec_hush",
        "STREAM_KEY_ID": "id",
        "STREAM_KEY_PEM": signing_key.pem,
        "STREAM_BASE_URL": "https://customer-x.cloudflarestream.com",
        "FILES_DIR": "files",
        "SMTP_HOST": "mail.test",
        "MAIL_FROM": "school@school.example",
    }
    for name, value in values.items():
        monkeypatch.setenv(PREFIX + name, value)


def test_missing_settings_are_named_all_at_once() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    for name, field in Settings.model_fields.items():
        assert (f"{variable(name)} is not set" in str(caught.value)) == field.is_required()


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY is too short: at least 32"),
        ("FILES_DIR", "", "or all four of COURSEWRIGHT_R2_ENDPOINT"),
        ("FILES_DIR", "nowhere", "there is no folder nowhere"),
        ("DATABASE_URL", "mysql://x/y", "write sqlite+aiosqlite:///FOLDER/FILE"),
        ("DATABASE_URL", "sqlite+aiosqlite://", "names no database"),
        ("DATABASE_URL", "postgresql+asyncpg://school@127.0.0.1:5432", "names no database"),
        ("DATABASE_URL", "nonsense", "write sqlite+aiosqlite:///FOLDER/FILE"),
        ("FORWARDED_ALLOW_IPS", "caddy", "addresses or networks"),
        ("VALKEY_URL", "127.0.0.1:6379", "valkey://host:6379/0"),
        ("SMTP_SECURITY", "none", "allowed only to this machine"),
        ("SMTP_SECURITY", "ssl", "must be 'tls', 'starttls' or 'none'"),
        ("SMTP_PORT", "99999", "at most 65535"),
        ("SITE_URL", "school.test", "without a path, such as https://school.example"),
        ("SITE_URL", "https://school.test/shop", "without a path"),
        ("STREAM_BASE_URL", "customer-x", "starts with https://"),
        ("STREAM_KEY_ID", "", "the signing key of your Stream account"),
        ("STREAM_BASE_URL", "", "Set COURSEWRIGHT_STREAM_BASE_URL"),
        ("STRIPE_WEBHOOK_SECRETS", ",", "STRIPE_WEBHOOK_SECRETS is too short"),
        ("STRIPE_WEBHOOK_SECRETS", "sk_live_x", "begins with whsec_"),
        ("HEARTBEAT_SECONDS", "1", "HEARTBEAT_SECONDS must be at least 5"),
        ("HEARTBEAT_SECONDS", "often", "HEARTBEAT_SECONDS must be a whole number"),
        ("TAX_IDS", "maybe", "TAX_IDS must be true or false"),
        ("MAIL_FROM", "School", "a name and an address"),
        ("STRIPE_SECRET_KYE", "x", "Did you mean COURSEWRIGHT_STRIPE_SECRET_KEY?"),
        ("ZZZ", "x", "COURSEWRIGHT_ZZZ is not a setting."),
    ],
)
def test_each_fault_has_its_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.usefixtures("configured")
def test_what_is_missing_hides_no_contradiction(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SITE_URL", "SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "STREAM_KEY_ID"):
        monkeypatch.delenv(PREFIX + name)
    monkeypatch.setenv(f"{PREFIX}FILES_DIR", "nowhere")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    said = str(caught.value).splitlines()
    assert len(said) == 5
    assert "Set COURSEWRIGHT_STREAM_KEY_ID and" in said[3]
    assert "there is no folder nowhere" in said[4]


@pytest.mark.usefixtures("configured")
def test_a_school_without_stream_sets_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEY_ID", "KEY_PEM", "BASE_URL"):
        monkeypatch.delenv(f"{PREFIX}STREAM_{name}")
    settings = load_settings()
    assert not open_gateways(settings).streaming.is_signed
    assert "frame-src 'self';" in page_headers(settings, KINDS[0])["Content-Security-Policy"]


@pytest.mark.usefixtures("configured")
def test_a_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COURSEWRIGHT_HEARTBEAT_SECONDS=20\nCOURSEWRIGHT_SMTP_HOST=other.test\n")
    settings = load_settings()
    assert (settings.heartbeat_seconds, settings.smtp_host) == (20, "mail.test")


@pytest.mark.usefixtures("configured")
def test_names_in_the_file_are_checked_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COURSEWRIGHT_HEARTBEAT=20\n")
    with pytest.raises(SettingsInvalid, match="COURSEWRIGHT_HEARTBEAT is not a setting"):
        load_settings()


@pytest.mark.usefixtures("configured")
def test_secrets_never_show(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    assert "hush" not in repr(settings) + str(settings) + f"{settings.stripe_secret_key}"
    assert settings.stripe_secret_key.get_secret_value() == "sk_live_hush"
    monkeypatch.setenv(f"{PREFIX}SECRET_KEY", "a short secret")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert "a short secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.usefixtures("configured")
def test_a_broken_key_stops_the_start_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}STREAM_KEY_PEM", "bm90IGEga2V5IGF0IGFsbA==")
    with pytest.raises(SettingsInvalid) as caught:
        open_gateways(load_settings())
    assert "STREAM_KEY_PEM" in str(caught.value)
    assert "bm90" not in "".join(traceback.format_exception(caught.value))


def test_docs_and_example_name_every_setting() -> None:
    documented = (ROOT / "docs/settings.md").read_text()
    example = (ROOT / ".env.example").read_text()
    for name in Settings.model_fields:
        assert f"`{variable(name)}`" in documented
        assert f"{variable(name)}=" in example


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's, in life; a folder is refused to every user."""
    (tmp_path / ".env").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsInvalid, match=r"\.env cannot be read: Is a directory\. Run this as the user"):
        load_settings()

"""Settings: all faults at once, and no secret ever shows."""

import dataclasses
import traceback

import pytest

from dynamic_api.config import Secret, Settings, SettingsInvalid, variable
from dynamic_api.gateways import open_gateways
from tests.conftest import ROOT, SigningKey


def environment(signing_key: SigningKey, **changes: str) -> dict[str, str]:
    values = {
        "SITE_URL": "https://school.test/",
        "SECRET_KEY": "k" * 32,
        "STRIPE_SECRET_KEY": "sk_live_hush",
        "STRIPE_WEBHOOK_SECRETS": "whsec_hush",
        "STREAM_KEY_ID": "id",
        "STREAM_KEY_PEM": signing_key.pem,
        "STREAM_BASE_URL": "https://customer-x.cloudflarestream.com",
        "FILES_DIR": "files",
        "SMTP_HOST": "mail.test",
        "MAIL_FROM": "school@school.test",
        **changes,
    }
    return {f"COURSEWRIGHT_{name}": value for name, value in values.items() if value}


def test_missing_settings_are_named_all_at_once() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.from_environ({})
    for each in dataclasses.fields(Settings):
        assert (variable(each) in str(caught.value)) == (each.default is dataclasses.MISSING)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"FILES_DIR": ""}, "or all four of COURSEWRIGHT_R2_ENDPOINT"),
        ({"SMTP_SECURITY": "none"}, "allowed to this machine only"),
        ({"SITE_URL": "school.test"}, "starts with https://"),
        ({"HEARTBEAT_SECONDS": "1"}, "at least 5"),
        ({"HEARTBEAT_SECONDS": "often"}, "HEARTBEAT_SECONDS cannot be read"),
        ({"TAX_IDS": "maybe"}, "write true or false"),
    ],
)
def test_contradictions_are_told(signing_key: SigningKey, change: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsInvalid, match=expected):
        Settings.from_environ(environment(signing_key, **change))


def test_secrets_never_show(signing_key: SigningKey) -> None:
    settings = Settings.from_environ(environment(signing_key))
    assert "hush" not in repr(settings) + str(settings) + f"{settings.stripe_secret_key}"
    assert settings.stripe_secret_key == Secret("sk_live_hush")
    assert settings.site_url == "https://school.test"


def test_a_broken_key_stops_the_start_without_showing_it(signing_key: SigningKey) -> None:
    settings = Settings.from_environ(environment(signing_key, STREAM_KEY_PEM="bm90IGEga2V5IGF0IGFsbA=="))
    with pytest.raises(SettingsInvalid) as caught:
        open_gateways(settings)
    assert "STREAM_KEY_PEM" in str(caught.value)
    assert "bm90" not in "".join(traceback.format_exception(caught.value))


def test_docs_and_example_name_every_setting() -> None:
    documented = (ROOT / "docs/settings.md").read_text()
    example = (ROOT / ".env.example").read_text()
    for each in dataclasses.fields(Settings):
        assert f"`{variable(each)}`" in documented
        assert f"{variable(each)}=" in example

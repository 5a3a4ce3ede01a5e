"""Reads the settings from the environment and `.env`, and says what is wrong with them, all at once."""

import os
from collections.abc import Iterator
from difflib import get_close_matches

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dynamic_api.core.settings import (
    ENV_FILE,
    LOOPBACK,
    PREFIX,
    MediaSettings,
    Settings,
    SettingsInvalid,
    SmtpSecurity,
    Tax,
    variable,
)


def load_media_settings() -> MediaSettings:
    """Read the environment and `.env`. Raises SettingsInvalid."""
    try:
        return MediaSettings()
    except ValidationError as error:
        sentences = [_sentence(each) for each in error.errors(include_url=False, include_input=False)]
        raise SettingsInvalid("\n".join(sentences)) from None


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises SettingsInvalid with everything that is wrong at once."""
    _check_file()
    problems = list(_unknown_names())
    try:
        # The required fields come from the environment, which mypy cannot see.
        settings = Settings()
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        problems += [_sentence(each) for each in faults]
        problems += _contradictions_beside({str(each["loc"][0]) for each in faults})
    else:
        problems += _contradictions(settings)
        if not problems:
            return settings
    raise SettingsInvalid("\n".join(problems))


def _check_file() -> None:
    try:
        if ENV_FILE.exists():
            ENV_FILE.open().close()
    except OSError as error:
        remedy = "Run this as the user that it belongs to."
        raise SettingsInvalid(f"{ENV_FILE.resolve()} cannot be read: {error.strerror}. {remedy}") from None


def _unknown_names() -> Iterator[str]:
    """Names that begin like ours and are none: probably misspelt, and without effect."""
    known = [variable(field) for field in Settings.model_fields]
    for name in sorted({*os.environ, *dotenv_values(ENV_FILE)}):
        if name.startswith(PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1)
            yield f"{name} is not a setting." + (f" Did you mean {near[0]}?" if near else "")


def _sentence(error: ErrorDetails) -> str:
    """What is wrong with one setting. Its value stays out of the message: it may be a secret."""
    field = str(error["loc"][0])
    name, limits = variable(field), error.get("ctx", {})
    kind = error["type"]
    if kind == "missing":
        return f"{name} is not set: {Settings.model_fields[field].description}"
    if kind in ("too_short", "string_too_short"):
        return f"{name} is too short: at least {limits.get('min_length')} are needed."
    if kind == "bool_parsing":
        return f"{name} must be true or false."
    if kind == "int_parsing":
        return f"{name} must be a whole number."
    if kind == "greater_than_equal":
        return f"{name} must be at least {limits.get('ge')}."
    if kind == "less_than_equal":
        return f"{name} must be at most {limits.get('le')}."
    if kind == "enum":
        return f"{name} must be {limits.get('expected')}."
    return f"{name}: {error['msg'].removeprefix('Value error, ')}."


def _contradictions_beside(wrong: set[str]) -> list[str]:
    """What contradicts itself among the other settings: those that are wrong stand as sound ones meanwhile."""
    stand_ins = {name: (Settings.model_fields[name].examples or [None])[0] for name in wrong}
    if "secret_key" in wrong:
        stand_ins["secret_key"] = "-" * 32  # its example is a command that makes one
    try:
        found = list(_contradictions(Settings(**stand_ins)))
    except ValidationError:
        return []
    return [sentence for sentence in found if not any(variable(name) in sentence for name in wrong)]


def _contradictions(settings: Settings) -> Iterator[str]:
    """What each setting alone cannot get wrong."""
    stream = (settings.stream_base_url, settings.stream_key_id, settings.stream_key_pem, settings.stream_unsigned)
    if any(stream) and not settings.stream_base_url:
        yield f"Set {PREFIX}STREAM_BASE_URL: the address of your Stream account's player."
    if any(stream) and not settings.stream_unsigned and not (settings.stream_key_id and settings.stream_key_pem):
        yield f"Set {PREFIX}STREAM_KEY_ID and {PREFIX}STREAM_KEY_PEM: the signing key of your Stream account."
    if not all(each.get_secret_value().startswith("whsec_") for each in settings.stripe_webhook_secrets):
        yield f"{variable('stripe_webhook_secrets')}: the signing secret of a webhook endpoint begins with whsec_."
    r2 = (settings.r2_endpoint, settings.r2_bucket, settings.r2_access_key_id, settings.r2_secret_access_key)
    if settings.files_dir is None and not all(r2):
        yield f"Set {PREFIX}FILES_DIR, or all four of {PREFIX}R2_ENDPOINT, _BUCKET, _ACCESS_KEY_ID, _SECRET_ACCESS_KEY."
    if settings.files_dir is not None and not settings.files_dir.is_dir():
        yield f"{variable('files_dir')}: there is no folder {settings.files_dir}. Make it, or name another."
    if settings.tax is Tax.MANAGED:
        for field in ("tax_ids", "invoices"):
            if getattr(settings, field):
                yield f"{variable(field)}: Stripe refuses it beside {PREFIX}TAX=managed, where it does both itself."
    if settings.smtp_security is SmtpSecurity.NONE and settings.smtp_host not in LOOPBACK:
        yield f"{PREFIX}SMTP_SECURITY=none sends passwords unencrypted; it is allowed only to this machine."

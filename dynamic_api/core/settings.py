"""Every setting, in one typed place, from the environment and from a `.env` file.

`docs/settings.md` and `.env.example` are made from this file (`coursewright settings`).
"""

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from dynamic_api.core.emails import Email, EmailInvalid

PREFIX = "COURSEWRIGHT_"
ENV_FILE = Path(".env")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsInvalid(Exception):
    """Settings are missing or unreadable; the message names every one of them."""


class SmtpSecurity(StrEnum):
    """How the connection to the mail server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Tax(StrEnum):
    """Who takes care of taxes."""

    OFF = "off"
    STRIPE = "stripe-tax"
    MANAGED = "managed"


class TaxBehavior(StrEnum):
    """Whether a price contains the tax."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("write an address that starts with https://")
    return text.rstrip("/")


def _site_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+", text):
        raise ValueError("write the address without a path, such as https://school.example")
    return text


def _sender(text: str) -> str:
    try:
        Email.parse(parseaddr(text)[1])
    except EmailInvalid:
        raise ValueError("write an address, or a name and an address: School <school@school.example>") from None
    return text


def _comma_separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(_url)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_comma_separated)]


class Settings(BaseSettings):
    """What an installation may choose. Secrets have no defaults, and never show in logs or messages."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    # The site
    site_url: Annotated[str, AfterValidator(_site_url)] = Field(
        description="The address visitors type; all links are made from it.", examples=["https://school.example"]
    )
    secret_key: SecretStr = Field(
        description="At least 32 random characters; signs download links.",
        examples=["openssl rand -hex 32"],
        min_length=32,
    )
    database_url: str = Field(
        default="sqlite+aiosqlite:///var/coursewright.sqlite3",
        description="Address of the database, as SQLAlchemy writes it.",
        examples=["postgresql+asyncpg://user:password@host/name"],
    )
    manifest: Path = Field(
        default=Path("build/catalog.json"), description="The compiled catalogue.", examples=["build/catalog.json"]
    )
    output: Path | None = Field(
        default=None,
        description="Serve the static site from this folder too; leave empty where a CDN or proxy does.",
        examples=["output"],
    )
    forwarded_allow_ips: str = Field(
        default="127.0.0.1",
        description="Proxies whose X-Forwarded-For and -Proto are believed; addresses or networks, with commas.",
        examples=["10.0.0.0/8"],
    )
    embedded_worker: bool = Field(
        default=True,
        description="Run the job worker inside the service. Set false where `coursewright work` runs beside it.",
        examples=["true"],
    )

    # Publishing: `coursewright publish` alone reads these
    publish_to: str | None = Field(
        default=None,
        description="Where the site is published: a folder, `rsync:HOST:/FOLDER` or `s3:BUCKET/PREFIX`.",
        examples=["rsync:school@server:/srv/school/site"],
    )
    publish_private_to: str | None = Field(
        default=None,
        description="Where `build/catalog.json` and the pictures of paid texts go, if the service runs elsewhere.",
        examples=["rsync:school@server:/srv/school/build"],
    )
    publish_s3_endpoint: Url | None = Field(
        default=None,
        description="Address of the bucket's server; Amazon's, unless set. Keys are AWS_ACCESS_KEY_ID and _SECRET_….",
        examples=["https://ACCOUNT.r2.cloudflarestorage.com"],
    )

    # Stripe
    stripe_secret_key: SecretStr = Field(
        description="Secret or restricted key of the Stripe account.", examples=["rk_live_…"]
    )
    stripe_webhook_secrets: SecretList = Field(
        description="Signing secrets of the webhook endpoint; two, with a comma, while one is being replaced.",
        examples=["whsec_…"],
        min_length=1,
    )
    stripe_api_base: Url = Field(
        default="https://api.stripe.com",
        description="Stripe's API; another address only for the sandbox.",
        examples=["https://api.stripe.com"],
    )
    stripe_checkout_origin: Url = Field(
        default="https://checkout.stripe.com",
        description="Origin of Stripe's payment page; differs with a custom domain.",
        examples=["https://checkout.stripe.com"],
    )
    tax: Tax = Field(
        default=Tax.OFF,
        description=(
            "`off`; `stripe-tax`: Stripe computes and collects taxes, set it up in the dashboard first; `managed`: "
            "Stripe is the seller of record (Managed Payments)."
        ),
        examples=["off"],
    )
    tax_code: str = Field(
        default="txcd_20060258",
        description="Stripe's tax code of the courses: on-demand video with downloads, unless set.",
        examples=["txcd_20060258"],
        pattern=r"^txcd_\d{8}$",
    )
    tax_behavior: TaxBehavior = Field(
        default=TaxBehavior.INCLUSIVE,
        description="Whether prices in the course files contain the tax (`inclusive`), or it is added (`exclusive`).",
        examples=["inclusive"],
    )
    tax_ids: bool = Field(default=False, description="Let business buyers enter their tax number.", examples=["false"])
    invoices: bool = Field(
        default=False, description="Let Stripe make an invoice for each purchase.", examples=["false"]
    )
    terms_consent: bool = Field(
        default=False,
        description="Ask buyers to accept the terms; their address must be set in Stripe's dashboard.",
        examples=["false"],
    )

    # Cloudflare Stream; a school without videos there sets none of these
    stream_key_id: str | None = Field(
        default=None, description="Id of the Stream signing key.", examples=["8f926b2b01f383510025a78a4dcbf6a"]
    )
    stream_key_pem: SecretStr | None = Field(
        default=None,
        description="The signing key's `pem`, base64 as Stream returns it.",
        examples=["LS0tLS1CRUdJTi…"],
    )
    stream_unsigned: bool = Field(
        default=False,
        description=(
            "Play videos that do not require signed addresses: anyone with a video's id can watch it. "
            "The service warns of it at its start."
        ),
        examples=["false"],
    )
    stream_base_url: Url | None = Field(
        default=None,
        description="The account's player address.",
        examples=["https://customer-abc123.cloudflarestream.com"],
    )
    stream_sdk_url: Url = Field(
        default="https://embed.cloudflarestream.com/embed/sdk.latest.js",
        description="The player's script.",
        examples=["https://embed.cloudflarestream.com/embed/sdk.latest.js"],
    )
    stream_account_id: str | None = Field(
        default=None,
        description="The Cloudflare account of the videos; only the commands `media` and `captions` need it.",
        examples=["023e105f4ecef8ad9…"],
    )
    stream_api_token: SecretStr | None = Field(
        default=None,
        description="A token with the permission Stream: Edit, for `media` and `captions`; keep it from the service.",
        examples=["…"],
    )
    stream_api_base: Url = Field(
        default="https://api.cloudflare.com/client/v4",
        description="Cloudflare's API; another address only for the sandbox.",
        examples=["https://api.cloudflare.com/client/v4"],
    )
    playback_margin_seconds: int = Field(
        default=900,
        ge=60,
        le=12 * 3600,
        description="Seconds added to a lesson's length to get its playback token's lifetime.",
        examples=["900"],
    )

    # Files
    files_dir: Path | None = Field(
        default=None,
        description="Downloads from this folder of the local disk; leave empty to use R2.",
        examples=["course_data/files"],
    )
    r2_endpoint: Url | None = Field(
        default=None, description="R2's S3 address.", examples=["https://ACCOUNT.r2.cloudflarestorage.com"]
    )
    r2_bucket: str | None = Field(default=None, description="The bucket.", examples=["school-files"])
    r2_access_key_id: SecretStr | None = Field(
        default=None, description="Key id of a token that may read this bucket.", examples=["…"]
    )
    r2_secret_access_key: SecretStr | None = Field(default=None, description="Its secret.", examples=["…"])
    download_seconds: int = Field(
        default=300, ge=60, le=3600, description="Lifetime of a download link.", examples=["300"]
    )

    # Email
    smtp_host: str = Field(description="Mail server.", examples=["smtp.example"])
    smtp_port: int = Field(
        default=587, ge=1, le=65535, description="465 for TLS from the start, 587 for STARTTLS.", examples=["587"]
    )
    smtp_user: str | None = Field(
        default=None, description="User name, if the server requires one.", examples=["school"]
    )
    smtp_password: SecretStr | None = Field(default=None, description="Its password.", examples=["…"])
    smtp_security: SmtpSecurity = Field(
        default=SmtpSecurity.STARTTLS,
        description="`tls`, `starttls` or `none` (loopback only).",
        examples=["starttls"],
    )
    mail_from: Annotated[str, AfterValidator(_sender)] = Field(
        description="Sender of every email.", examples=["Lantern Workshop <school@school.example>"]
    )

    # Learning
    completion_percent: int = Field(
        default=90,
        ge=1,
        le=100,
        description="A lesson is complete when this much of it was watched.",
        examples=["90"],
    )
    heartbeat_seconds: int = Field(
        default=15, ge=5, description="How often players report their position; at least 5.", examples=["15"]
    )

    @property
    def is_https(self) -> bool:
        """Whether cookies may carry the __Host- prefix."""
        return self.site_url.startswith("https://")


class MediaSettings(BaseSettings):
    """The part that commands about videos and files need: on a creator's machine, the rest is often not set."""

    model_config = Settings.model_config

    stream_account_id: str | None = None
    stream_api_token: SecretStr | None = None
    stream_api_base: Url = Settings.model_fields["stream_api_base"].default
    files_dir: Path | None = None
    r2_endpoint: Url | None = None
    r2_bucket: str | None = None
    r2_access_key_id: SecretStr | None = None
    r2_secret_access_key: SecretStr | None = None


def load_media_settings() -> MediaSettings:
    """Read the environment and `.env`. Raises SettingsInvalid."""
    try:
        return MediaSettings()
    except ValidationError as error:
        sentences = [_sentence(each) for each in error.errors(include_url=False, include_input=False)]
        raise SettingsInvalid("\n".join(sentences)) from None


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises SettingsInvalid with everything that is wrong at once."""
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


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


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
    r2 = (settings.r2_endpoint, settings.r2_bucket, settings.r2_access_key_id, settings.r2_secret_access_key)
    if settings.files_dir is None and not all(r2):
        yield f"Set {PREFIX}FILES_DIR, or all four of {PREFIX}R2_ENDPOINT, _BUCKET, _ACCESS_KEY_ID, _SECRET_ACCESS_KEY."
    for field, folder in (("files_dir", settings.files_dir), ("output", settings.output)):
        if folder is not None and not folder.is_dir():
            yield f"{variable(field)}: there is no folder {folder}."
    if settings.tax is Tax.MANAGED:
        for field in ("tax_ids", "invoices"):
            if getattr(settings, field):
                yield f"{variable(field)}: Stripe refuses it beside {PREFIX}TAX=managed, where it does both itself."
    if settings.smtp_security is SmtpSecurity.NONE and settings.smtp_host not in LOOPBACK:
        yield f"{PREFIX}SMTP_SECURITY=none sends passwords unencrypted; it is allowed only to this machine."

"""Every setting, in one typed place, from the environment and from a `.env` file.

`docs/settings.md` and `.env.example` are made from this file (`coursewright settings`).
"""

import re
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

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


def _valkey_url(text: SecretStr | None) -> SecretStr | None:
    if text is not None and not text.get_secret_value().startswith(("valkey://", "valkeys://", "unix://")):
        raise ValueError("write an address such as valkey://host:6379/0, valkeys:// with TLS, or unix:///socket")
    return text


def _database_url(text: str) -> str:
    remedy = "write sqlite+aiosqlite:///FOLDER/FILE, or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError(remedy) from None
    if url.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise ValueError(remedy)
    if not url.database or url.database == ":memory:":
        raise ValueError(f"the address names no database; {remedy}")
    return text


def _networks(text: str) -> str:
    for each in text.split(","):
        if each.strip() not in ("*", ""):
            try:
                ip_network(each.strip(), strict=False)
            except ValueError:
                raise ValueError("write addresses or networks with commas between, such as 10.0.0.0/8") from None
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
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite+aiosqlite:///var/coursewright.sqlite3",
        description="Address of the database, as SQLAlchemy writes it.",
        examples=["postgresql+asyncpg://user:password@host/name"],
    )
    database_connections: int = Field(
        default=20,
        ge=4,
        le=1000,
        description="Connections of one process to PostgreSQL, at most; those of all processes must fit its limit.",
        examples=["20"],
    )
    database_pooler: bool = Field(
        default=False,
        description="The address is a pooler in transaction mode, such as PgBouncer: nothing is kept on a connection.",
        examples=["false"],
    )
    database_seconds: int = Field(
        default=15,
        ge=1,
        le=300,
        description="Seconds after which a statement on PostgreSQL is cancelled and the request answered with 503.",
        examples=["15"],
    )
    valkey_url: Annotated[SecretStr | None, AfterValidator(_valkey_url)] = Field(
        default=None,
        description="Valkey or Redis, where limits on attempts are counted for all processes; in memory, unless set.",
        examples=["valkey://127.0.0.1:6379/0"],
    )
    manifest: Path = Field(
        default=Path("build/catalog.json"), description="The compiled catalogue.", examples=["build/catalog.json"]
    )
    output: Path | None = Field(
        default=None,
        description="Serve the static site from this folder too; leave empty where a CDN or proxy does.",
        examples=["output"],
    )
    forwarded_allow_ips: Annotated[str, AfterValidator(_networks)] = Field(
        default="127.0.0.1",
        description="Proxies whose X-Forwarded-For and -Proto are believed; addresses or networks, with commas.",
        examples=["10.0.0.0/8"],
    )
    embedded_worker: bool = Field(
        default=True,
        description="Run the job worker inside the service. Set false where `coursewright work` runs beside it.",
        examples=["true"],
    )

    keep_days: int = Field(
        default=30,
        ge=7,
        description="Days that ended links and finished regular jobs are kept.",
        examples=["30"],
    )
    keep_event_days: int = Field(
        default=180,
        ge=130,
        description="Days that the bodies of Stripe's events are kept; a dispute may arrive 120 days after a payment.",
        examples=["180"],
    )
    keep_visit_days: int = Field(
        default=400,
        ge=30,
        description="Days that records of signing in, downloads and commands are kept.",
        examples=["400"],
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="What a monitor sends as a bearer token to read /metrics; only this machine may, unless set.",
        examples=["openssl rand -hex 16"],
    )
    traces_endpoint: Url | None = Field(
        default=None,
        description="Where OpenTelemetry traces are sent (OTLP over HTTP); needs the extra `traces`.",
        examples=["http://127.0.0.1:4318/v1/traces"],
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


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()

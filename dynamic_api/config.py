"""Every setting, in one typed place, from the environment.

docs/settings.md and .env.example are made from this file (`scripts/coursewright settings`).
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

PREFIX = "COURSEWRIGHT_"
T = TypeVar("T")


class Secret:
    """A value that never shows itself. `reveal()` says where it is really used."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(**********)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class SettingsInvalid(Exception):
    """Settings are missing or unreadable; the message names every one of them."""


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("write true or false")


def _secrets(text: str) -> tuple[Secret, ...]:
    return tuple(Secret(part.strip()) for part in text.split(",") if part.strip())


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("write an address that starts with https://")
    return text.rstrip("/")


def setting(parse: Callable[[str], T], help: str, example: str, default: Any = MISSING) -> Any:
    """A field read from COURSEWRIGHT_<NAME>. Without a default, the service does not start without it."""
    metadata = {"parse": parse, "help": help, "example": example}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an installation may choose. Secrets have no defaults."""

    # The site
    site_url: str = setting(
        _address, "The address visitors type; all links are made from it.", "https://school.example"
    )
    secret_key: Secret = setting(Secret, "At least 32 random characters; signs download links.", "openssl rand -hex 32")
    database_url: str = setting(
        str,
        "SQLAlchemy address of the database.",
        "postgresql+asyncpg://user:password@host/name",
        "sqlite+aiosqlite:///var/coursewright.sqlite3",
    )
    manifest: Path = setting(Path, "The compiled catalogue.", "build/catalog.json", Path("build/catalog.json"))
    output: Path | None = setting(
        Path, "Serve the static site from this folder too; leave empty where a CDN or proxy does.", "output", None
    )
    forwarded_allow_ips: str = setting(
        str,
        "Proxies whose X-Forwarded-For and -Proto are believed; addresses or networks, with commas.",
        "10.0.0.0/8",
        "127.0.0.1",
    )
    embedded_worker: bool = setting(
        _flag,
        "Run the job worker inside the service. Set false where `scripts/coursewright work` runs beside it.",
        "true",
        True,
    )

    # Stripe
    stripe_secret_key: Secret = setting(Secret, "Secret or restricted key of the Stripe account.", "rk_live_…")
    stripe_webhook_secrets: tuple[Secret, ...] = setting(
        _secrets, "Signing secrets of the webhook endpoint; two, with a comma, while one is being replaced.", "whsec_…"
    )
    stripe_api_base: str = setting(
        _address,
        "Stripe's API; another address only for the sandbox.",
        "https://api.stripe.com",
        "https://api.stripe.com",
    )
    stripe_checkout_origin: str = setting(
        _address,
        "Where Stripe's payment page stands; differs with a custom domain.",
        "https://checkout.stripe.com",
        "https://checkout.stripe.com",
    )
    automatic_tax: bool = setting(
        _flag, "Let Stripe Tax compute and collect taxes; switch it on in Stripe's dashboard first.", "false", False
    )
    tax_ids: bool = setting(_flag, "Let business buyers type their tax number.", "false", False)
    invoices: bool = setting(_flag, "Let Stripe make an invoice for each purchase.", "false", False)
    terms_consent: bool = setting(
        _flag, "Ask buyers to accept the terms; their address must be set in Stripe's dashboard.", "false", False
    )

    # Cloudflare Stream
    stream_key_id: str | None = setting(str, "Id of the Stream signing key.", "8f926b2b01f383510025a78a4dcbf6a", None)
    stream_key_pem: Secret | None = setting(
        Secret, "The signing key's `pem`, base64 as Stream returns it.", "LS0tLS1CRUdJTi…", None
    )
    stream_unsigned: bool = setting(
        _flag,
        "Play videos that do not require signed addresses: whoever learns an id can watch. The service warns of it.",
        "false",
        False,
    )
    stream_base_url: str = setting(
        _address, "The account's player address.", "https://customer-abc123.cloudflarestream.com"
    )
    stream_sdk_url: str = setting(
        _address,
        "The player's script.",
        "https://embed.cloudflarestream.com/embed/sdk.latest.js",
        "https://embed.cloudflarestream.com/embed/sdk.latest.js",
    )

    stream_account_id: str | None = setting(
        str,
        "The Cloudflare account of the videos; `scripts/coursewright captions` alone.",
        "023e105f4ecef8ad9…",
        None,
    )
    stream_api_token: Secret | None = setting(
        Secret, "A token with the permission Stream: Edit; for `captions` alone, keep it from the service.", "…", None
    )
    stream_api_base: str = setting(
        _address,
        "Cloudflare's API; another address only for the sandbox.",
        "https://api.cloudflare.com/client/v4",
        "https://api.cloudflare.com/client/v4",
    )
    playback_margin_seconds: int = setting(
        int, "A playback token lives for the lesson's length and this; the page asks for another in time.", "900", 900
    )

    # Files
    files_dir: Path | None = setting(
        Path, "Downloads from this folder of the local disk; leave empty to use R2.", "course_data/files", None
    )
    r2_endpoint: str | None = setting(_address, "R2's S3 address.", "https://ACCOUNT.r2.cloudflarestorage.com", None)
    r2_bucket: str | None = setting(str, "The bucket.", "school-files", None)
    r2_access_key_id: Secret | None = setting(Secret, "Key id of a token that may read this bucket.", "…", None)
    r2_secret_access_key: Secret | None = setting(Secret, "Its secret.", "…", None)
    download_seconds: int = setting(int, "Life of a download link.", "300", 300)

    # Mail
    smtp_host: str = setting(str, "Mail server.", "smtp.example")
    smtp_port: int = setting(int, "465 with TLS from the start, 587 with STARTTLS.", "587", 587)
    smtp_user: str | None = setting(str, "User name, where the server wants one.", "school", None)
    smtp_password: Secret | None = setting(Secret, "Its password.", "…", None)
    smtp_security: str = setting(str, "`tls`, `starttls` or `none` (loopback only).", "starttls", "starttls")
    mail_from: str = setting(str, "Sender of all mail.", "Lantern Workshop <school@school.example>")

    # Learning
    completion_percent: int = setting(int, "A lesson is complete when this much of it was watched.", "90", 90)
    heartbeat_seconds: int = setting(int, "How often players tell their position; at least 5.", "15", 15)

    @property
    def is_https(self) -> bool:
        """Whether cookies may carry the __Host- prefix."""
        return self.site_url.startswith("https://")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read every setting. Raises SettingsInvalid with all that is wrong at once."""
        problems: list[str] = []
        values: dict[str, Any] = {}
        for each in fields(cls):
            name = variable(each)
            text = environ.get(name, "").strip()
            if not text:
                if each.default is MISSING:
                    problems.append(f"{name} is not set: {each.metadata['help']}")
                continue
            try:
                values[each.name] = each.metadata["parse"](text)
            except ValueError as error:
                # The value itself stays out of the message: it may be a secret.
                problems.append(f"{name} cannot be read: {error}")
        if not problems:
            settings = cls(**values)
            problems = list(_contradictions(settings))
            if not problems:
                return settings
        raise SettingsInvalid("\n".join(problems))


def variable(each: "Field[Any]") -> str:
    """The environment variable of a field."""
    return PREFIX + each.name.upper()


def _contradictions(settings: Settings) -> list[str]:
    found = []
    if len(settings.secret_key.reveal()) < 32:
        found.append(f"{PREFIX}SECRET_KEY is too short: use at least 32 random characters")
    if not settings.stream_unsigned and not (settings.stream_key_id and settings.stream_key_pem):
        found.append(f"Set {PREFIX}STREAM_KEY_ID and {PREFIX}STREAM_KEY_PEM: the signing key of your Stream account")
    r2 = (settings.r2_endpoint, settings.r2_bucket, settings.r2_access_key_id, settings.r2_secret_access_key)
    if settings.files_dir is None and not all(r2):
        found.append(
            f"Set {PREFIX}FILES_DIR, or all four of {PREFIX}R2_ENDPOINT, _BUCKET, _ACCESS_KEY_ID, _SECRET_ACCESS_KEY"
        )
    if settings.smtp_security not in ("tls", "starttls", "none"):
        found.append(f"{PREFIX}SMTP_SECURITY must be tls, starttls or none")
    if settings.smtp_security == "none" and settings.smtp_host not in ("127.0.0.1", "::1", "localhost"):
        found.append(f"{PREFIX}SMTP_SECURITY=none sends passwords in the clear; it is allowed to this machine only")
    if not 1 <= settings.completion_percent <= 100:
        found.append(f"{PREFIX}COMPLETION_PERCENT must be between 1 and 100")
    if settings.heartbeat_seconds < 5:
        found.append(f"{PREFIX}HEARTBEAT_SECONDS must be at least 5")
    if not 60 <= settings.playback_margin_seconds <= 12 * 3600:
        found.append(f"{PREFIX}PLAYBACK_MARGIN_SECONDS must be between 60 and 43200")
    if not 60 <= settings.download_seconds <= 3600:
        found.append(f"{PREFIX}DOWNLOAD_SECONDS must be between 60 and 3600")
    return found

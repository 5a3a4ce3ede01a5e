"""Stream, the file store and the mail server: reached, and closed to everybody else. Nothing is sent or written."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import aiosmtplib
import httpx

from dynamic_api.core.settings import Settings, SmtpSecurity
from dynamic_api.doctor.findings import ONE_EACH, Finding, failed, passed, skipped
from dynamic_api.gateways.storage import LocalStorage, R2Storage, Storage
from dynamic_api.gateways.streaming import Streaming, StreamNotSet

_TIMEOUT = 15  # seconds


async def look_at_mail(settings: Settings) -> Finding:
    """Connect, protect the connection, and sign in; no message is sent."""
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        use_tls=settings.smtp_security is SmtpSecurity.TLS,
        start_tls=settings.smtp_security is SmtpSecurity.STARTTLS,
        timeout=_TIMEOUT,
    )
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        await client.connect()
        if settings.smtp_user:
            password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
            await client.login(settings.smtp_user, password)
        await client.quit()
    except aiosmtplib.SMTPAuthenticationError:
        return failed("mail", f"{where} refuses the password", "Check COURSEWRIGHT_SMTP_USER and _PASSWORD.")
    except (aiosmtplib.SMTPException, OSError) as error:
        remedy = "Check COURSEWRIGHT_SMTP_HOST, _PORT and _SECURITY: 465 is tls, 587 starttls."
        return failed("mail", f"{where}: {error or type(error).__name__}", remedy)
    kind = "without encryption" if settings.smtp_security is SmtpSecurity.NONE else "encrypted"
    return passed("mail", f"{where} accepts us, {kind}")


async def look_at_stream(streaming: Streaming, video: str | None, *, now: datetime) -> AsyncIterator[Finding]:
    """Whether a signed address plays a video of the courses, and the video's id alone does not."""
    if video is None:
        yield skipped("Stream", "no course has a video there")
        return
    try:
        signed = streaming.playback(video, seconds=60, now=now).hls_url
    except StreamNotSet:
        yield failed("Stream", "courses have videos there, and no setting of Stream is set",
                     "Set COURSEWRIGHT_STREAM_BASE_URL, _KEY_ID and _KEY_PEM.")  # fmt: skip
        return
    plain = f"{signed.partition('/manifest/')[0].rpartition('/')[0]}/{video}/manifest/video.m3u8"
    async with httpx.AsyncClient(timeout=_TIMEOUT, limits=ONE_EACH, follow_redirects=True) as client:
        try:
            opened = await client.get(signed)
            by_id = await client.get(plain) if streaming.is_signed else None
        except httpx.HTTPError as error:
            yield failed("Stream", f"cannot be reached: {error or type(error).__name__}",
                         "Check COURSEWRIGHT_STREAM_BASE_URL.")  # fmt: skip
            return
    if opened.is_success:
        yield passed("Stream", f"plays {video} at a signed address")
    else:
        yield failed("Stream", f"answers {opened.status_code} to an address that we signed",
                     "Check COURSEWRIGHT_STREAM_KEY_ID, _KEY_PEM, _BASE_URL: of one account.")  # fmt: skip
    if by_id is None:
        yield failed("Stream access", "COURSEWRIGHT_STREAM_UNSIGNED is set: everybody with an id can watch",
                     "Set a signing key, and let videos require signed addresses.")  # fmt: skip
    elif by_id.is_success:
        yield failed("Stream access", f"everybody who knows its id can watch {video}",
                     "Run “coursewright check --media --write”: it closes every video.")  # fmt: skip
    else:
        yield passed("Stream access", "a video's id alone plays nothing")


async def look_at_files(storage: Storage, key: str | None) -> Finding:
    """Whether a file of the courses can be fetched by a link, and not without."""
    if isinstance(storage, LocalStorage):
        if key is None:
            return skipped("files", "no course has a file")
        if storage.path(key) is None:
            return failed("files", f"there is no {key}", "Copy the file to COURSEWRIGHT_FILES_DIR.")
        return passed("files", f"{key} is there")
    return await _bucket(storage, key)


async def _bucket(storage: R2Storage, key: str | None) -> Finding:
    if key is None:
        return skipped("files", "no course has a file")
    link = storage.link(key, name=Path(key).name, media_type="application/octet-stream", seconds=60)
    async with httpx.AsyncClient(timeout=_TIMEOUT, limits=ONE_EACH) as client:
        try:
            async with client.stream("GET", link) as answer:
                status = answer.status_code
            bare = await client.head(link.partition("?")[0])
        except httpx.HTTPError as error:
            return failed("files", f"the bucket cannot be reached: {error}", "Check COURSEWRIGHT_R2_ENDPOINT.")
    if status == 404:
        return failed("files", f"the bucket has no {key}", "Put it up: coursewright media upload.")
    if status != 200:
        return failed("files", f"the bucket answers {status} to a signed link",
                      "Check COURSEWRIGHT_R2_BUCKET and the keys: they need to read objects.")  # fmt: skip
    if bare.is_success:
        return failed("files", "everybody can fetch files without a link", "Make the bucket private.")
    return passed("files", f"{key} opens with a signed link, and not without")

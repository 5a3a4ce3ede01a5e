"""Cloudflare Stream: playback tokens are signed here, so that no playback waits for a call to Cloudflare.

https://developers.cloudflare.com/stream/viewing-videos/securing-your-stream/
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dynamic_api.core.settings import Settings, SettingsInvalid

SHARED = timedelta(minutes=5)
LONGEST = timedelta(hours=24)  # Stream's own limit


class StreamNotSet(Exception):
    """A video at Stream, in an installation without Stream: the settings were taken away."""


@dataclass(frozen=True)
class Playback:
    """Where a video plays, and until when."""

    iframe_url: str
    hls_url: str
    expires_at: datetime


class Streaming:
    """Signs playback tokens. Parsing the key costs 30 ms, so it happens once."""

    def __init__(self, settings: Settings) -> None:
        self._key_id = settings.stream_key_id
        self._base = settings.stream_base_url
        is_signed = self._base is not None and not settings.stream_unsigned
        pem = settings.stream_key_pem.get_secret_value() if settings.stream_key_pem else ""
        self._key = _signing_key(pem) if is_signed else None
        self._margin = timedelta(seconds=settings.playback_margin_seconds)
        self._recent: dict[tuple[str, timedelta], tuple[datetime, Playback]] = {}

    @property
    def is_signed(self) -> bool:
        """Whether only people who were given an address can play a video."""
        return self._key is not None

    def playback(self, video: str, *, seconds: int, now: datetime, pauses: timedelta = timedelta()) -> Playback:
        """Addresses that play one video for its length and a margin; with `pauses`, for a player that never renews.

        The token names no learner, so learners who ask within minutes of each other share one: a signature costs more
        than the rest of the request.
        """
        made, known = self._recent.get((video, pauses), (now, None))
        if known is not None and timedelta() <= now - made < SHARED:
            return known
        life = timedelta(seconds=seconds) + self._margin + pauses + SHARED
        playback = self._sign(video, now + min(life, LONGEST))
        self._recent[video, pauses] = (now, playback)
        return playback

    def _sign(self, video: str, expires: datetime) -> Playback:
        if self._key is None:
            return self._addresses(video, expires)
        claims = {"sub": video, "kid": self._key_id, "exp": int(expires.timestamp())}
        token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})
        return self._addresses(token, expires)

    def _addresses(self, name: str, expires: datetime) -> Playback:
        if self._base is None:
            raise StreamNotSet("COURSEWRIGHT_STREAM_BASE_URL is not set")
        return Playback(f"{self._base}/{name}/iframe", f"{self._base}/{name}/manifest/video.m3u8", expires)


@lru_cache(maxsize=4)
def _signing_key(pem: str) -> RSAPrivateKey:
    """The key of a setting; to check its primes takes as long as all else at a start. Raises SettingsInvalid."""
    try:
        key = load_pem_private_key(b64decode(pem, validate=True), None)
    except ValueError:
        raise SettingsInvalid("COURSEWRIGHT_STREAM_KEY_PEM is not the base64 `pem` of a Stream signing key") from None
    if not isinstance(key, RSAPrivateKey):
        raise SettingsInvalid("COURSEWRIGHT_STREAM_KEY_PEM is not an RSA key")
    return key

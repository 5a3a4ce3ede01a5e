"""Videos of one's own: HLS in the file store, opened by addresses that are short-lived and name nobody.

Access is asked once, when the address is handed out, as with Stream. `video_files` answers at these addresses.
"""

from datetime import timedelta

from dynamic_api.catalog.courses import CatalogLesson
from dynamic_api.core.signed_links import sign_link
from dynamic_api.gateways.streaming import LONGEST, SHARED, Playback
from dynamic_api.service import Service

MASTER, POSTER = "master.m3u8", "poster.jpg"


def open_video(service: Service, lesson: CatalogLesson, *, pauses: timedelta = timedelta()) -> Playback | None:
    """Where a lesson's video plays, and until when; None when it has none. Whoever asks has checked access."""
    definition, now = lesson.definition, service.clock()
    seconds = definition.duration or 0
    if definition.video is not None:
        return service.gateways.streaming.playback(definition.video, seconds=seconds, now=now, pauses=pauses)
    if definition.hls is None:
        return None
    life = timedelta(seconds=seconds + service.settings.playback_margin_seconds) + pauses + SHARED
    expires = (now + min(life, LONGEST)).replace(microsecond=0)
    until = int(expires.timestamp())
    address = f"/api/videos/{lesson.id}/{until}/{sign_video(service, lesson.id, until)}"
    master = f"{service.settings.site_url}{address}/{MASTER}"
    return Playback(master, master, expires)


def poster_of(playback: Playback) -> str:
    """The picture of a video of one's own."""
    return playback.hls_url.removesuffix(MASTER) + POSTER


def sign_video(service: Service, lesson: int, until: int) -> str:
    """Proof that we made an address of a lesson's video."""
    return sign_link(service.settings, f"/api/videos/{lesson}", f"until={until}")

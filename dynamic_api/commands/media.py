"""What the commands about media ask of Stream and of the file store. None needs a database or a payment key."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from dynamic_api.commands.report import CommandRefused
from dynamic_api.core.read_settings import load_media_settings
from dynamic_api.core.settings import SettingsInvalid
from dynamic_api.gateways.file_library import FileFacts, FilesRefused, open_files
from dynamic_api.gateways.stream_library import StreamLibrary, StreamRefused, Upload, UploadGone, VideoFacts

Answer = TypeVar("Answer")

_TRIES = 12  # how often an upload goes on by itself after a cut
_PAUSE = 2.0  # seconds before it does
_QUESTIONS = 360  # half an hour for Stream to make captions


def look_at_videos(videos: Iterable[str]) -> Mapping[str, VideoFacts | None]:
    """Each video as Stream has it. Raises CommandRefused."""

    async def look(library: StreamLibrary) -> dict[str, VideoFacts | None]:
        turn = asyncio.Semaphore(4)  # Stream's API answers 1,200 requests in five minutes

        async def one(video: str) -> VideoFacts | None:
            async with turn:
                return await library.video(video)

        names = list(dict.fromkeys(videos))
        return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))

    return _with_stream(look)


def look_at_files(keys: Iterable[str]) -> Mapping[str, FileFacts | None]:
    """Each stored file. Raises CommandRefused."""
    try:
        files = open_files(load_media_settings())
        return {key: files.look(key) for key in dict.fromkeys(keys)}
    except (SettingsInvalid, FilesRefused) as error:
        raise CommandRefused(str(error)) from error


def put_up_file(file: Path, key: str, media_type: str) -> None:
    """Store a file. Raises CommandRefused."""
    try:
        open_files(load_media_settings()).put(key, file, media_type)
    except (SettingsInvalid, FilesRefused) as error:
        raise CommandRefused(str(error)) from error


def put_up_video(file: Path, about: Mapping[str, str], memory: Path, told: Callable[[int], None]) -> str:
    """Send a video to Stream; its id. What was sent before a cut is not sent again: `memory` is a file that says where.

    Raises CommandRefused.
    """

    size = file.stat().st_size

    async def send(library: StreamLibrary) -> str:
        upload = _remembered(memory)
        for attempt in range(_TRIES):
            try:
                if upload is None:
                    upload = await library.begin_upload(size, about)
                    _remember(memory, upload)
                await library.send(upload, file, told)
            except UploadGone:
                upload = None
            except StreamRefused:
                if attempt == _TRIES - 1 or upload is None:
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                return upload.video
        raise StreamRefused("Stream begins uploads and forgets them. Try again later.")

    video = _with_stream(send)
    memory.unlink(missing_ok=True)
    return video


def require_signed(video: str) -> None:
    """Let a video be watched with signed addresses only. Raises CommandRefused."""
    _with_stream(lambda library: library.require_signed(video))


def make_captions(video: str, language: str, *, pause: float = 5.0) -> tuple[str, bool]:
    """Captions of a video as WebVTT, and whether a machine made them; Stream makes them where there are none.

    Raises CommandRefused.
    """

    async def make(library: StreamLibrary) -> tuple[str, bool]:
        asked = False
        for _ in range(_QUESTIONS):
            known = {each.language: each for each in await library.list_captions(video)}
            found = known.get(language)
            if found is None and not asked:
                await library.generate_captions(video, language)
                asked = True
            elif found is not None and found.status == "error":
                raise StreamRefused(f"Stream could not make captions ({language}) of video {video}.")
            elif found is not None and found.status == "ready" and (vtt := await library.captions(video, language)):
                return vtt, found.is_machine
            await asyncio.sleep(pause)
        raise StreamRefused("Stream is still listening to the video. Run the command again later.")

    return _with_stream(make)


def _with_stream(ask: Callable[[StreamLibrary], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        library = StreamLibrary(load_media_settings())
        try:
            return await ask(library)
        finally:
            await library.close()

    try:
        return asyncio.run(run())
    except (SettingsInvalid, StreamRefused) as error:
        raise CommandRefused(str(error)) from error


def _remembered(memory: Path) -> Upload | None:
    try:
        return Upload(**json.loads(memory.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _remember(memory: Path, upload: Upload) -> None:
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps({"location": upload.location, "video": upload.video}), encoding="utf-8")

"""media: videos and files are put up, checked and captioned from the command line."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

import click

from sitegen.commands.answers import as_json, count, in_school, refuse_command, refuse_faults, say
from sitegen.school import School

if TYPE_CHECKING:
    from sitegen.media.check import FileFacts, VideoFacts
    from sitegen.media.lessons import PlacedLesson

_VIDEOS = {".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi", ".mpg", ".mpeg", ".flv"}
_HLS_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
}
_PATIENCE = 120  # seconds for Stream to say how long a video is


class MediaInstallation(Protocol):
    """Stream and the file store."""

    def look_at_videos(self, videos: Iterable[str]) -> "Mapping[str, VideoFacts | None]":
        """Each as Stream has it."""

    def look_at_files(self, keys: Iterable[str]) -> "Mapping[str, FileFacts | None]":
        """Each as it is stored."""

    def put_up_video(self, file: Path, about: Mapping[str, str], memory: Path, told: Callable[[int], None]) -> str:
        """Send a video; its id."""

    def put_up_file(self, file: Path, key: str, media_type: str) -> None:
        """Store a file."""

    def require_signed(self, video: str) -> None:
        """Only signed addresses play it from then on."""

    def make_captions(self, video: str, language: str) -> tuple[str, bool]:
        """WebVTT, and whether a machine made it."""


class Installation(Protocol):
    """The program beside this one that knows how to reach them."""

    @property
    def media(self) -> MediaInstallation:
        """Stream and the file store."""


def check_media(installation: Installation | None, school: School, *, write: bool, as_json: bool) -> None:
    """What `check --media` does: every video, file and caption, at its line; exit status 1 if anything is wrong."""
    from sitegen.media.check import check_media as look
    from sitegen.media.check import named_keys, named_videos
    from sitegen.yaml_lines import LinesRefused, YamlLines

    service = _needed(installation, as_json)
    videos = service.look_at_videos(named_videos(school))
    files = service.look_at_files(named_keys(school))
    report = look(school, videos, files)
    lines = []
    if write and (report.durations or report.unsigned):
        try:
            for path, place, seconds in report.durations:
                file = YamlLines(path)
                file.set(place, "duration", _clock(seconds), after="video")
                file.save()
                lines.append(f"{path}: duration: {_clock(seconds)}")
        except LinesRefused as error:
            refuse_command(str(error), as_json=as_json)
        for video in report.unsigned:
            service.require_signed(video)
            lines.append(f"{video} plays with signed addresses only from now on.")
        report = look(school, service.look_at_videos(named_videos(school)), files)
    if lines and not as_json:
        click.echo("\n".join(lines))
    if report.faults:
        refuse_faults(report.faults, as_json=as_json)
    data = {"videos": report.videos, "files": report.files, "written": lines}
    say(data, f"{count(report.videos, 'video')} and {count(report.files, 'file')} are as the course files say.",
        as_json=as_json)  # fmt: skip


@click.command(epilog="Example: coursewright media check --write")
@click.option("--write", is_flag=True, help="Fill in durations, and make videos need signed addresses.")
@in_school
@as_json
@click.pass_obj
def check(installation: Installation | None, write: bool, school: School, as_json: bool) -> None:
    """Check every video, file and caption of the courses; the same as “check --media”."""
    check_media(installation, school, write=write, as_json=as_json)


@click.command(epilog="Example: coursewright media upload film.mp4 --lesson bread/first-loaf")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--lesson", metavar="COURSE/LESSON", help="Write the lines into this lesson.")
@click.option("--name", help="What learners read beside a file to download; unless told, the file's name.")
@click.option("--replace", is_flag=True, help="Also where the lesson has another video already.")
@in_school
@as_json
@click.pass_obj
def upload(
    installation: Installation | None, file: Path, lesson: str | None, name: str | None, replace: bool,
    school: School, as_json: bool,
) -> None:  # fmt: skip
    """Put a video up to Stream, or a file into storage. An upload that was cut goes on when this is run again."""
    from sitegen.media.lessons import NoSuchLesson, find_lesson

    service = _needed(installation, as_json)
    try:
        placed = find_lesson(school, lesson) if lesson else None
    except NoSuchLesson as error:
        refuse_command(str(error), as_json=as_json)
    if file.stat().st_size == 0:
        refuse_command(f"{file} is empty.", as_json=as_json)
    if file.suffix.lower() in _VIDEOS:
        if placed and placed.lesson.video and not replace:
            problem = f"{placed.name} has the video {placed.lesson.video} already. Add --replace to give it this one."
            refuse_command(problem, as_json=as_json)
        _put_up_video(service, file, placed, school, as_json)
    else:
        _put_up_file(service, file, placed, name or file.stem.replace("-", " ").replace("_", " "), as_json)


def _put_up_video(
    service: MediaInstallation, file: Path, placed: "PlacedLesson | None", school: School, as_json: bool
) -> None:
    from sitegen.yaml_lines import LinesRefused, YamlLines

    size = file.stat().st_size
    stamp = f"{file.resolve()} {size} {file.stat().st_mtime_ns}"
    memory = school.manifest.parent / "uploads" / f"{hashlib.sha256(stamp.encode()).hexdigest()[:16]}.json"
    about = {"name": file.name, **({"lesson": placed.lesson.id} if placed else {})}

    def told(sent: int) -> None:
        click.echo(f"{file.name}: {100 * sent // size} %", err=True)

    video = service.put_up_video(file, about, memory, told)
    seconds = _duration(service, video)
    written = None
    if placed is not None:
        try:
            lines = YamlLines(placed.path)
            lines.set(placed.place, "video", video, after="title")
            if seconds is not None:
                lines.set(placed.place, "duration", _clock(seconds), after="video")
            lines.save()
            written = placed.path
        except LinesRefused as error:
            refuse_command(f"The video is at Stream: {video}. {error}", as_json=as_json)
    length = f"\nduration: {_clock(seconds)}" if seconds is not None else ""
    sentence = f"video: {video}{length}"
    if seconds is None:
        sentence += "\nStream is still working on it: “coursewright check --media --write” fills in its duration."
    sentence += f"\n\nWritten into {written}." if written else "\n\nWrite these lines into the lesson."
    data = {"video": video, "duration": seconds, "written": str(written) if written else None}
    say(data, sentence, as_json=as_json)


def _duration(service: MediaInstallation, video: str) -> int | None:
    """Seconds, once Stream knows; None where that takes too long."""
    import time

    deadline = time.monotonic() + _PATIENCE
    pause = 0.5
    while time.monotonic() < deadline:
        facts = service.look_at_videos([video])[video]
        if facts is not None and facts.state == "error":
            raise click.ClickException(f"Stream could not read this video ({facts.problem}). Put up another file.")
        if facts is not None and facts.duration is not None:
            return round(facts.duration)
        time.sleep(pause)
        pause = min(pause * 2, 10)
    return None


def _put_up_file(
    service: MediaInstallation, file: Path, placed: "PlacedLesson | None", name: str, as_json: bool
) -> None:
    import json

    from sitegen.media.check import media_type
    from sitegen.moving_in.names import slug_for
    from sitegen.yaml_lines import LinesRefused, YamlLines

    # A name that nobody guesses: the leak check can look for it, and it is new for every version of a file.
    folder = placed.name.partition("/")[0] if placed else "files"
    key = f"{folder}/{secrets.token_hex(6)}-{slug_for(file.stem)}{file.suffix.lower()}"
    kind = media_type(file)
    service.put_up_file(file, key, kind)
    identifier = f"{placed.lesson.id[:48]}-{secrets.token_hex(4)}" if placed else f"file-{secrets.token_hex(4)}"
    block = [
        f"- id: {identifier}",
        f"  name: {json.dumps(name, ensure_ascii=False)}",
        f"  key: {json.dumps(key, ensure_ascii=False)}",
        f"  type: {kind}",
        f"  size: {file.stat().st_size}",
    ]
    sentence = "\n".join(["resources:", *(f"  {line}" for line in block)])
    written = None
    if placed is not None:
        try:
            lines = YamlLines(placed.path)
            lines.add(placed.place, "resources", block, after="title")
            lines.save()
            written = placed.path
        except LinesRefused as error:
            refuse_command(f"The file is in storage as {key}. {error}\n{sentence}", as_json=as_json)
    sentence += (
        f"\n\nWritten into {written}." if written else "\n\nWrite these lines into a lesson, a module or a course."
    )
    say({"key": key, "id": identifier, "written": str(written) if written else None}, sentence, as_json=as_json)


@click.command(epilog="Example: coursewright media transcode film.mp4 --lesson bread/first-loaf")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--lesson", metavar="COURSE/LESSON", help="Write the lines into this lesson.")
@click.option("--replace", is_flag=True, help="Also where the lesson has another video already.")
@in_school
@as_json
@click.pass_obj
def transcode(
    installation: Installation | None, file: Path, lesson: str | None, replace: bool, school: School, as_json: bool
) -> None:
    """Make a video without Cloudflare: HLS in several sizes by ffmpeg, put into the file store."""
    import tempfile

    from sitegen.media.lessons import NoSuchLesson, find_lesson
    from sitegen.media.transcode import TranscodeRefused
    from sitegen.media.transcode import transcode as make
    from sitegen.yaml_lines import LinesRefused, YamlLines

    service = _needed(installation, as_json)
    try:
        placed = find_lesson(school, lesson) if lesson else None
        if placed and (placed.lesson.video or placed.lesson.hls) and not replace:
            refuse_command(f"{placed.name} has a video already. Add --replace to give it this one.", as_json=as_json)
        service.look_at_files([])  # encoding takes long: whether there is a place for it is asked before
        course = placed.lesson.id if placed else "video"
        key = f"videos/{course}/{secrets.token_hex(8)}"
        with tempfile.TemporaryDirectory(prefix="coursewright-") as name:
            folder = Path(name)
            film = make(file, folder, lambda percent: click.echo(f"{file.name}: {percent} %", err=True))
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            # The playlist that names the others comes last: until then nothing refers to what is half there.
            for path in sorted(files, key=lambda path: (path.suffix == ".m3u8", path.name == "master.m3u8")):
                service.put_up_file(path, f"{key}/{path.relative_to(folder).as_posix()}", _HLS_TYPES[path.suffix])
        if placed is not None:
            lines = YamlLines(placed.path)
            if placed.lesson.video:
                lines.remove(placed.place, "video")
            lines.set(placed.place, "hls", key, after="title")
            lines.set(placed.place, "duration", _clock(round(film.duration)), after="hls")
            lines.save()
    except (NoSuchLesson, TranscodeRefused) as error:
        refuse_command(str(error), as_json=as_json)
    except LinesRefused as error:
        refuse_command(f"The video is in storage: hls: {key}. {error}", as_json=as_json)
    written = placed.path if placed else None
    sentence = f"hls: {key}\nduration: {_clock(round(film.duration))}\n{count(len(files), 'file')}."
    sentence += f"\n\nWritten into {written}." if written else "\n\nWrite these lines into the lesson."
    data = {
        "hls": key,
        "duration": round(film.duration),
        "files": len(files),
        "written": str(written) if written else None,
    }
    say(data, sentence, as_json=as_json)


@click.command(epilog="Example: coursewright media captions bread/first-loaf --language en")
@click.argument("lesson", metavar="COURSE/LESSON")
@click.option("--language", help="What is spoken; unless told, the school's language.")
@in_school
@as_json
@click.pass_obj
def captions(
    installation: Installation | None, lesson: str, language: str | None, school: School, as_json: bool
) -> None:
    """Let Stream listen to a video, and write what it heard into a file, for a person to correct."""
    from sitegen.catalog.yaml_source import read_yaml
    from sitegen.media.captions import CaptionsUnknown, convert_captions
    from sitegen.media.check import MACHINE
    from sitegen.media.lessons import NoSuchLesson, find_lesson
    from sitegen.yaml_lines import LinesRefused, YamlLines

    service = _needed(installation, as_json)
    try:
        placed = find_lesson(school, lesson)
    except NoSuchLesson as error:
        refuse_command(str(error), as_json=as_json)
    if not placed.lesson.video:
        refuse_command(f"{placed.name} has no video.", as_json=as_json)
    site = read_yaml(school.course_data / "site.yaml").data
    spoken = language or (str(site.get("language", "en")) if isinstance(site, dict) else "en")
    if spoken in placed.lesson.captions:
        refuse_command(f"{placed.name} has captions in “{spoken}” already.", as_json=as_json)
    target = placed.path.parent / "captions" / f"{placed.lesson.slug}.{spoken}.vtt"
    if target.exists():
        refuse_command(
            f"{target} is there already. Write “captions: {{{spoken}: …}}” into the lesson.", as_json=as_json
        )
    vtt, is_machine = service.make_captions(placed.lesson.video, spoken)
    try:
        text = convert_captions(vtt.encode())
        if is_machine:
            text = text.replace("WEBVTT\n\n", f"WEBVTT\n\n{MACHINE}\n\n", 1)
        lines = YamlLines(placed.path)
        name = target.relative_to(placed.path.parent).as_posix()
        lines.add(placed.place, "captions", [f"{spoken}: {name}"], after="video")
    except (LinesRefused, CaptionsUnknown) as error:
        refuse_command(str(error), as_json=as_json)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    lines.save()
    warning = (
        "\nA machine made them: read them against the video, correct them, and delete the NOTE." if is_machine else ""
    )
    say({"file": str(target), "machine": is_machine}, f"{target}{warning}", as_json=as_json)


def _clock(seconds: int) -> str:
    from sitegen.catalog.money import format_clock

    return format_clock(seconds)


def _needed(installation: Installation | None, as_json: bool) -> MediaInstallation:
    return installation.media if installation is not None else _refuse(as_json)


def _refuse(as_json: bool) -> NoReturn:
    refuse_command("There is no service beside this program, and so no way to Stream.", as_json=as_json)

"""What the course files say of videos, files and captions, held against what there is."""

import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sitegen.catalog.captions import CaptionsInvalid, parse_vtt
from sitegen.catalog.course_file import CourseFile, ResourceFile
from sitegen.catalog.faults import Fault
from sitegen.catalog.money import format_clock
from sitegen.catalog.yaml_source import Place, YamlSource
from sitegen.media.captions import is_other_script
from sitegen.media.lessons import PlacedLesson, course_files, lessons_of
from sitegen.school import School

_NEAR = 2  # seconds that a duration may be off
_AFTER = 10  # seconds that captions may go on after the video
MACHINE = "NOTE Made by a machine. Correct what it misheard, and delete this line."
_NOTE = re.compile(r"^NOTE Made by a machine\b", re.M)


class VideoFacts(Protocol):
    """A video as Stream has it."""

    state: str
    is_ready: bool
    is_signed: bool
    duration: float | None
    problem: str


class FileFacts(Protocol):
    """A stored file."""

    size: int
    is_public: bool


@dataclass
class MediaReport:
    """`faults`, and what could be written: durations by place, and videos that ought to need signed addresses."""

    faults: list[Fault] = field(default_factory=list)
    durations: list[tuple[Path, Place, int]] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    videos: int = 0
    files: int = 0


def named_videos(school: School) -> list[str]:
    """The ids of all videos."""
    found = [lesson.lesson.video for lesson in lessons_of(school) if lesson.lesson.video]
    found += [file.intro_video.video for file, _ in course_files(school) if file.intro_video]
    return found


def named_keys(school: School) -> list[str]:
    """The storage keys of all files."""
    return [each.key for file, source in course_files(school) for each, _, _ in _resources(file, source)]


def check_media(
    school: School, videos: Mapping[str, VideoFacts | None], files: Mapping[str, FileFacts | None]
) -> MediaReport:
    """Every difference, at its line."""
    report = MediaReport(videos=len(videos), files=len(files))
    for file, source in course_files(school):
        if file.intro_video:
            place: Place = ("intro_video",)
            _check_video(report, source, place, file.intro_video.video, file.intro_video.duration, videos)
        for resource, place, _ in _resources(file, source):
            _check_file(report, source, place, resource, files.get(resource.key))
    for lesson in lessons_of(school):
        if lesson.lesson.video:
            _check_video(report, lesson.source, lesson.place, lesson.lesson.video, lesson.lesson.duration, videos)
            report.faults += _captions(lesson)
    report.unsigned = list(dict.fromkeys(report.unsigned))
    return report


def _resources(file: CourseFile, source: YamlSource) -> Iterator[tuple[ResourceFile, Place, YamlSource]]:
    for n, each in enumerate(file.resources):
        yield each, ("resources", n), source
    for m, module in enumerate(file.modules):
        for n, each in enumerate(module.resources):
            yield each, ("modules", m, "resources", n), source
        for k, lesson in enumerate(module.lessons):
            for n, each in enumerate(lesson.resources):
                yield each, ("modules", m, "lessons", k, "resources", n), source


def _check_video(
    report: MediaReport, source: YamlSource, place: Place, video: str, duration: int | None,
    videos: Mapping[str, VideoFacts | None],
) -> None:  # fmt: skip
    def add(key: str, problem: str, remedy: str) -> None:
        report.faults.append(source.fault((*place, key), problem, remedy))

    facts = videos.get(video)
    if facts is None:
        add("video", "Stream has no video with this id.", "Put it up with “coursewright media upload FILE --lesson …”.")
        return
    if facts.state == "error":
        add("video", f"Stream could not read this video: {facts.problem or 'no reason given'}.", "Put up another file.")
        return
    if not facts.is_signed:
        report.unsigned.append(video)
        add(
            "video", "Everybody who has this id can watch the video.", "“check --media --write” changes that at Stream."
        )
    if not facts.is_ready:
        add("video", f"Stream is still working on this video ({facts.state}).", "Check again in a few minutes.")
    elif facts.duration is not None and (duration is None or abs(facts.duration - duration) > _NEAR):
        right = round(facts.duration)
        report.durations.append((source.path, place, right))
        add("duration", f"The video is {format_clock(right)} long.", f"Write “duration: {format_clock(right)}”.")


def _check_file(
    report: MediaReport, source: YamlSource, place: Place, resource: ResourceFile, facts: FileFacts | None
) -> None:
    if facts is None:
        problem, remedy = (
            f"There is no file “{resource.key}” in storage.",
            "Put it up with “coursewright media upload”.",
        )
        report.faults.append(source.fault((*place, "key"), problem, remedy))
        return
    if facts.is_public:
        problem = f"Everybody can download “{resource.key}”, without a purchase."
        report.faults.append(source.fault((*place, "key"), problem, "Make the bucket private."))
    if resource.size is not None and resource.size != facts.size:
        problem = f"The file has {facts.size:,} bytes."
        report.faults.append(
            source.fault((*place, "size"), problem, f"Write “size: {facts.size}”, or delete the line.")
        )


def _captions(placed: PlacedLesson) -> Iterator[Fault]:
    lesson, source = placed.lesson, placed.source
    if not lesson.captions and not lesson.no_captions:
        yield source.fault(
            (*placed.place, "video"),
            "This video has no captions.",
            f"Let Stream make them with “coursewright media captions {placed.name}”, or say why there are none: "
            "“no_captions: nobody speaks”.",
        )
    for language, name in lesson.captions.items():
        path = source.path.parent / name
        place = (*placed.place, "captions", language)
        try:
            text = path.read_text(encoding="utf-8")
            cues = parse_vtt(text)
        except (OSError, ValueError, CaptionsInvalid):
            continue  # the ordinary check tells
        if not cues:
            yield source.fault(place, f"There are no captions in {name}.", "Delete the line, or fill the file.")
            continue
        if lesson.duration and cues[-1].end > lesson.duration + _AFTER:
            over = format_clock(round(cues[-1].end - lesson.duration))
            yield source.fault(
                place, f"These captions go on for {over} after the video.", "They may be another video's."
            )
        if is_other_script(language, " ".join(cue.text for cue in cues)):
            yield source.fault(place, f"These captions do not look like “{language}”.", "Correct the language’s code.")
        if found := _NOTE.search(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Fault(path, line, 1, "A machine made these captions, and nobody corrected them.",
                        "Read them against the video, and delete this line.")  # fmt: skip


def media_type(file: Path) -> str:
    """A file's type, by its name."""
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"

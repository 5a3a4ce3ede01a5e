"""Videos and files are put up, checked and captioned from the command line."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dynamic_api.commands import media
from dynamic_api.commands.__main__ import coursewright
from dynamic_api.core.read_settings import load_media_settings
from dynamic_api.gateways.file_library import BucketFiles, FileFacts
from dynamic_api.gateways.stream_library import StreamLibrary
from scripts.sandbox.store import Store
from scripts.sandbox.stream import MEDIA
from sitegen.catalog.load import load_catalog
from sitegen.catalog.model import Catalog, Lesson
from sitegen.media.check import MACHINE
from tests.conftest import ROOT, Sandbox
from tests.s3 import ACCESS, BUCKET, KEY, S3, SECRET

pytestmark = pytest.mark.slow

LESSON = "sourdough/four-numbers"
Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A school whose videos are at Stream and whose files are in storage."""
    school = tmp_path / "school"
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, school / name)
    store: Store = sandbox.bank.store
    for course in catalog.courses:
        videos = [(each.video, each.duration) for each in course.all_lessons if each.video]
        videos += [(course.intro_video.video, course.intro_video.duration)] if course.intro_video else []
        store.videos |= {video: seconds or 0 for video, seconds in videos}
    monkeypatch.setenv("COURSEWRIGHT_STREAM_API_BASE", f"{sandbox.url}/client/v4")
    monkeypatch.setenv("COURSEWRIGHT_STREAM_ACCOUNT_ID", "account")
    monkeypatch.setenv("COURSEWRIGHT_STREAM_API_TOKEN", "token")
    monkeypatch.setenv("COURSEWRIGHT_FILES_DIR", str(school / "course_data" / "files"))
    monkeypatch.setattr(media, "_PAUSE", 0.01)
    monkeypatch.chdir(school)
    return school


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(coursewright, [*arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A video of 12 MiB: it goes up in one part of ours, and arrives in halves."""
    path = tmp_path / "film.mp4"
    path.write_bytes((MEDIA / "clock.mp4").read_bytes() + bytes(12 * 1024 * 1024))
    return path


def lesson_of(folder: Path, name: str = LESSON) -> Lesson:
    slug, _, lesson = name.partition("/")
    course = next(each for each in load_catalog(folder / "course_data").courses if each.slug == slug)
    return next(each for each in course.all_lessons if each.slug == lesson)


def captions_of(folder: Path) -> str:
    """The lines of a lesson's captions."""
    text = course_file(folder).read_text()
    found = re.search(r"        captions:\n          en: .*\n", text[text.index("slug: four-numbers") :])
    assert found is not None
    return found[0]


def course_file(folder: Path, slug: str = "sourdough") -> Path:
    return folder / "course_data" / "courses" / slug / "course.yaml"


def edit(folder: Path, old: str, new: str) -> None:
    path = course_file(folder)
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))


def test_a_video_goes_up_cut_ten_times_and_into_its_lesson(
    folder: Path, run: Run, film: Path, sandbox: Sandbox
) -> None:
    before = course_file(folder).read_text()
    has_one = run("media", "upload", str(film), "--lesson", LESSON)
    assert has_one.exit_code == 1
    assert "Add --replace" in has_one.output
    sandbox.bank.store.upload_cuts = 10
    done = run("media", "upload", str(film), "--lesson", LESSON, "--replace", "--json")
    assert done.exit_code == 0, done.output
    assert sandbox.bank.store.upload_cuts == 0
    lesson = lesson_of(folder)
    assert lesson.video in sandbox.bank.store.videos
    facts = sandbox.bank.store.video_facts[str(lesson.video)]
    assert facts["requireSignedURLs"] is True
    assert facts["meta"]["lesson"] == lesson.id
    assert lesson.duration == round(facts["seconds"])
    changed = set(course_file(folder).read_text().splitlines()) ^ set(before.splitlines())
    assert all(re.match(r"\s+(video|duration): ", line) for line in changed)
    assert not list((folder / "build" / "uploads").glob("*"))


async def test_what_was_sent_is_not_sent_again(folder: Path, film: Path, sandbox: Sandbox) -> None:
    """A process that is killed after every part: the next one asks how far the upload is."""
    library = StreamLibrary(load_media_settings())
    upload = await library.begin_upload(film.stat().st_size, {"name": "film"})
    sent: list[int] = []

    def die(offset: int) -> None:
        sent.append(offset)
        raise KeyboardInterrupt

    part = 5 * 1024 * 1024
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            await library.send(upload, film, die, chunk=part)
    await library.send(upload, film, sent.append, chunk=part)
    assert sent == [part, 2 * part, film.stat().st_size]
    await library.close()


def test_an_upload_that_stream_forgot_is_begun_again(folder: Path, run: Run, film: Path, sandbox: Sandbox) -> None:
    sandbox.bank.store.upload_cuts = 100
    refused = run("media", "upload", str(film))
    assert refused.exit_code == 1
    assert "Run the command again later" in refused.output
    assert len(list((folder / "build" / "uploads").glob("*"))) == 1
    sandbox.bank.store.upload_cuts = 0
    sandbox.bank.store.uploads.clear()
    done = run("media", "upload", str(film))
    assert done.exit_code == 0, done.output
    assert "Write these lines into the lesson." in done.output


def test_what_is_no_video_is_told(folder: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("the sandbox needs ffprobe to tell a video from other files")
    text = tmp_path / "film.mp4"
    text.write_text("no film")
    assert "Stream could not read this video (ERR_NON_VIDEO)" in run("media", "upload", str(text)).output
    text.write_text("")
    assert "is empty" in run("media", "upload", str(text)).output
    monkeypatch.delenv("COURSEWRIGHT_STREAM_API_TOKEN")
    text.write_text("x")
    assert "COURSEWRIGHT_STREAM_API_TOKEN" in run("media", "upload", str(text)).output
    known = run("media", "upload", str(text), "--lesson", "sourdough/nope")
    assert "There is no lesson “sourdough/nope”. Known: sourdough/what-lives-in-the-jar" in known.output


def test_a_file_goes_into_storage_and_into_its_lesson(folder: Path, run: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "Work sheet – Ω.pdf"
    sheet.write_bytes(b"%PDF-1.4 sheet")
    done = run("media", "upload", str(sheet), "--lesson", LESSON, "--name", "Work sheet: Ω")
    assert done.exit_code == 0, done.output
    resource = lesson_of(folder).resources[0]
    assert (resource.name, resource.type, resource.size) == ("Work sheet: Ω", "application/pdf", 14)
    assert re.fullmatch(r"sourdough/[0-9a-f]{12}-work-sheet-ω\.pdf", resource.key)
    assert (folder / "course_data/files" / resource.key).read_bytes() == b"%PDF-1.4 sheet"
    again = run("media", "upload", str(sheet), "--lesson", LESSON)
    assert again.exit_code == 0
    assert len(lesson_of(folder).resources) == len({each.key for each in lesson_of(folder).resources})


def test_files_in_a_bucket_are_put_up_and_seen(s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"ENDPOINT": s3.endpoint, "BUCKET": BUCKET, "ACCESS_KEY_ID": ACCESS,
                        "SECRET_ACCESS_KEY": SECRET}.items():  # fmt: skip
        monkeypatch.setenv(f"COURSEWRIGHT_R2_{name}", value)
    monkeypatch.chdir(tmp_path)
    files = BucketFiles(load_media_settings())
    large = tmp_path / "large.zip"
    large.write_bytes(b"x" * (17 * 1024 * 1024))
    files.put("course/large.zip", large, "application/zip")
    assert files.look("course/large.zip") == FileFacts(17 * 1024 * 1024, is_public=False)
    assert files.look("course/nope.zip") is None
    assert set(media.look_at_files([KEY, "nope"])) == {KEY, "nope"}


def test_everything_is_as_the_course_files_say(folder: Path, run: Run) -> None:
    done = run("check", "--media")
    missing = re.findall(r"This video has no captions", done.output)
    without = [
        lesson for course in load_catalog(folder / "course_data").courses for lesson in course.all_lessons
        if lesson.video and not lesson.captions
    ]  # fmt: skip
    assert len(missing) == len(without)
    assert "fault" not in done.output or len(missing) == len(re.findall(r"course\.yaml:\d+:\d+: ", done.output))


FAULTS: dict[str, tuple[Callable[[Store, str], Any], str]] = {
    "deleted": (lambda store, video: store.videos.pop(video), "Stream has no video with this id"),
    "public": (lambda store, video: store.video_facts.update({video: {"requireSignedURLs": False}}),
               "Everybody who has this id can watch the video"),
    "encoding": (lambda store, video: store.video_facts.update({video: {"state": "queued"}}),
                 "Stream is still working on this video (queued)"),
    "broken": (lambda store, video: store.video_facts.update({video: {"state": "error", "reason": "no audio"}}),
               "Stream could not read this video: no audio"),
    "longer": (lambda store, video: store.videos.update({video: 999}), "The video is 16:39 long"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_video_that_differs_is_told_at_its_line(folder: Path, run: Run, sandbox: Sandbox, name: str) -> None:
    spoil, expected = FAULTS[name]
    video = lesson_of(folder).video
    assert video is not None
    before = run("check", "--media").output
    assert expected not in before
    spoil(sandbox.bank.store, video)
    told = run("check", "--media")
    assert told.exit_code == 1
    line = next(line for line in told.output.splitlines() if expected in line)
    number = int(re.search(r"course\.yaml:(\d+):", line)[1])  # type: ignore[index]
    field = "duration" if name == "longer" else "video"
    assert course_file(folder).read_text().splitlines()[number - 1].strip().startswith(f"{field}: ")


def test_write_fills_durations_and_closes_videos(folder: Path, run: Run, sandbox: Sandbox) -> None:
    video = lesson_of(folder).video
    assert video is not None
    edit(folder, "slug: four-numbers\n", "slug: four-numbers  # easy to say\n")
    sandbox.bank.store.videos[video] = 754
    sandbox.bank.store.video_facts[video] = {"requireSignedURLs": False}
    done = run("media", "check", "--write")
    assert "duration: 12:34" in done.output
    assert lesson_of(folder).duration == 754
    assert sandbox.bank.store.video_facts[video]["requireSignedURLs"] is True
    assert "# easy to say" in course_file(folder).read_text()
    assert "The video is" not in run("check", "--media").output


def test_files_and_captions_that_differ_are_told(folder: Path, run: Run) -> None:
    captioned = next(
        lesson for course in load_catalog(folder / "course_data").courses if course.slug == "sourdough"
        for lesson in course.all_lessons if lesson.captions
    )  # fmt: skip
    vtt = next((folder / "course_data/courses/sourdough/captions").glob(f"*{captioned.slug}*"))
    vtt.write_text(f"WEBVTT\n\n{MACHINE}\n\n02:00:00.000 --> 02:00:05.000\n{'おはようございます。' * 9}\n")
    key = next((folder / "course_data/files").rglob("*.*"))
    key.unlink()
    told = run("check", "--media").output
    assert "These captions go on for " in told
    assert "These captions do not look like “en”" in told
    assert f"{vtt.name}:3:1: A machine made these captions, and nobody corrected them." in told
    assert f"There is no file “{key.relative_to(folder / 'course_data/files')}” in storage" in told
    vtt.write_text("WEBVTT\n")
    assert "There are no captions in" in run("check", "--media").output


def test_captions_are_made_fetched_and_marked(
    folder: Path, run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(folder, captions_of(folder), "        no_captions: Nobody speaks.\n")
    assert "This video has no captions" not in run("check", "--media").output
    edit(folder, "        no_captions: Nobody speaks.\n", "")
    (folder / "course_data/courses/sourdough/captions/four-numbers.en.vtt").unlink()
    name, slug = LESSON, "sourdough"
    lesson = lesson_of(folder)
    assert (lesson.captions, "This video has no captions" in run("check", "--media").output) == ((), True)
    monkeypatch.setattr(media.make_captions, "__kwdefaults__", {"pause": 0.01})
    done = run("media", "captions", name)
    assert done.exit_code == 0, done.output
    assert "A machine made them" in done.output
    found = lesson_of(folder, name)
    assert [each.language for each in found.captions] == ["en"]
    assert MACHINE in found.captions[0].vtt
    assert "flower and water" in found.captions[0].vtt
    assert "A machine made these captions" in run("check", "--media").output
    assert "has captions in “en” already" in run("media", "captions", name).output
    assert "cannot be generated" in run("media", "captions", name, "--language", "tlh").output
    edit_of = course_file(folder, slug)
    assert f"captions/{lesson.slug}.en.vtt" in edit_of.read_text()

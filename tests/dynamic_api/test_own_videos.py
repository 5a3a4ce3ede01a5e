"""A video without Cloudflare: made by ffmpeg, kept in the file store, opened by signed addresses that end."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from dynamic_api.commands.__main__ import coursewright
from dynamic_api.core.settings import Settings
from sitegen.build import build_site
from sitegen.catalog.load import load_catalog
from sitegen.media.transcode import LADDER, TranscodeRefused, probe
from sitegen.school import School as SchoolFolder
from tests.conftest import ROOT, Sandbox
from tests.journeys.test_histories import fresh_school
from tests.s3 import ACCESS, BUCKET, S3, SECRET
from tests.school import SOURDOUGH

pytestmark = pytest.mark.slow

LESSON, KEY = "four-numbers", "videos/sourdough-four-numbers/0123456789abcdef"
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000\nv0.m3u8\n"
FILES = {
    "master.m3u8": MASTER,
    "v0.m3u8": "#EXTM3U\n#EXTINF:4,\nv0-00000.m4s\n",
    "v0-00000.m4s": "part",
    "poster.jpg": "j",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A school with a lesson whose video is its own."""
    school = tmp_path / "school"
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, school / name)
    path = school / "course_data/courses/sourdough/course.yaml"
    text = path.read_text()
    before, _, after = text.partition(f"        slug: {LESSON}\n")
    lines = after.split("\n")
    index = next(n for n, line in enumerate(lines) if line.strip().startswith("video:"))
    lines[index] = f"        hls: {KEY}"
    path.write_text(f"{before}        slug: {LESSON}\n" + "\n".join(lines))
    return school


def store(folder: Path) -> None:
    for name, content in FILES.items():
        path = folder / "course_data/files" / KEY / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


async def test_owners_play_it_on_the_web_and_the_phone_and_nobody_else(
    folder: Path, settings: Settings, sandbox: Sandbox, sqlite_template: Path, tmp_path: Path
) -> None:
    store(folder)
    build_site(SchoolFolder(folder))
    for page in (folder / "output").rglob("*"):
        assert page.is_dir() or KEY.encode() not in page.read_bytes()
    settings = settings.model_copy(
        update={"manifest": folder / "build/catalog.json", "files_dir": folder / "course_data/files"}
    )
    async with fresh_school(settings, sandbox, sqlite_template, tmp_path) as school, school.browser() as browser:
        async with school.browser() as stranger:
            assert (await stranger.get(f"/api/learn/{SOURDOUGH}/{LESSON}/playback")).status_code == 401
        session = await school.owner(browser)
        playback = (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}/playback")).json()
        assert (playback["iframe_url"], playback["captions"]) == (None, "en")
        master = urlsplit(playback["hls_url"]).path
        base = master.removesuffix("master.m3u8")
        for name, content in FILES.items():
            answer = await browser.get(base + name)
            assert (answer.status_code, answer.text) == (200, content), name
            assert answer.headers["cache-control"].startswith("private, max-age=")
        assert (await browser.get(master)).headers["content-type"] == "application/vnd.apple.mpegurl"
        assert urlsplit(playback["poster_url"]).path == f"{base}poster.jpg"
        ranged = await browser.get(f"{base}v0-00000.m4s", headers={"Range": "bytes=1-2"})
        assert (ranged.status_code, ranged.text) == (206, "ar")
        for bad in ("../../../course.yaml", "..%2f..%2fx.mp4", "nope.m4s", "x.php", ""):
            assert (await browser.get(base + bad)).status_code == 404, bad
        parts = base.split("/")
        parts[5] = parts[5][:-1] + ("0" if parts[5][-1] != "0" else "1")
        assert (await browser.get("/".join(parts) + "master.m3u8")).status_code == 403

        async with school.phone() as phone:
            await school.sign_in_phone(phone)
            told = (await phone.get(f"/courses/{SOURDOUGH}/lessons/{LESSON}/playback")).json()
            assert told["stream"]["player"] == "native"
            assert told["stream_url"] == told["stream"]["hls_url"] == told["stream"]["preferred_url"]
            assert (await browser.get(urlsplit(told["stream_url"]).path)).text == MASTER
            assert told["lesson"]["has_video"] is True if "has_video" in told["lesson"] else True

        school.clock.forward(seconds=playback["expires_in_seconds"] + 1)
        assert (await browser.get(master)).status_code == 403
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}/playback")).status_code == 403


async def test_from_a_bucket_parts_are_redirected_to_links_that_end(
    folder: Path, settings: Settings, sandbox: Sandbox, sqlite_template: Path, tmp_path: Path, s3: S3
) -> None:
    for name, content in FILES.items():
        s3.client.put_object(Bucket=BUCKET, Key=f"{KEY}/{name}", Body=content.encode())
    build_site(SchoolFolder(folder))
    bucket = {"r2_endpoint": s3.endpoint, "r2_bucket": BUCKET, "r2_access_key_id": SecretStr(ACCESS),
              "r2_secret_access_key": SecretStr(SECRET), "files_dir": None}  # fmt: skip
    settings = settings.model_copy(update={"manifest": folder / "build/catalog.json", **bucket})
    async with fresh_school(settings, sandbox, sqlite_template, tmp_path) as school, school.browser() as browser:
        await school.owner(browser)
        playback = (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}/playback")).json()
        base = urlsplit(playback["hls_url"]).path.removesuffix("master.m3u8")
        assert (await browser.get(f"{base}master.m3u8")).text == MASTER
        part = await browser.get(f"{base}v0-00000.m4s")
        assert part.status_code == 302
        async with httpx.AsyncClient() as anybody:
            assert (await anybody.get(part.headers["location"])).text == "part"
            assert (await anybody.get(part.headers["location"].partition("?")[0])).status_code == 403
        assert (await browser.get(f"{base}nope.m3u8")).status_code == 404
        policy = (await browser.get("/learn/")).headers.get("content-security-policy", "")
        assert not policy or s3.endpoint in policy
        s3.client.delete_object(Bucket=BUCKET, Key=f"{KEY}/master.m3u8")


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Nine seconds with sound, 720 lines high."""
    path = tmp_path / "film.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=12:duration=9", "-f", "lavfi",
         "-i", "sine=frequency=330:duration=9", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
         "-c:a", "aac", "-shortest", str(path)], check=True,
    )  # fmt: skip
    return path


@needs_ffmpeg
def test_a_film_becomes_a_ladder_and_goes_into_its_lesson(
    folder: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEWRIGHT_FILES_DIR", str(folder / "course_data/files"))
    monkeypatch.chdir(folder)
    name = f"sourdough/{LESSON}"
    refused = CliRunner().invoke(coursewright, ["media", "transcode", str(film), "--lesson", name])
    assert "Add --replace" in refused.output
    done = CliRunner().invoke(coursewright, ["media", "transcode", str(film), "--lesson", name, "--replace", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    made = folder / "course_data/files" / answer["hls"]
    master = (made / "master.m3u8").read_text()
    heights = [size[0] for size in LADDER if size[0] <= 720]
    assert [f"x{height}" in master for height in heights] == [True] * len(heights)
    assert "x1080" not in master
    assert (made / "poster.jpg").read_bytes()[:2] == b"\xff\xd8"
    for number in range(len(heights)):
        playlist = (made / f"v{number}.m3u8").read_text()
        assert "#EXT-X-ENDLIST" in playlist
        assert playlist.count("#EXTINF") == 3
    lesson = next(
        lesson for course in load_catalog(folder / "course_data").courses for lesson in course.all_lessons
        if lesson.slug == LESSON
    )  # fmt: skip
    assert (lesson.hls, lesson.duration, lesson.video) == (answer["hls"], 9, None)
    played = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(made / "master.m3u8")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert abs(float(played.stdout) - 9) < 0.5


@needs_ffmpeg
def test_what_is_no_film_is_told(tmp_path: Path) -> None:
    text = tmp_path / "film.mp4"
    text.write_text("no film")
    with pytest.raises(TranscodeRefused, match=r"ffprobe stopped|is no video"):
        probe(text)

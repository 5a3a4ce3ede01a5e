"""Publishing: said before it is done, cut anywhere and run again, verified, and taken back."""

import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dynamic_api.core.settings import Settings
from sitegen.build import prepare_site
from sitegen.catalog.manifest import Manifest
from sitegen.commands.diff import diff
from sitegen.commands.publish import publish, rollback, verify
from sitegen.publish import LIST, OutputRefused
from sitegen.publishing import Places, releases_of
from sitegen.publishing import publish as publish_site
from sitegen.school import School
from sitegen.targets.remote import digests_of, put_site
from sitegen.targets.target import RemoteTarget
from tests.conftest import ROOT, Sandbox
from tests.journeys.test_histories import fresh_school

COURSE = "course_data/courses/sourdough/course.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A school of its own, which is the sample."""
    school = tmp_path / "school"
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, school / name)
    return school


def run(command: Any, folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(command, ["--school", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / COURSE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A live site."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    with listening(partial(Quiet, directory=str(folder))) as url:
        yield url


@contextmanager
def listening(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on loopback."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Memory:
    """A place in memory, which can fail at any step."""

    place = "memory"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.steps = 0
        self.fails_at: int | None = None
        self.before_step: Callable[[], None] = lambda: None

    def _step(self) -> None:
        self.before_step()
        self.steps += 1
        if self.fails_at is not None and self.steps >= self.fails_at:
            raise OutputRefused("memory cannot be reached")

    def read(self, name: str) -> bytes | None:
        self._step()
        return self.files.get(name)

    def names(self, wanted: Sequence[str]) -> set[str]:
        self._step()
        return set(self.files)

    def write(self, name: str, content: bytes) -> None:
        self._step()
        self.files[name] = content

    def upload(self, site: Path, names: Sequence[str]) -> None:
        for name in names:
            self._step()
            self.files[name] = (site / name).read_bytes()

    def remove(self, names: Sequence[str]) -> None:
        for name in names:
            self._step()
            self.files.pop(name, None)

    def site(self) -> dict[str, bytes]:
        return {name: content for name, content in self.files.items() if name != LIST}


def content_of(site: Path) -> dict[str, bytes]:
    return {name: (site / name).read_bytes() for name in digests_of(site)}


def test_a_change_is_told_published_verified_and_taken_back(folder: Path, tmp_path: Path) -> None:
    site = tmp_path / "www"
    first = run(publish, folder, "--yes", "--to", str(site))
    assert first.exit_code == 0, first.output
    assert "Release 1, at " in first.output
    assert "nothing changes" in run(diff, folder).output.lower()

    edit(folder, "amount: 4900", "amount: 5900")
    edit(folder, "title: Four numbers", "title: Just four numbers")
    bookbinding = folder / "course_data/courses/seven-useful-knots/course.yaml"
    bookbinding.write_text(bookbinding.read_text().replace("status: published", "status: retired"))
    told = run(diff, folder).output
    for sentence in (
        "price: €49 → €59",
        "lesson renamed: “Four numbers for every loaf” → “Just four numbers for every loaf”",
        "is retired: nobody",
    ):
        assert sentence in told
    silent = run(publish, folder, "--to", str(site))
    assert silent.exit_code == 1
    assert "Add --yes" in silent.output
    assert "€49" in (site / "courses/sourdough/index.html").read_text()

    second = run(publish, folder, "--yes", "--to", str(site), "--json")
    receipt = json.loads(second.stdout)
    assert receipt["number"] == 2
    assert "Sourdough, from Starter to Loaf: price: €49 → €59" in receipt["changes"]
    with served(site) as url:
        assert run(verify, folder, url).exit_code == 0
        assert "Nothing changes" in run(diff, folder, "--against", url).output
        page = site / "courses/sourdough/index.html"
        page.write_bytes(page.read_bytes().replace(b"59", b"58", 1))
        tampered = run(verify, folder, url)
        assert (tampered.exit_code, tampered.output.splitlines()[0]) == (
            1, "courses/sourdough/index.html: has another content"
        )  # fmt: skip
    assert "was published there already" in run(publish, folder, "--yes", "--to", str(site)).output
    assert run(publish, folder, "--yes", "--all", "--to", str(site)).exit_code == 0

    back = run(rollback, folder, "1", "--yes")
    assert "again what release 1 was" in back.output
    assert "€49" in (site / "courses/sourdough/index.html").read_text()
    assert releases_of(School(folder)).newest().receipt.origin == 1  # type: ignore[union-attr]
    assert "There is no release before it" in run(rollback, folder, "--yes").output
    assert "price: €49 → €59" in run(diff, folder).output


def test_going_back_twice_goes_on_to_what_was_before(folder: Path, tmp_path: Path) -> None:
    prices = ("4900", "5900", "6900")
    for old, new in zip(("4900", *prices), prices, strict=False):
        edit(folder, f"amount: {old}", f"amount: {new}")
        run(publish, folder, "--yes")
    page = folder / "output/courses/sourdough/index.html"
    for price in ("€59", "€49"):
        assert run(rollback, folder, "--yes").exit_code == 0
        assert price in page.read_text()


def test_places_have_releases_of_their_own(folder: Path, tmp_path: Path) -> None:
    here, there = str(tmp_path / "here"), str(tmp_path / "there")
    run(publish, folder, "--yes", "--to", here)
    edit(folder, "amount: 4900", "amount: 5900")
    run(publish, folder, "--yes", "--to", there)
    assert "Nothing was published from this folder to" in run(rollback, folder, "--yes", "--to", "/nowhere").output
    assert "There is no release before it" in run(rollback, folder, "--yes", "--to", here).output
    for _ in range(3):  # the same again is no other site
        assert run(publish, folder, "--yes", "--all", "--to", here).exit_code == 0
    back = run(rollback, folder, "--yes", "--to", here)
    assert "price: €59 → €49" in back.output
    assert "€49" in (tmp_path / "here/courses/sourdough/index.html").read_text()
    assert "€59" in (tmp_path / "there/courses/sourdough/index.html").read_text()


def test_changes_without_a_commit_are_told(folder: Path) -> None:
    def git(*arguments: str) -> None:
        command = ["git", "-C", str(folder), "-c", "user.name=A", "-c", "user.email=a@b.example", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    (folder / ".gitignore").write_text("/output/\n/build/\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    assert "not committed" not in run(publish, folder, "--yes").output
    edit(folder, "amount: 4900", "amount: 5900")
    assert "and changes that are not committed" in run(publish, folder, "--yes").output


def test_cut_at_any_step_it_goes_on_when_run_again(folder: Path, tmp_path: Path) -> None:
    school, now = School(folder), datetime.now(UTC)

    @contextmanager
    def built() -> Iterator[Path]:
        with prepare_site(school, output=school.output, manifest=school.manifest, now=now) as prepared:
            yield prepared.folder

    with built() as site:
        shutil.copytree(site, tmp_path / "one")
    edit(folder, "amount: 4900", "amount: 5900")
    edit(folder, "slug: four-numbers", "slug: just-numbers\n        moved_from: [four-numbers]")
    with built() as site:
        shutil.copytree(site, tmp_path / "two")
    place = Memory()
    put_site(place, tmp_path / "one")
    one, steps = dict(place.files), place.steps
    place.steps = 0
    put_site(place, tmp_path / "two")
    needed = place.steps
    assert place.site() == content_of(tmp_path / "two")
    assert needed < steps  # only what differs
    for cut in range(1, needed + 1):
        place = Memory()
        place.files, place.fails_at = dict(one), cut
        with pytest.raises(OutputRefused):
            put_site(place, tmp_path / "two")
        for name, content in place.site().items():
            for asset in re.findall(rb'(?:href|src)="(/assets/[^"]+)"', content) if name.endswith(".html") else ():
                assert asset.decode().lstrip("/") in place.files, (cut, name)
        place.fails_at = None
        put_site(place, tmp_path / "two")
        assert place.site() == content_of(tmp_path / "two"), cut


def test_what_somebody_else_put_there_stays(folder: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("ours")
    place = Memory()
    place.files["photo.jpg"] = b"theirs"
    with pytest.raises(OutputRefused, match=r"has files that were not published by Coursewright \(photo.jpg\)"):
        put_site(place, site)
    assert place.files == {"photo.jpg": b"theirs"}
    place = Memory()
    put_site(place, site)
    place.files["later.txt"] = b"theirs"
    (site / "page.html").write_text("new")
    assert put_site(place, site).foreign == ("later.txt",)
    (site / "later.txt").write_text("ours")
    with pytest.raises(OutputRefused, match=r"later.txt at memory was not published by Coursewright"):
        put_site(place, site)
    assert place.files["later.txt"] == b"theirs"
    place.files[LIST] = b"{"
    with pytest.raises(OutputRefused, match="cannot be read"):
        put_site(place, site)


def test_two_at_once_are_told(folder: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("one")
    place, other = Memory(), Memory()
    other.files = place.files
    put_site(place, site)
    (site / "index.html").write_text("two")

    def meanwhile() -> None:
        if place.steps == 3:  # its list says that it writes, and no page is written yet
            place.before_step = lambda: None
            put_site(other, site)

    place.steps, place.before_step = 0, meanwhile
    with pytest.raises(OutputRefused, match="Somebody else published to memory at the same time"):
        put_site(place, site)
    put_site(place, site)
    assert place.files["index.html"] == b"two"


def test_a_school_is_published_by_one_at_a_time(folder: Path, tmp_path: Path) -> None:
    school, place = School(folder), Memory()
    refused = []

    def meanwhile() -> None:
        place.before_step = lambda: None
        refused.append(run(publish, folder, "--yes").output)

    place.before_step = meanwhile
    with prepare_site(school, output=school.output, manifest=school.manifest, now=datetime.now(UTC)) as prepared:
        publish_site(school, prepared, Places(RemoteTarget(place), "memory"), Accepting(), [])
    assert "is being published at this moment" in refused[0]


class Accepting:
    """An installation that takes every catalogue."""

    def prepare(self, manifest: Manifest) -> str:
        return "accepted"


def test_a_clock_that_is_behind_is_told(folder: Path, tmp_path: Path) -> None:
    run(publish, folder, "--yes")
    release = releases_of(School(folder)).newest()
    assert release is not None
    later = release.receipt.model_copy(update={"built_at": datetime.now(UTC) + timedelta(hours=1)})
    (release.folder / "receipt.json").write_text(later.model_dump_json())
    edit(folder, "amount: 4900", "amount: 5900")
    assert "Set the clock, and publish again" in run(publish, folder, "--yes").output
    assert "€49" in (folder / "output/courses/sourdough/index.html").read_text()


async def test_shown_is_charged_at_every_moment_of_a_publish(
    settings: Settings, sandbox: Sandbox, sqlite_template: Path, folder: Path, tmp_path: Path
) -> None:
    """Whatever page a buyer has, and whichever catalogue the service: charged as shown, or told."""
    school_folder = School(folder)
    run(publish, folder, "--yes")
    settings = settings.model_copy(update={"manifest": school_folder.manifest})
    page = folder / "output/courses/sourdough/index.html"
    old_page = page.read_text()
    async with fresh_school(settings, sandbox, sqlite_template, tmp_path) as school, school.browser() as browser:

        async def buy(html: str) -> int | str:
            fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
            assert fields.keys() >= {"course", "price"}
            answer = await browser.post("/api/checkout", data=fields)
            location = answer.headers["location"]
            if "#" in location and "/c/pay/" not in location:
                return location.partition("#")[2]
            return int(school.bank.store.objects[location.rpartition("/")[2].partition("#")[0]]["amount_total"])

        assert await buy(old_page) == 4900
        edit(folder, "amount: 4900", "amount: 5900")
        run(publish, folder, "--yes")
        new_page = page.read_text()
        assert (await buy(old_page), await buy(new_page)) == (4900, "price-changed")  # the service has not looked yet
        await school.service.catalog.refresh()
        assert (await buy(old_page), await buy(new_page)) == ("price-changed", 5900)
        run(rollback, folder, "--yes")
        await school.service.catalog.refresh()
        assert (await buy(new_page), await buy(page.read_text())) == ("price-changed", 4900)


def test_git_is_not_needed_to_publish(folder: Path) -> None:
    assert not (folder / ".git").exists()
    assert run(publish, folder, "--yes").exit_code == 0
    assert subprocess.run(["ls", str(folder / "build/releases")], capture_output=True, check=True).stdout == b"00001\n"

"""Where a site is published: a folder by rsync, a bucket of a real S3 server, and places that refuse."""

import http.server
import shutil
from pathlib import Path
from typing import Any

import pytest

from sitegen.commands.publish import publish
from sitegen.publish import LIST, OutputRefused
from sitegen.publishing import releases_of
from sitegen.school import School
from sitegen.targets.remote import digests_of
from sitegen.targets.rsync import RsyncStore
from sitegen.targets.target import find_target
from tests.journeys.test_publish import content_of, edit, folder, listening, run
from tests.s3 import ACCESS, S3, SECRET

__all__ = ["folder"]  # a fixture


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_a_folder_by_rsync(folder: Path, tmp_path: Path) -> None:
    school, place = School(folder), tmp_path / "www"
    (folder / "content/pages/été.md").write_text("---\ntitle: Summer\n---\nText.\n")
    to = f"rsync:{place}"
    assert run(publish, folder, "--yes", "--to", to).exit_code == 0
    release = releases_of(school).newest()
    assert release is not None
    assert content_of(place) == content_of(release.site)
    assert RsyncStore(str(place)).names([]) >= {"été/index.html", LIST}
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*.html")}
    edit(folder, "amount: 4900", "amount: 5900")
    (folder / "content/pages/été.md").unlink()
    (place / "theirs.txt").write_text("stays")
    answer = run(publish, folder, "--yes", "--to", to)
    assert "theirs.txt: not published by Coursewright" in answer.output
    assert not (place / "été").exists()
    assert "€59" in (place / "courses/sourdough/index.html").read_text()
    unchanged = place / "about" / "index.html"
    assert unchanged.stat().st_mtime_ns == before[unchanged]
    refused = run(publish, folder, "--yes", "--to", "rsync:nobody@127.0.0.1:/srv/x", "--all")
    assert refused.exit_code == 1
    assert "cannot be reached" in refused.output


def test_a_bucket(folder: Path, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("COURSEWRIGHT_PUBLISH_S3_ENDPOINT", s3.endpoint)
    monkeypatch.setenv("COURSEWRIGHT_PUBLISH_TO", "s3:www/school")
    missing = run(publish, folder, "--yes")
    assert "There is no such bucket. Make it first." in missing.output
    s3.client.create_bucket(Bucket="www")
    s3.client.put_object(Bucket="www", Key="other/theirs.txt", Body=b"x")
    assert run(publish, folder, "--yes").exit_code == 0

    def stored() -> dict[str, Any]:
        listed = s3.client.list_objects_v2(Bucket="www", Prefix="school/")["Contents"]
        return {each["Key"].removeprefix("school/"): each["LastModified"] for each in listed}

    release = releases_of(School(folder)).newest()
    assert release is not None
    first = stored()
    assert first.keys() - {LIST} == digests_of(release.site).keys()
    page = s3.client.get_object(Bucket="www", Key="school/courses/sourdough/index.html")
    assert (page["ContentType"], page["CacheControl"]) == ("text/html; charset=utf-8", "no-cache")
    asset = next(name for name in first if name.endswith(".css"))
    head = s3.client.head_object(Bucket="www", Key=f"school/{asset}")
    assert head["CacheControl"] == "public, max-age=31536000, immutable"
    edit(folder, "amount: 4900", "amount: 5900")
    (folder / "content/posts/cold-kitchens.md").unlink()
    s3.client.put_object(Bucket="www", Key="school/theirs.txt", Body=b"x")
    assert "theirs.txt: not published by Coursewright" in run(publish, folder, "--yes").output
    second = stored()
    assert not any("cold-kitchens" in name for name in second)
    assert "theirs.txt" in second
    assert second["about/index.html"] == first["about/index.html"]
    page = s3.client.get_object(Bucket="www", Key="school/courses/sourdough/index.html")
    assert "€59".encode() in page["Body"].read()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    refused = run(publish, folder, "--yes", "--all")
    assert refused.exit_code == 1
    assert "The secret does not fit the key id. Check AWS_SECRET_ACCESS_KEY." in refused.output


class _Guarded(http.server.BaseHTTPRequestHandler):
    """A bucket whose keys may read and write objects, and not list them: what is missing is forbidden, as at Amazon."""

    objects: dict[str, bytes]

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)

    def do_GET(self) -> None:
        content = self.objects.get(self.path)
        if content is not None:
            self._answer(200, content)
        else:
            self._answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        self.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_bucket_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("ours")
    objects = {"/www/index.html": b"theirs"}
    with listening(type("Bucket", (_Guarded,), {"objects": objects})) as url:
        target = find_target("s3:www", endpoint=url)
        with pytest.raises(OutputRefused, match=r"has files that were not published by Coursewright \(index.html\)"):
            target.put(site)
        assert objects == {"/www/index.html": b"theirs"}
        del objects["/www/index.html"]
        assert target.put(site).changed == 1
        assert objects["/www/index.html"] == b"ours"
        assert target.put(site).changed == 0


@pytest.mark.parametrize("written", ["rsync:", "rsync:/", "rsync://", "rsync:host:", "rsync:host:/", "rsync:.", "s3:"])
def test_a_place_without_a_name_is_never_written(written: str) -> None:
    with pytest.raises(OutputRefused, match="names no "):
        find_target(written, endpoint=None)


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_a_place_that_cannot_be_listed_whole_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a file vanishes meanwhile, or a folder may not be read: rsync says 23 then, as for a missing place."""
    program = tmp_path / "bin" / "rsync"
    program.parent.mkdir()
    real = shutil.which("rsync")
    program.write_text(f'#!/bin/sh\ncase "$*" in *" -r "*) echo "denied" >&2; exit 23;; esac\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    place, site = tmp_path / "www", tmp_path / "site"
    for each in (place, site):
        each.mkdir()
        (each / "index.html").write_text(each.name)
    with pytest.raises(OutputRefused, match="rsync stopped"):
        find_target(f"rsync:{place}", endpoint=None).put(site)
    assert (place / "index.html").read_text() == "www"


def test_a_place_that_is_none_is_refused(folder: Path) -> None:
    for written in ("ftp://host/x", "host:/srv/site"):
        with pytest.raises(OutputRefused, match="is no place to publish to"):
            find_target(written, endpoint=None)
    nowhere = run(publish, folder, "--yes", "--to", "/proc/self/xyz")
    assert (nowhere.exit_code, "cannot be made" in nowhere.output) == (1, True)
    inside = run(publish, folder, "--yes", "--to", str(folder / "course_data"))
    assert inside.exit_code == 1
    assert "are in each other" in inside.output


@pytest.mark.parametrize("written", ["", "rsync:"])
def test_the_services_own_files_go_elsewhere_and_are_private(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    if written and shutil.which("rsync") is None:
        pytest.skip("rsync is not installed")
    private = tmp_path / "private"
    monkeypatch.setenv("COURSEWRIGHT_PUBLISH_PRIVATE_TO", f"{written}{private}")
    assert run(publish, folder, "--yes", "--to", str(tmp_path / "www")).exit_code == 0
    assert (private / "catalog.json").read_bytes() == (folder / "build/catalog.json").read_bytes()
    for path in private.rglob("*"):
        assert path.stat().st_mode & 0o027 == 0, path
    monkeypatch.setenv("COURSEWRIGHT_PUBLISH_PRIVATE_TO", "s3:bucket")
    assert "from a folder, and not from a bucket" in run(publish, folder, "--yes", "--all").output

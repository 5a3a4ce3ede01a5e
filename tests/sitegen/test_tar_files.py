"""Archives of strangers: only files come out, and only into the folder."""

import io
import tarfile
from pathlib import Path

import pytest

from sitegen.tar_files import unpack_files


def archive(*members: tarfile.TarInfo) -> tarfile.TarFile:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as opened:
        for member in members:
            member.size = 2 if member.isfile() else 0
            opened.addfile(member, io.BytesIO(b"hi"))
    written.seek(0)
    return tarfile.open(fileobj=written)


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def test_files_and_their_folders(tmp_path: Path) -> None:
    device = tarfile.TarInfo("device")
    device.type = tarfile.CHRTYPE
    with archive(tarfile.TarInfo("a/b.txt"), link("a/link", "/etc"), device, tarfile.TarInfo("c.txt")) as opened:
        unpack_files(opened, tmp_path, lambda name: name != "c.txt")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["a", "a/b.txt"]
    assert (tmp_path / "a/b.txt").read_text() == "hi"


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt"])
def test_what_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with archive(tarfile.TarInfo(name)) as opened, pytest.raises(tarfile.ReadError):
        unpack_files(opened, inside)
    assert list(tmp_path.iterdir()) == [inside]

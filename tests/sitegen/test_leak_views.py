"""What the leak check makes of files that are broken, empty, repeated or too deep."""

import gzip
import random
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest

from sitegen.catalog.model import Catalog
from sitegen.leaks.find import FolderFiles, find_leaks
from sitegen.leaks.judge import judge
from sitegen.leaks.private import PaidText, private_parts, strength
from sitegen.leaks.views import bytes_of, plain, text_of
from sitegen.leaks.words import shingles, words_of

BROKEN = {
    "gzip": gzip.compress(b"words " * 100)[:30] + b"nonsense",
    "zip": b"PK\x03\x04" + b"nonsense" * 20,
    "pdf": b"%PDF-1.7\nstream\nnonsense\nendstream\nstream\n" + zlib.compress(b"(words)") + b"\nendstream",
    "png": b"\x89PNG\r\n\x1a\n"
    + (4).to_bytes(4, "big")
    + b"IHDRdata\0\0\0\0"
    + (9_999).to_bytes(4, "big")
    + b"zTXtshort",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_read_as_far_as_it_can_be(name: str) -> None:
    views = list(bytes_of(BROKEN[name]))
    assert views[0] == BROKEN[name]
    assert all(isinstance(text_of(view), str) for view in views)


def test_a_pdf_with_a_broken_stream_is_read_beyond_it() -> None:
    assert b"(words)" in list(bytes_of(BROKEN["pdf"]))


def test_what_is_encoded_again_and_again_is_decoded_three_times() -> None:
    text = "a b&c"
    for turns in range(5):
        assert (plain(text) == "a b&c") == (turns <= 3)
        text = quote(text)


def test_a_file_without_anything_to_recognise_it_by_is_nowhere(tmp_path: Path, catalog: Catalog) -> None:
    """Zeros and ruled lines are in many files."""
    paid = tmp_path / "paid.bin"
    for content in (b"", bytes(10_000), b"-=" * 5_000):
        paid.write_bytes(content)
        private = private_parts(catalog, [(paid, "the paid file")])
        assert private.files == []
        assert find_leaks({"x.bin": bytes(20_000) + b"-=" * 9_000}, private).refused == []
    paid.write_bytes(bytes(5_000) + random.Random(3).randbytes(10_000))  # noqa: S311 - any bytes
    private = private_parts(catalog, [(paid, "the paid file")])
    assert [leak.what for leak in find_leaks({"x.bin": paid.read_bytes()}, private).refused] == ["the paid file"]
    # Two programs may embed the same font: a small piece is no copy.
    assert find_leaks({"x.bin": paid.read_bytes()[-800:]}, private).refused == []


def test_small_pictures_of_one_kind_are_told_apart(tmp_path: Path, catalog: Catalog) -> None:
    paid = tmp_path / "rope.svg"
    paid.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 90"><path d="M1 2"/></svg>')
    private = private_parts(catalog, [(paid, "the picture")])
    other = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 90"><path d="M3 4"/></svg>'
    assert find_leaks({"logo.svg": other.encode()}, private).refused == []
    assert find_leaks({"copy.svg": b"\n" + paid.read_bytes()}, private).refused
    drawn = "<!-- made by a program -->" * 200
    paid.write_text(drawn + "".join(f"<path d='M{n} {n * n}'/>" for n in range(400)))
    private = private_parts(catalog, [(paid, "the picture")])
    assert find_leaks({"logo.svg": (drawn + "<circle/>").encode()}, private).refused == []
    assert find_leaks({"copy.svg": paid.read_bytes()}, private).refused


def test_a_line_that_every_page_has_is_looked_at_once(tmp_path: Path, catalog: Catalog) -> None:
    video = next(lesson.video for lesson in catalog.published[0].lessons if lesson.video)
    line = f"<p>The same line on every page, with {video} in it.</p>"
    for name in ("a.html", "b.html"):
        (tmp_path / name).write_text(line)
    files = FolderFiles(tmp_path)
    assert len(files) == 2
    assert [str(leak.file) for leak in find_leaks(files, private_parts(catalog)).refused] == ["a.html"]


@pytest.mark.parametrize(("value", "bits"), [("a.pdf", 8.0), ("handout-2026.pdf", 33.3), ("0f" * 8, 64.0), ("", 0.0)])
def test_how_much_a_value_says(value: str, bits: float) -> None:
    assert strength(value) == pytest.approx(bits, abs=0.1)


def test_a_word_and_four_signs_are_no_text() -> None:
    text = PaidText("the notes", "lesson", words_of("Mix 生地を折"))
    found = set(shingles(text.words))
    assert found
    assert judge(text, found, ()) is None

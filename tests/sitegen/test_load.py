"""Every mistake a creator can make is told with file, line, column, and how to fix it; all at once."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.load import load_catalog
from sitegen.commands.build import build
from sitegen.commands.check import check
from tests.conftest import ROOT

Edit = Callable[[Path], object]


@pytest.fixture
def course_data(tmp_path: Path) -> Path:
    """A copy of the sample that a test may spoil."""
    shutil.copytree(ROOT / "course_data", tmp_path / "course_data")
    return tmp_path / "course_data"


def faults_of(course_data: Path) -> list[str]:
    """What the loader says."""
    with pytest.raises(CatalogInvalid) as caught:
        load_catalog(course_data)
    return [str(fault) for fault in caught.value.faults]


def replace(old: str, new: str, *, file: str = "courses/sourdough/course.yaml", count: int = 1) -> Edit:
    """An edit of one file."""

    def edit(course_data: Path) -> None:
        path = course_data / file
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new, count))

    return edit


def remove(file: str) -> Edit:
    """A file that went missing."""
    return lambda course_data: (course_data / file).unlink()


MISTAKES: dict[str, tuple[Edit, str]] = {
    "unknown key": (replace("title: Sourdough", "titel: Sourdough"), "Did you mean “title”?"),
    "missing key": (replace("summary:", "# summary:"), "“summary” is missing"),
    "wrong type": (replace("amount: 4900", "amount: fortynine"), "“amount” must be a whole number"),
    "text expected": (replace("title: Sourdough, from Starter to Loaf", "title: 2024"), 'Put it in quotes: "2024"'),
    "price in major units": (replace("amount: 4900", "amount: 49.00"), "for 49.00 write 4900"),
    "negative price": (replace("amount: 4900", "amount: -4900"), "A price cannot be negative"),
    "price of nothing": (replace("amount: 4900", "amount: 0"), "For a free course write “price: free”"),
    "odd price": (replace("amount: 4900", "amount: 49"), "Did you mean 4900?"),
    "below the smallest": (
        replace("amount: 4900\n  currency: EUR", "amount: 5000\n  currency: HUF"),
        "below the smallest amount that Stripe charges",
    ),
    "a fraction Stripe refuses": (
        replace("amount: 4900\n  currency: EUR", "amount: 500050\n  currency: ISK"),
        "must end in 00",
    ),
    "three decimals": (replace("amount: 4900\n  currency: EUR", "amount: 4905\n  currency: KWD"), "Write 4900."),
    "unknown currency": (replace("currency: EUR", "currency: EUX"), "“EUX” is not a currency"),
    "no price": (
        replace("price:\n  amount: 4900\n  currency: EUR\n", ""),
        "This course is published but has no price",
    ),
    "wrong word": (replace("status: published", "status: publishd"), "Did you mean “published”?"),
    "wrong boolean": (replace("preview: true", "preview: yes"), "“preview” must be true or false"),
    "bad duration": (replace("duration: 1:10", "duration: 1:99"), "Write a duration like 6:40"),
    "twice in one place": (replace("level: beginner", "level: beginner\nlevel: all"), "is defined twice"),
    "not yaml": (replace("id: sourdough\n", "id: [sourdough\n"), "This is not YAML"),
    "missing notes": (
        remove("courses/sourdough/notes/what-lives-in-the-jar.md"),
        "The file “notes/what-lives-in-the-jar.md” is missing",
    ),
    "missing picture": (remove("courses/sourdough/thumbnail.svg"), "The file “thumbnail.svg” is missing"),
    "missing captions": (remove("courses/sourdough/captions/what-lives-in-the-jar.en.vtt"), ".en.vtt” is missing"),
    "file outside": (replace("thumbnail: thumbnail.svg", "thumbnail: ../../site.yaml"), "is outside this folder"),
    "unsafe key": (replace("key: sourdough/weekend-schedule.pdf", "key: ../secrets.pdf"), "is not a safe storage key"),
    "absolute key": (replace("key: sourdough/weekend-schedule.pdf", "key: /etc/passwd"), "is not a safe storage key"),
    "unknown instructor": (replace("instructor: mira-holm", "instructor: mira-hollm"), "Did you mean “mira-holm”?"),
    "bad slug": (
        replace("slug: what-lives-in-the-jar", "slug: ../../etc"),
        "lower-case letters of any script, digits and single hyphens",
    ),
    "bad captions": (
        replace("WEBVTT", "subtitles", file="courses/sourdough/captions/what-lives-in-the-jar.en.vtt"),
        "the first line of a WebVTT file is “WEBVTT”",
    ),
    "bad colour": (replace('color: "#', 'color: "blue#', file="site.yaml"), "Write a colour like “#1f5f8b”"),
    "same slug twice": (replace("slug: what-lives-in-the-jar", "slug: a-starter-from-nothing"), "is used twice"),
    "same id twice": (
        replace("id: sourdough-what-lives-in-the-jar", "id: sourdough-a-starter-from-nothing"),
        "The lesson id “sourdough-a-starter-from-nothing” is used twice",
    ),
    "same course id": (
        replace("id: git-for-writers\n", "id: sourdough\n", file="courses/git-for-writers/course.yaml"),
        "The course id “sourdough” is used twice",
    ),
    "empty lesson": (lambda root: empty_lesson(root), "has neither video nor notes"),
    "video without duration": (replace("\n        duration: ", "\n        #duration: "), "has a video but no duration"),
}


def empty_lesson(root: Path) -> None:
    path = root / "courses/sourdough/course.yaml"
    kept, skipping = [], False
    for line in path.read_text().splitlines():
        if line.strip() == "slug: what-lives-in-the-jar":
            skipping = True
        elif skipping and line.startswith("      - "):
            skipping = False
        drop = skipping and line.strip().split(":")[0] in ("notes", "video", "duration", "captions", "en")
        if not drop:
            kept.append(line)
    path.write_text("\n".join(kept))


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_told_with_its_place_and_remedy(course_data: Path, name: str) -> None:
    edit, expected = MISTAKES[name]
    edit(course_data)
    faults = faults_of(course_data)
    assert any(expected in fault for fault in faults), faults
    for fault in faults:
        place, _, remedy = fault.partition("\n")
        assert re.match(r".+\.(yaml|vtt|lock):\d+:\d+: \S", place), fault
        assert remedy.strip(), fault


def test_position_is_exact(course_data: Path) -> None:
    path = course_data / "courses/sourdough/course.yaml"
    lines = path.read_text().splitlines()
    number = next(index for index, line in enumerate(lines) if line.startswith("  amount:"))
    replace("amount: 4900", "amount: -5")(course_data)
    [fault] = faults_of(course_data)
    assert fault.startswith(f"{path}:{number + 1}:11: A price cannot be negative")


def test_all_faults_of_all_files_at_once(course_data: Path) -> None:
    replace("title: Sourdough", "titel: Sourdough")(course_data)
    replace("amount: 4900", "amount: -1")(course_data)
    replace("amount: 6900", "amount: 6900.5", file="courses/git-for-writers/course.yaml")(course_data)
    replace("tagline:", "tag_line:", file="site.yaml")(course_data)
    files = {fault.split(":")[0].rpartition("course_data/")[2] for fault in faults_of(course_data)}
    assert files == {"courses/sourdough/course.yaml", "courses/git-for-writers/course.yaml", "site.yaml"}


def test_yaml_words_mean_what_they_look_like(course_data: Path) -> None:
    replace("title: Sourdough, from Starter to Loaf", "title: no")(course_data)
    catalog = load_catalog(course_data)
    assert next(course.title for course in catalog.courses if course.id == "sourdough") == "no"


def test_command_line_exits_1_and_builds_nothing(course_data: Path, tmp_path: Path) -> None:
    replace("amount: 4900", "amount: -1")(course_data)
    shutil.copytree(ROOT / "content", tmp_path / "content")
    output, manifest = tmp_path / "output", tmp_path / "build/catalog.json"
    arguments = ["--school", str(tmp_path), "--output", str(output), "--manifest", str(manifest)]
    result = CliRunner().invoke(build, arguments)
    assert result.exit_code == 1
    message = result.stderr
    assert "A price cannot be negative" in message
    assert "1 fault; nothing was published." in message
    assert "Traceback" not in message
    assert not output.exists()
    assert not manifest.exists()


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(150_000_000, "IDR"), (500, "JPY"), (17500, "HUF"), (30, "GBP"), (500_000, "UGX"), (120_000, "ISK"), (10, "KWD")],
)
def test_what_stripe_charges_can_be_sold(course_data: Path, amount: int, currency: str) -> None:
    replace("amount: 4900\n  currency: EUR", f"amount: {amount}\n  currency: {currency}")(course_data)
    load_catalog(course_data)


def test_a_short_storage_key_is_told_and_not_refused(course_data: Path) -> None:
    replace("key: sourdough/weekend-schedule.pdf", "key: a.pdf")(course_data)
    shutil.copytree(ROOT / "content", course_data.parent / "content")
    result = CliRunner().invoke(check, ["--school", str(course_data.parent)])
    assert result.exit_code == 0, result.output
    assert "the storage key “a.pdf” of sourdough-weekend-schedule is so short" in result.stderr

"""Reviews in the course files: pulled, changed, taken back, imported, and what is shown of them."""

from datetime import date
from pathlib import Path

import pytest

from sitegen.build import build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.reviews import ReviewsRefused, pull, take_in
from sitegen.school import School
from tests.sitegen.test_build import copy_of_sample

ANN = {
    "id": "rv_1", "course": "sourdough", "name": "Ann", "stars": 5, "text": "Clear.\nAnd calm: \"really\".",
    "day": date(2026, 10, 2), "is_owner": True,
}  # fmt: skip
BOB = {**ANN, "id": "rv_2", "name": "Bob", "stars": 2, "text": "", "is_owner": False}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A course without reviews."""
    return tmp_path


def written(folder: Path) -> str:
    """The file."""
    return (folder / "reviews.yaml").read_text()


def test_new_reviews_wait_for_the_creator(folder: Path) -> None:
    [done] = pull({"sourdough": folder}, [ANN, BOB])
    assert (done.new, done.changed, done.gone) == (2, 0, 0)
    text = written(folder)
    assert text.count("status: pending") == 2
    assert "verified: true" in text
    assert text.index("rv_2") < text.index("rv_1"), "the newest is first"
    assert "# No longer owns the course." in text
    assert pull({"sourdough": folder}, [ANN, BOB]) == [], "nothing new: nothing is written"


def test_what_the_creator_wrote_stays(folder: Path) -> None:
    pull({"sourdough": folder}, [ANN])
    path = folder / "reviews.yaml"
    path.write_text(
        path.read_text()
        .replace("status: pending", "status: shown  # lovely")
        .replace("verified: true", "verified: true\n    answer: Thank you!")
    )
    before = path.read_text()
    assert pull({"sourdough": folder}, [ANN]) == []
    assert path.read_text() == before
    [done] = pull({"sourdough": folder}, [{**ANN, "text": "Changed my mind.", "stars": 1, "day": date(2026, 11, 1)}])
    assert done.changed == 1
    text = path.read_text()
    assert "status: pending # lovely" in text
    assert "answer: Thank you!" in text
    assert "Changed my mind." in text
    assert "stars: 1" in text
    assert "2026-11-01" in text


def test_a_review_that_was_taken_back_is_hidden_and_one_without_account_has_no_name(folder: Path) -> None:
    pull({"sourdough": folder}, [ANN, BOB])
    path = folder / "reviews.yaml"
    path.write_text(path.read_text().replace("status: pending", "status: shown"))
    [done] = pull({"sourdough": folder}, [{**ANN, "name": ""}])
    assert (done.new, done.changed, done.gone) == (0, 1, 1)
    text = path.read_text()
    assert "Ann" not in text
    assert text.count("status: shown") == 1
    assert text.count("status: hidden") == 1
    assert pull({"sourdough": folder}, [{**ANN, "name": ""}]) == []


def test_a_file_with_faults_is_left_alone(folder: Path) -> None:
    path = folder / "reviews.yaml"
    path.write_text("reviews:\n  - id: rv_1\n    stars: 9\n")
    with pytest.raises(ReviewsRefused, match=r"reviews\.yaml:\d+"):
        pull({"sourdough": folder}, [ANN])
    assert "stars: 9" in path.read_text()


def test_reviews_of_elsewhere_come_in_once_with_their_source(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    table.write_text(
        '\ufeffName,Stars,Date,Text\nMarek,5,2025-03-17,"Good, and\nlong"\nEve,4 stars,2024-01-02T10:00,Fine\n'
    )
    assert take_in(folder, table, "Udemy").new == 2
    text = written(folder)
    assert text.count("source: Udemy") == 2
    assert "verified" not in text
    assert text.count("status: pending") == 2
    assert take_in(folder, table, "Udemy").new == 0
    assert pull({"sourdough": folder}, []) == [], "what came from elsewhere is not taken back"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Ann,six,2025-01-01,x", "1 to 5"),
        ("Ann,0,2025-01-01,x", "1 to 5"),
        ("Ann,5,soon,x", "2024-05-31"),
        (f"Ann,5,2025-01-01,{'x' * 4001}", "4000"),
    ],
)
def test_a_table_with_faults_adds_nothing(folder: Path, tmp_path: Path, row: str, said: str) -> None:
    table = tmp_path / "old.csv"
    table.write_text(f"name,stars,date,text\nBob,5,2025-01-01,fine\n{row}\n")
    with pytest.raises(ReviewsRefused, match=rf"old\.csv:3: .*{said}"):
        take_in(folder, table, "Udemy")
    assert not (folder / "reviews.yaml").exists()


HOSTILE = "<script>alert(1)</script> & [link](https://evil.example) https://evil.example {{ 7*7 }} \u202egnirts"


def test_the_page_shows_what_is_shown_and_as_text(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    path = root / "course_data/courses/git-for-writers/reviews.yaml"
    reviews = [
        {**ANN, "text": HOSTILE, "name": "<b>Ann</b>"},
        {**BOB, "text": "x" * 4000},
        {**ANN, "id": "rv_3", "name": "Hidden Person"},
    ]
    pull({"git-for-writers": path.parent}, [{**each, "course": "git-for-writers"} for each in reviews])
    text = path.read_text()
    first, *others = text.split("  - id: ")
    path.write_text(
        "  - id: ".join(
            [first, *(each if each.startswith("rv_3") else each.replace("pending", "shown") for each in others)]
        )
    )
    build_site(School(root), output=tmp_path / "o", manifest=tmp_path / "b/catalog.json")
    html = (tmp_path / "o/courses/git-for-writers/index.html").read_text()
    body = html.partition("<body>")[2]
    assert "&lt;script&gt;alert(1)" in body
    assert "<script>alert" not in html
    assert 'href="https://evil' not in body
    assert "{{ 7*7 }}" in body
    assert "Hidden Person" not in html
    assert "&lt;b&gt;Ann&lt;/b&gt;" in body
    assert "2 reviews" in body
    assert "3.5" in body
    assert "2 reviews" in (tmp_path / "o/courses/index.html").read_text()


@pytest.mark.parametrize("line", ["stars: 6", "stars: 0", "status: maybe", "day: yesterday", "colour: red"])
def test_a_mistake_in_the_file_is_named(tmp_path: Path, line: str) -> None:
    root = copy_of_sample(tmp_path)
    path = root / "course_data/courses/git-for-writers/reviews.yaml"
    fields = {"id": "rv_1", "status": "shown", "name": "A", "stars": "5", "day": "2026-01-02"}
    name, _, value = line.partition(": ")
    fields[name] = value
    path.write_text("reviews:\n  - " + "\n    ".join(f"{key}: {each}" for key, each in fields.items()) + "\n")
    with pytest.raises(CatalogInvalid, match=r"reviews\.yaml:\d+"):
        build_site(School(root), output=tmp_path / "o", manifest=tmp_path / "b/catalog.json")

"""`coursewright diff`: what visitors and learners would notice, in sentences."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sitegen.catalog.model import Catalog, Course, Price, Redirect
from sitegen.differences.against import CannotCompare, facts_of_commit
from sitegen.differences.compare import compare
from sitegen.differences.facts import facts_of, public_facts
from sitegen.differences.words import NOTHING, People, as_markdown, as_text
from sitegen.school import School
from tests.conftest import ROOT

Edit = Callable[[Course], Course]


def edited(catalog: Catalog, edit: Edit, *, redirects: tuple[Redirect, ...] = ()) -> Catalog:
    """The catalogue with its sourdough course changed."""
    courses = tuple(edit(course) if course.id == "sourdough" else course for course in catalog.courses)
    return catalog.model_copy(update={"courses": courses, "redirects": redirects})


def sentences(before: Catalog, after: Catalog) -> list[str]:
    changes = compare(facts_of(before), facts_of(after))
    assert [change.id for change in changes] in ([], ["sourdough"])
    return [sentence for change in changes for sentence in change.sentences]


def update(**values: object) -> Edit:
    return lambda course: course.model_copy(update=values)


def lesson(number: int, **values: object) -> Edit:
    """One lesson of the course changed."""

    def edit(course: Course) -> Course:
        name = course.lessons[number].id
        return course.with_lessons(lambda each: each.model_copy(update=values) if each.id == name else each)

    return edit


def reversed_module(course: Course) -> Course:
    first, *rest = course.modules
    return course.model_copy(update={"modules": (first.model_copy(update={"lessons": first.lessons[::-1]}), *rest)})


EDITS: dict[str, tuple[Edit, str]] = {
    "price": (update(price=Price(amount=5900, currency="EUR")), "price: €49 → €59"),
    "paid to free": (update(price=None), "price: €49 → free"),
    "retired": (update(status="retired"), "is retired: nobody can buy it any more, and its owners keep it"),
    "draft": (update(status="draft"), "becomes a draft: nobody can buy it any more, and its owners keep it"),
    "title": (update(title="Bread"), "title: “Sourdough, from Starter to Loaf” → “Bread”"),
    "address": (update(slug="bread"), "address: /courses/sourdough/ → /courses/bread/, and nothing leads there"),
    "text": (update(description_html="<p>New</p>"), "the text of its page changes"),
    "lesson renamed": (lesson(2, title="Numbers"), "lesson renamed: “"),
    "lesson hidden": (lesson(2, published=False), "lesson removed: “"),
    "free preview": (lesson(2, preview=True), "is free for everybody"),
    "lesson's address": (lesson(2, slug="numbers"), "→ /learn/sourdough/numbers/"),
    "lesson's text": (lesson(2, notes_html="<p>New</p>"), "content changes: “"),
    "order": (reversed_module, "lessons are in another order"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_one_sentence(catalog: Catalog, name: str) -> None:
    edit, expected = EDITS[name]
    found = sentences(catalog, edited(catalog, edit))
    assert len(found) == 1
    assert expected in found[0]


def test_what_comes_back_is_told_as_well(catalog: Catalog) -> None:
    draft, retired = edited(catalog, update(status="draft")), edited(catalog, update(status="retired"))
    assert sentences(catalog, catalog) == []
    assert sentences(draft, catalog)[0].startswith("is new: €49, ")
    assert sentences(draft, retired) == ["is new, and retired: nobody can buy it"]
    assert sentences(retired, catalog) == ["is sold again: €49"]
    assert sentences(draft, draft) == []
    hidden = edited(catalog, lesson(2, published=False))
    assert sentences(hidden, catalog)[0].startswith("lesson added: “")
    without = catalog.model_copy(update={"courses": tuple(c for c in catalog.courses if c.id != "sourdough")})
    assert sentences(catalog, without) == ["is removed: nobody can buy it any more, and its owners keep it"]
    assert sentences(without, catalog)[0].startswith("is new: €49, ")


def test_an_old_address_that_leads_on_is_told_so(catalog: Catalog) -> None:
    redirect = Redirect(old="/courses/sourdough/", new="/courses/bread/")
    found = sentences(catalog, edited(catalog, update(slug="bread"), redirects=(redirect,)))
    assert found == ["address: /courses/sourdough/ → /courses/bread/, the old address leads there"]


def test_text_and_markdown_name_who_is_affected(catalog: Catalog) -> None:
    changes = compare(facts_of(catalog), facts_of(edited(catalog, update(title="Bread *now* | <b>"))))
    people = {"sourdough": People(412, 35)}
    assert "Bread *now* | <b> (sourdough) — 412 owners, 35 in the middle of it\n  title: " in as_text(changes, people)
    assert "**Bread \\*now\\* \\| \\<b\\>** — 412 owners, 35 in the middle of it" in as_markdown(changes, people)
    assert as_text([], {}) == as_markdown([], {}) == NOTHING


def test_a_sites_own_record_tells_nothing_of_paid_texts_or_drafts(catalog: Catalog) -> None:
    draft = edited(catalog, update(status="draft"))
    shown = public_facts(draft)
    assert "sourdough" not in [course.id for course in shown.courses]
    assert not any(lesson.content for course in shown.courses for lesson in course.lessons)


def test_a_commit_is_read_as_it_was(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@b.example", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    for name in ("course_data", "content"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(tmp_path)], check=True)
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    school, now = School(tmp_path), datetime.now(UTC)
    path = tmp_path / "course_data" / "courses" / "sourdough" / "course.yaml"
    path.write_text(path.read_text().replace("amount: 4900", "amount: 5900"))
    prices = {course.id: course.price for course in facts_of_commit(school, "HEAD", now=now).courses}
    assert prices["sourdough"] == Price(amount=4900, currency="EUR")
    path.write_text(path.read_text().replace("title:", "titel:", 1))
    git("commit", "-qam", "two")
    with pytest.raises(CannotCompare, match=r"have faults for this version.*course_data/courses/sourdough/course.yaml"):
        facts_of_commit(school, "HEAD", now=now)
    for name in ("no-such-branch", "--output=x"):
        with pytest.raises(CannotCompare):
            facts_of_commit(school, name, now=now)

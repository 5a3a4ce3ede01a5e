"""Writes what people said of a course into its `reviews.yaml`, where the creator decides what is shown."""

import csv
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from sitegen.catalog.reviews_file import LONGEST, REVIEWS, ReviewsFile
from sitegen.catalog.text_files import Unreadable, read_text
from sitegen.catalog.validate import read_shape

_HEAD = "Status: pending waits for you, shown is on the course’s page, hidden is not. Answers are public."


# Names of columns that programs export, and ours.
_COLUMNS = {
    "name": "name", "user": "name", "student": "name", "author": "name", "autor": "name", "nombre": "name",
    "stars": "stars", "rating": "stars", "sterne": "stars", "bewertung": "stars", "estrellas": "stars",
    "date": "date", "day": "date", "timestamp": "date", "created": "date", "datum": "date", "fecha": "date",
    "text": "text", "review": "text", "comment": "text", "kommentar": "text", "rezension": "text", "comentario": "text",
}  # fmt: skip


class ReviewsRefused(Exception):
    """Nothing was written; the message says why."""


@dataclass
class Pulled:
    """What changed in one file."""

    path: Path
    new: int = 0
    changed: int = 0
    gone: int = 0


@dataclass
class _Book:
    """A file of reviews that is being changed; comments and order stay."""

    path: Path
    yaml: YAML = field(default_factory=YAML)

    def __post_init__(self) -> None:
        self.yaml.width = 120
        self.yaml.representer.ignore_aliases = _never  # the same day twice is written twice
        self.yaml.indent(mapping=2, sequence=4, offset=2)
        if self.path.exists():
            source, _ = read_shape(ReviewsFile, self.path)
            if source.faults:
                raise ReviewsRefused(f"{source.faults[0]}\nMend the file first; nothing was written.")
            self.data = self.yaml.load(self.path.read_text(encoding="utf-8")) or CommentedMap()
        else:
            self.data = CommentedMap()
            self.data.yaml_set_start_comment(f"{_HEAD}\n")
        if not self.data.get("reviews"):
            self.data["reviews"] = CommentedSeq()
        self.by_id = {str(each["id"]): each for each in self.data["reviews"]}

    def add(self, review: Mapping[str, object]) -> None:
        """At the top: the newest is first."""
        entry = CommentedMap()
        for name in ("id", "status", "name", "stars", "day", "text", "verified", "source"):
            if review.get(name) not in (None, "", False):
                entry[name] = _written(review[name])
        entry.setdefault("name", "")
        self.data["reviews"].insert(0, entry)
        self.by_id[str(entry["id"])] = entry

    def write(self) -> None:
        """Replace the file at once."""
        text = StringIO()
        self.yaml.dump(self.data, text)
        draft = self.path.with_suffix(".new")
        draft.write_text(text.getvalue(), encoding="utf-8")
        draft.replace(self.path)


def pull(folders: Mapping[str, Path], reviews: Iterable[Mapping[str, object]]) -> list[Pulled]:
    """Bring the files in line with what learners wrote. `folders` are the courses', by id. Raises ReviewsRefused.

    A new review is `pending`. One that its writer changed is `pending` again, and one that they took back is `hidden`;
    the creator's answer stays. A writer whose account is gone has no name.
    """
    by_course: dict[str, dict[str, Mapping[str, object]]] = {}
    for review in reviews:
        by_course.setdefault(str(review["course"]), {})[str(review["id"])] = review
    books, pulled = [], []
    for course, folder in folders.items():
        theirs = by_course.get(course, {})
        path = folder / REVIEWS
        if not theirs and not path.exists():
            continue
        book, done = _Book(path), Pulled(path)
        for identifier, review in theirs.items():
            _bring(book, done, identifier, review)
        for identifier, entry in book.by_id.items():
            # What was imported from elsewhere is not known to the installation, and stays.
            if entry.get("verified") and identifier not in theirs and entry["status"] != "hidden":
                entry["status"], done.gone = "hidden", done.gone + 1
        if done.new or done.changed or done.gone:
            books.append(book)
            pulled.append(done)
    for book in books:
        book.write()
    return pulled


def _bring(book: _Book, done: Pulled, identifier: str, review: Mapping[str, object]) -> None:
    entry = book.by_id.get(identifier)
    if entry is None:
        book.add({**review, "status": "pending", "verified": True})
        if not review["is_owner"]:
            book.by_id[identifier].yaml_set_comment_before_after_key(
                "status", before="No longer owns the course.", indent=4
            )
        done.new += 1
        return
    if entry.get("name", "") != review["name"]:
        entry["name"] = review["name"]
        done.changed += 1
    said = (entry.get("stars"), str(entry.get("text", "")).strip())
    if said != (review["stars"], str(review["text"]).strip()):
        entry["stars"], entry["day"] = review["stars"], review["day"]
        entry["text"] = _written(review["text"])
        entry["status"] = "pending"
        done.changed += 1


def take_in(folder: Path, file: Path, source: str) -> Pulled:
    """Add reviews of another platform from CSV: name, stars, date, text. Raises ReviewsRefused; repeating adds none."""
    try:
        text = read_text(file).lstrip("\ufeff")
        head = text.partition("\n")[0]
        rows = list(csv.DictReader(StringIO(text), delimiter=max(",;\t", key=head.count)))
    except (Unreadable, csv.Error) as error:
        raise ReviewsRefused(f"{file}: {error}") from error
    columns = {_COLUMNS.get(name.strip().casefold(), "") for name in (rows[0] if rows else ()) if name}
    if missing := [name for name in ("stars", "date") if name not in columns]:
        raise ReviewsRefused(
            f"{file}:1: There is no column “{missing[0]}”. Name the columns in the first line: name, stars, date, text."
        )
    book, done = _Book(folder / REVIEWS), Pulled(folder / REVIEWS)
    faults = []
    for line, row in enumerate(rows, start=2):
        values = {
            _COLUMNS.get(name.strip().casefold(), name): (value or "").strip() for name, value in row.items() if name
        }
        try:
            review = _imported(values, source)
        except ValueError as error:
            faults.append(f"{file}:{line}: {error}")
            continue
        if str(review["id"]) not in book.by_id:
            book.add(review)
            done.new += 1
    if faults:
        raise ReviewsRefused("\n".join([*faults, "Nothing was written."]))
    if done.new:
        book.write()
    return done


def _imported(values: Mapping[str, str], source: str) -> dict[str, object]:
    stars = re.fullmatch(r"([1-5])(?:[.,]0+)?(?: ?/ ?5| stars?)?", values.get("stars", ""))
    if stars is None:
        raise ValueError(f"write 1 to 5 into the column “stars”, instead of “{values.get('stars', '')}”")
    try:
        day = date.fromisoformat(values.get("date", "")[:10])
    except ValueError:
        raise ValueError("write a date like 2024-05-31 into the column “date”") from None
    text = values.get("text", "")
    if len(text) > LONGEST:
        raise ValueError(f"this review has more than {LONGEST} letters; shorten it")
    name = values.get("name") or ""
    key = "\0".join((source, name, day.isoformat(), text))
    return {
        "id": f"im_{hashlib.sha256(key.encode()).hexdigest()[:12]}",
        "status": "pending",
        "name": name[:300],
        "stars": int(stars[1]),
        "day": day,
        "text": text,
        "verified": False,
        "source": source,
    }


def _never(_value: object) -> bool:
    return True


def _written(value: object) -> object:
    """Longer texts as they were written, line by line."""
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString("\n".join(line.rstrip() for line in value.splitlines()) + "\n")
    return value

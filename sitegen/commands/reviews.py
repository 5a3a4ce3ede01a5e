"""reviews: what learners say, into the course files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import click

from sitegen.commands.answers import as_json, count, in_school, refuse_command, say
from sitegen.reviews import ReviewsRefused, take_in
from sitegen.reviews import pull as pull_reviews
from sitegen.school import School


class HasReviews(Protocol):
    """The installation that learners wrote their reviews in."""

    def reviews(self) -> Sequence[Mapping[str, object]]:
        """All of them."""


@click.command(epilog="Example: coursewright reviews pull")
@in_school
@as_json
@click.pass_obj
def pull(installation: HasReviews, school: School, as_json: bool) -> None:
    """Write what learners said into reviews.yaml beside each course, as pending.

    Nothing is shown until you write “status: shown” there and build. A review that its writer changed is pending again.
    """
    try:
        pulled = pull_reviews(_folders(school), installation.reviews())
    except ReviewsRefused as error:
        refuse_command(str(error), as_json=as_json)
    lines = [f"{each.path}: {each.new} new, {each.changed} changed, {each.gone} taken back." for each in pulled]
    data = [{"file": str(each.path), "new": each.new, "changed": each.changed, "gone": each.gone} for each in pulled]
    say({"files": data}, "\n".join(lines) or "Nothing new.", as_json=as_json)


@click.command(name="import", epilog="Example: coursewright reviews import sourdough udemy.csv --source Udemy")
@click.argument("course")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--source", required=True, help="Where they were written; shown with each of them.")
@in_school
@as_json
def take_in_reviews(course: str, file: Path, source: str, school: School, as_json: bool) -> None:
    """Add reviews of another platform, from a table with name, stars, date and text. Repeating adds none twice."""
    folder = school.course_data / "courses" / course
    if not (folder / "course.yaml").is_file():
        refuse_command(f"There is no course in {folder}.", as_json=as_json)
    try:
        done = take_in(folder, file, source)
    except ReviewsRefused as error:
        refuse_command(str(error), as_json=as_json)
    sentence = f"{count(done.new, 'review')} added to {done.path}. They are pending: write “status: shown” to show one."
    say({"file": str(done.path), "new": done.new}, sentence, as_json=as_json)


def _folders(school: School) -> dict[str, Path]:
    """The folder of each course, by its id."""
    from sitegen.catalog.course_file import CourseFile
    from sitegen.catalog.validate import read_shape

    found = {}
    for path in sorted((school.course_data / "courses").glob("*/course.yaml")):
        _, course = read_shape(CourseFile, path)
        if course is not None:
            found[course.id] = path.parent
    return found

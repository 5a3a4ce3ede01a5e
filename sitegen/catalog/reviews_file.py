"""`reviews.yaml` beside a course: what learners said of it, and what the creator made of that."""

from typing import Literal

from pydantic import Field

from sitegen.catalog.course_file import Day, Line, Typed

REVIEWS = "reviews.yaml"
LONGEST = 4000  # letters of one review


class ReviewFile(Typed):
    """What one person said about the course. `coursewright reviews pull` adds those of learners, as `pending`."""

    id: str = Field(
        description="Given when it is pulled or imported. Never change it.",
        examples=["rv_1f0c2a9d"],
        pattern=r"^[a-z0-9_-]{1,64}$",
    )
    status: Literal["pending", "shown", "hidden"] = Field(
        description="`shown` puts it on the course's page; `pending` waits for you.", examples=["shown"]
    )
    name: Line | Literal[""] = Field(
        default="", description="Who wrote it; empty once they deleted their account.", examples=["Ann"]
    )
    stars: int = Field(ge=1, le=5, description="One to five.", examples=[5])
    day: Day = Field(description="When it was written.", examples=["2026-10-02"])
    text: str = Field(
        default="", description="What they wrote, in plain text.", examples=["Clear."], max_length=LONGEST
    )
    verified: bool = Field(
        default=False, description="Whether a learner of this school wrote it; `pull` says so.", examples=[True]
    )
    source: Line | None = Field(
        default=None, description="Where it was written, if elsewhere; shown with it.", examples=["Udemy"]
    )
    answer: str = Field(default="", description="Your public answer.", examples=["Thank you, Ann!"], max_length=LONGEST)


class ReviewsFile(Typed):
    """The reviews of one course: `course_data/courses/<slug>/reviews.yaml`."""

    reviews: list[ReviewFile] = Field(default=[], description="Reviews, the newest first.")

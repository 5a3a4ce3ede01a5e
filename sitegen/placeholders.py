"""Words that `init` and `new` leave for the creator to replace; a build tells where they are still there."""

from collections.abc import Iterator

from sitegen.catalog.model import Catalog
from sitegen.content.load import Content

LESSON = "Write the lesson's text here."
SUMMARY = "Say in one line what one learns here."
PLACEHOLDERS = (
    LESSON,
    SUMMARY,
    "Say in one line what this page is.",
    "Say in one or two sentences what you teach",
    "Say who you are",
    "Write your privacy notice here",
    "Write your terms here",
)


def placeholders(catalog: Catalog, content: Content) -> Iterator[str]:
    """Where visitors or learners read one, with its first words."""
    places = [("course_data/site.yaml", catalog.site.description)]
    places += [(page.file, f"{page.summary}\n{page.markdown}") for page in (*content.pages, *content.posts)]
    for course in catalog.published:
        texts = [course.summary, course.description_markdown, course.instructor.bio_html]
        texts += [lesson.notes_markdown or "" for lesson in course.lessons]
        places.append((course.folder, "\n".join(texts)))
    for place, text in places:
        for words in PLACEHOLDERS:
            if words in text:
                yield f"{place}: “{words}” is still there. Replace it before anybody reads it."

"""Rules that need more than one field, or more than one file."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from sitegen.catalog.course_file import CourseFile, LessonFile, PriceFile, ResourceFile
from sitegen.catalog.currencies import currency, is_currency
from sitegen.catalog.faults import did_you_mean
from sitegen.catalog.palette import ENOUGH, PAPER, contrast, nearest_readable
from sitegen.catalog.site_file import SiteFile
from sitegen.catalog.slugs import slug_of
from sitegen.catalog.yaml_source import Place, YamlSource

Loaded = tuple[CourseFile, YamlSource]
_Seen = dict[tuple[str, str], tuple[YamlSource, Place]]  # kind and name → where it was first


def check_site(site: SiteFile, source: YamlSource, courses: list[str] | None) -> None:
    """Add faults for what `site.yaml` gets wrong by itself, and beside the ids of the courses.

    `courses` is None where a course file could not be read: what names a course may be right then.
    """
    for number, name in enumerate(site.featured):
        if courses is not None and name not in courses:
            _add(source, ("featured", number), f"No course has the id “{name}”.", did_you_mean(name, courses))
    for name, colour in (("color", site.brand.color), ("accent", site.brand.accent)):
        if contrast(colour, PAPER) < ENOUGH:
            problem = (
                f"Text in {colour} cannot be read on white: {contrast(colour, PAPER):.1f} to 1, and {ENOUGH} is needed."
            )
            _add(source, ("brand", name), problem, f"The nearest colour that can is “{nearest_readable(colour)}”.")
    for number, each in enumerate(site.home):
        if each.intro and courses is not None and each.intro not in courses:
            place: Place = ("home", number, "intro")
            _add(source, place, f"No course has the id “{each.intro}”.", did_you_mean(each.intro, courses))
    if any(each.section == "sign-up" for each in site.home) and not site.newsletter:
        _add(source, ("home",), "A section asks for addresses for news, and there is none.", "Add “newsletter: true”.")
    _check_promises(site.promises, site, source)


def check_course(course: CourseFile, source: YamlSource, site: SiteFile | None) -> None:
    """Add faults for what one course gets wrong by itself."""
    if site and course.instructor not in (ids := [instructor.id for instructor in site.instructors]):
        _add(
            source,
            ("instructor",),
            f"Nobody in site.yaml has the id “{course.instructor}”.",
            did_you_mean(course.instructor, ids),
        )
    if isinstance(course.price, PriceFile):
        _check_price(course.price, source)
    if site:
        _check_promises(course.promises or [], site, source)
    published = course.status != "draft"
    if course.status == "published" and course.price is None:
        _add(
            source,
            ("status",),
            "This course is published but has no price.",
            "Add “price: free”, or a price with amount and currency.",
        )
    if published and not any(lesson.published for module in course.modules for lesson in module.lessons):
        _add(
            source,
            ("status",),
            f"This course is {course.status} but has no published lesson.",
            "Add a lesson, or set “status: draft”.",
        )
    for place, resource in named_resources(course):
        _check_storage_key(resource, (*place, "key"), source)
    for place, lesson in named_lessons(course):
        _check_lesson(lesson, place, source)


def _check_promises(promises: Sequence[str], site: SiteFile, source: YamlSource) -> None:
    if "app" in promises and site.app is None:
        _add(
            source,
            ("promises", promises.index("app")),
            "This promises an app, and none is named.",
            "Add “app: https://…” to site.yaml, or take the line out.",
        )


def _check_price(price: PriceFile, source: YamlSource) -> None:
    place: Place = ("price", "amount")
    if not is_currency(price.currency):
        _add(
            source,
            ("price", "currency"),
            f"“{price.currency}” is not a currency.",
            "Use its ISO 4217 code, such as EUR, USD or GBP.",
        )
        return
    rule = currency(price.currency)
    if price.amount < 0:
        _add(source, place, f"A price cannot be negative: {price.amount}.", "Write the amount without the minus sign.")
    elif price.amount == 0:
        _add(source, place, "A price of 0 cannot be charged.", "For a free course write “price: free”.")
    elif price.amount < rule.least:
        meant = price.amount * 10**rule.digits
        _add(
            source,
            place,
            f"{price.amount} {price.currency} is below the smallest amount that Stripe charges.",
            f"Amounts are in minor units. Did you mean {meant}?"
            if meant >= rule.least
            else f"Write {rule.least} or more.",
        )
    elif price.amount > rule.most:
        _add(
            source,
            place,
            f"{price.amount} is above the largest amount that Stripe charges.",
            f"The largest is {rule.most}.",
        )
    elif price.amount % rule.step:
        ending = str(rule.step)[1:]
        nearest = max(price.amount // rule.step, 1) * rule.step
        _add(source, place, f"Amounts in {price.currency} must end in {ending}.", f"Write {nearest}.")


def _check_storage_key(resource: ResourceFile, place: Place, source: YamlSource) -> None:
    key = resource.key
    parts = PurePosixPath(key).parts
    unsafe = (
        not key
        or key.startswith("/")
        or key.endswith("/")
        or "\\" in key
        or "//" in key
        or any(part in (".", "..") or part.startswith(".") for part in parts)
        or any(ord(character) < 32 or ord(character) == 127 for character in key)
        or len(key.encode()) > 1024
    )
    if unsafe:
        _add(
            source,
            place,
            f"“{key}” is not a safe storage key.",
            "Use a relative path such as “course/handout.pdf”, without “..”, hidden names or backslashes.",
        )


def _check_chapters(lesson: LessonFile, place: Place, source: YamlSource) -> None:
    end = -1
    for number, chapter in enumerate(lesson.chapters):
        where = (*place, "chapters", number, "start")
        if chapter.start <= end:
            _add(source, where, f"Chapter “{chapter.title}” begins before the one above it.", "Put them in order.")
        elif chapter.start >= (lesson.duration or 0):
            _add(source, where, f"Chapter “{chapter.title}” begins after the video's end.", "Correct its start.")
        end = max(end, chapter.start)


def _check_lesson(lesson: LessonFile, place: Place, source: YamlSource) -> None:
    has_video = bool(lesson.video or lesson.hls)
    if lesson.video and lesson.hls:
        _add(source, (*place, "hls"), f"Lesson “{lesson.id}” has two videos.", "Keep “video” or “hls”, not both.")
    if has_video and lesson.duration is None:
        _add(
            source,
            (*place, "video" if lesson.video else "hls"),
            f"Lesson “{lesson.id}” has a video but no duration.",
            "Add its length, such as “duration: 6:40”.",
        )
    if lesson.duration and not has_video:
        _add(
            source,
            (*place, "duration"),
            f"Lesson “{lesson.id}” has a duration but no video.",
            "Remove the duration, or add the video's id.",
        )
    if lesson.captions and not has_video:
        _add(
            source,
            (*place, "captions"),
            f"Lesson “{lesson.id}” has captions but no video.",
            "Remove the captions, or add the video's id.",
        )
    _check_chapters(lesson, place, source)
    if lesson.published and not has_video and not lesson.notes:
        _add(
            source,
            place,
            f"Lesson “{lesson.id}” has neither video nor notes.",
            "Add “video” or “notes”, or set “published: false”.",
        )


def check_catalog(courses: list[Loaded]) -> None:
    """Add faults for names that are used twice: ids in the whole catalogue, slugs where they make a URL."""
    seen: _Seen = {}
    for course, source in courses:
        slug = slug_of(course.slug, source.path.parent.name)
        _unique(seen, "course id", course.id, source, ("id",))
        _unique(seen, "course slug", slug, source, ("slug",))
        for number, module in enumerate(course.modules):
            _unique(seen, "module id", module.id, source, ("modules", number, "id"))
        for place, lesson in named_lessons(course):
            _unique(seen, "lesson id", lesson.id, source, (*place, "id"))
            _unique(seen, f"lesson slug in course {course.id}", lesson.slug, source, (*place, "slug"))
        for place, resource in named_resources(course):
            _unique(seen, "resource id", resource.id, source, (*place, "id"))


def check_translations(courses: list[Loaded], site: SiteFile) -> None:
    """Add faults for courses that are translations of nothing, of themselves, or in the same language."""
    languages = {course.id: course.language or site.language for course, _ in courses}
    for course, source in courses:
        origin, place = course.translation_of, ("translation_of",)
        if origin is None:
            continue
        if origin not in languages or origin == course.id:
            others = [name for name in languages if name != course.id]
            _add(source, place, f"No other course has the id “{origin}”.", did_you_mean(origin, others))
        elif languages[origin] == languages[course.id]:
            problem = f"This course and “{origin}” are both in “{languages[origin]}”."
            _add(source, place, problem, "Write the language of this one: “language: fr”.")


def _unique(seen: _Seen, kind: str, name: str, source: YamlSource, place: Place) -> None:
    first, there = seen.setdefault((kind, name), (source, place))
    if first is not source or there != place:
        before = first.fault(there, "", "")
        remedy = f"It is used at {before.file}:{before.line} as well. Choose another for the one that is newer."
        _add(source, place, f"The {kind} “{name}” is used twice.", remedy)


def named_lessons(course: CourseFile) -> Iterator[tuple[Place, LessonFile]]:
    """Every lesson of a course file, with its place."""
    for module_number, module in enumerate(course.modules):
        for lesson_number, lesson in enumerate(module.lessons):
            yield ("modules", module_number, "lessons", lesson_number), lesson


def named_resources(course: CourseFile) -> Iterator[tuple[Place, ResourceFile]]:
    """Every file to download, with its place."""
    for number, resource in enumerate(course.resources):
        yield ("resources", number), resource
    for number, module in enumerate(course.modules):
        for index, resource in enumerate(module.resources):
            yield ("modules", number, "resources", index), resource
    for place, lesson in named_lessons(course):
        for index, resource in enumerate(lesson.resources):
            yield (*place, "resources", index), resource


def _add(source: YamlSource, place: Place, problem: str, remedy: str) -> None:
    source.faults.append(source.fault(place, problem, remedy))

"""Schools of any size with invented texts, and the same texts as a site of Hugo's and of Pelican's."""

import random
from pathlib import Path

from PIL import Image

PER_COURSE = 50
_WORDS = [
    "dough", "water", "flour", "salt", "oven", "bread", "table", "morning", "evening", "slowly", "gently",
    "fold", "rest", "press", "turn", "measure", "weigh", "watch", "smell", "surface", "bottom", "crust",
    "crumb", "steam", "stone", "basket", "cloth", "knife", "edge", "corner", "window", "winter", "summer",
    "degree", "minute", "hour", "again", "before", "after", "while", "until", "because", "although",
    "however", "together", "apart", "under", "over", "between", "every", "another", "several", "enough",
]  # fmt: skip


def notes(number: int, words: int = 300) -> str:
    """A text with headings, a list, a table, code and emphasis; the same for the same number."""
    source = random.Random(number)  # noqa: S311 - invented texts
    picked = [source.choice(_WORDS) for _ in range(words)]

    def sentence(length: int) -> str:
        taken, picked[:] = picked[:length], picked[length:]
        return " ".join(taken).capitalize() + "." if taken else ""

    parts = [f"Lesson {number} begins here.", *(" ".join(sentence(12) for _ in range(4)) for _ in range(3))]
    parts += [f"## Part {number}", "- " + sentence(8) + "\n- **" + sentence(6) + "**\n- *" + sentence(6) + "*"]
    parts += ["| what | how much |\n|---|--:|\n| flour | 450 g |\n| water | 320 g |"]
    parts += ["```python\nhours = " + str(number) + "\nbake(hours)\n```"]
    while picked:
        parts.append(" ".join(sentence(13) for _ in range(4)))
    return "\n\n".join(parts) + "\n"


def write_school(folder: Path, lessons: int) -> None:
    """A school with that many lessons, each with notes, a video, captions, a file and, in every tenth, a picture."""
    data = folder / "course_data"
    data.mkdir(parents=True)
    (data / "site.yaml").write_text(
        "name: Bench\nsearch: false\ntagline: Many lessons.\ndescription: A school for measuring.\nurl: https://bench.example\n"
        'contact_email: hello@bench.example\nbrand:\n  color: "#24506b"\n  accent: "#b5541f"\n'
        "instructors:\n  - id: ann\n    name: Ann\n    bio: She measures.\n"
    )
    pages = folder / "content" / "pages"
    pages.mkdir(parents=True)
    for name in ("about", "terms", "privacy"):
        role = f"role: {name}\n" if name != "about" else ""
        (pages / f"{name}.md").write_text(f"---\ntitle: {name.title()}\n{role}---\nA page.\n")
    for first in range(0, lessons, PER_COURSE):
        _write_course(
            data / "courses" / f"course-{first // PER_COURSE}", range(first, min(first + PER_COURSE, lessons))
        )


def _write_course(folder: Path, numbers: range) -> None:
    (folder / "notes" / "images").mkdir(parents=True)
    (folder / "captions").mkdir()
    slug = folder.name
    lines = [
        f"id: {slug}\ntitle: Course {slug}\nsummary: A course for measuring.\ndescription: description.md\n"
        "status: published\ninstructor: ann\nthumbnail: thumbnail.svg\n"
        "price:\n  amount: 4900\n  currency: EUR\nmodules:"
    ]
    (folder / "description.md").write_text("What one learns here.\n\n## Much\n\nAnd more.\n")
    (folder / "thumbnail.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720"></svg>\n')
    Image.effect_noise((320, 200), 40).save(folder / "notes/images/oven.png")
    for place, number in enumerate(numbers):
        if place % 10 == 0:
            lines.append(f"  - id: {slug}-m{place}\n    title: Module {place}\n    lessons:")
        lines.append(
            f"      - id: lesson-{number}\n        slug: lesson-{number}\n        title: Lesson number {number}\n"
            f"        notes: notes/{number}.md\n        video: {_video(number)}\n        duration: 6:40\n"
            f"        captions:\n          en: captions/{number}.vtt\n        resources:\n"
            f"          - id: file-{number}\n            name: Sheet {number}\n"
            f"            key: {slug}/private-sheet-{number}.pdf\n            type: application/pdf"
        )
        if place == 0:
            lines.append("        preview: true")
        picture = "\n![The oven](images/oven.png)\n" if place % 10 == 5 else ""
        (folder / f"notes/{number}.md").write_text(notes(number) + picture)
        cues = "\n\n".join(
            f"00:{second // 60:02}:{second % 60:02}.000 --> 00:{second // 60:02}:{second % 60 + 4:02}.000\n"
            f"Take the {_WORDS[(number + second) % len(_WORDS)]} number {number} and {_WORDS[second % len(_WORDS)]}."
            for second in range(0, 300, 5)
        )
        (folder / f"captions/{number}.vtt").write_text(f"WEBVTT\n\n{cues}\n")
    (folder / "course.yaml").write_text("\n".join(lines) + "\n")


def _video(number: int) -> str:
    """An id as Stream gives them."""
    return f"{random.Random(number).getrandbits(128):032x}"  # noqa: S311 - an invented id


def write_hugo(folder: Path, lessons: int) -> None:
    """The same texts for Hugo, with a plain theme that lists the section beside each page."""
    layouts = folder / "layouts" / "_default"
    layouts.mkdir(parents=True)
    (folder / "hugo.toml").write_text('baseURL = "https://bench.example/"\ntitle = "Bench"\n')
    page = (
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>{{ .Title }} · {{ .Site.Title }}</title>"
        '<meta name=description content="{{ .Summary | plainify }}"></head><body><header><a href="/">Bench</a></header>'
        "<main><h1>{{ .Title }}</h1>{{ .Content }}</main><nav>{{ range .CurrentSection.Pages }}"
        '<li><a href="{{ .RelPermalink }}">{{ .Title }}</a></li>{{ end }}</nav></body></html>'
    )
    (layouts / "single.html").write_text(page)
    (layouts / "list.html").write_text(page)
    for number in range(lessons):
        path = folder / "content" / f"course-{number // PER_COURSE}" / f"lesson-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ntitle: Lesson number {number}\nweight: {number + 1}\n---\n{notes(number)}")


def write_pelican(folder: Path, lessons: int) -> None:
    """The same texts for Pelican as it comes."""
    (folder / "content").mkdir(parents=True)
    (folder / "pelicanconf.py").write_text(
        'SITENAME = "Bench"\nPATH = "content"\nTIMEZONE = "UTC"\nDEFAULT_LANG = "en"\nFEED_ALL_ATOM = None\n'
    )
    for number in range(lessons):
        text = f"Title: Lesson number {number}\nDate: 2026-01-01\nCategory: course-{number // PER_COURSE}\n\n"
        (folder / "content" / f"lesson-{number}.md").write_text(text + notes(number))

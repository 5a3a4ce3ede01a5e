"""One build, top to bottom: check, render, look for leaks, and only then publish."""

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sitegen.catalog.commit import find_commit
from sitegen.catalog.load import load_catalog
from sitegen.catalog.lock_file import NAME as LOCK
from sitegen.catalog.lock_file import lock_of, read_lock, write_lock
from sitegen.catalog.manifest import Manifest, ManifestUnreadable, compile_manifest, read_manifest, write_manifest
from sitegen.catalog.model import Catalog
from sitegen.catalog.public import PublicCatalog, public_view
from sitegen.leaks.find import Leak, find_leaks
from sitegen.leaks.private import Private, private_parts
from sitegen.publish import publish_site


class BuildFailed(Exception):
    """The site could not be rendered; the message says why, for a person."""


class SiteLeaks(Exception):
    """The rendered site contains paid content; nothing was published."""

    def __init__(self, leaks: list[Leak]) -> None:
        self.leaks = leaks
        super().__init__("\n".join(str(leak) for leak in leaks))


@dataclass(frozen=True)
class Built:
    """What a build did."""

    courses: int
    retired: int
    drafts: int
    lessons: int
    pages: int
    changed: int
    version: str
    told: tuple[Leak, ...] = ()


def build_site(root: Path, *, course_data: Path, output: Path, manifest: Path, site_url: str | None = None) -> Built:
    """Build the site that `root` describes.

    Raises CatalogInvalid, BuildFailed or SiteLeaks; `output` and `manifest` are then as they were.
    """
    lock, before = course_data / LOCK, _last_build(manifest)
    # Where the lock file is missing, what the last build published stands in for it.
    earlier = lock_of(lock, before.catalog.courses) if before is not None and not lock.exists() else None
    catalog = load_catalog(course_data, earlier=earlier)
    compiled = compile_manifest(catalog, find_commit(course_data))
    if before is not None and _is_the_same(before, compiled):
        compiled = before  # building twice is building once
    with tempfile.TemporaryDirectory(prefix="coursewright-") as folder:
        rendered = Path(folder) / "site"
        _render(root, course_data, rendered, public_view(catalog), site_url or catalog.site.url)
        found = find_leaks(rendered, _private(root, course_data, catalog))
        if found.refused:
            raise SiteLeaks(found.refused)
        changed = publish_site(rendered, output)
        write_manifest(compiled, manifest)  # after the pages: a price is charged once its page shows it
        write_lock(earlier or read_lock(lock), catalog.courses)
        pages = sum(1 for _ in rendered.rglob("*.html"))
    return Built(
        courses=len(catalog.published),
        retired=sum(course.status == "retired" for course in catalog.courses),
        drafts=sum(course.status == "draft" for course in catalog.courses),
        lessons=sum(len(course.lessons) for course in catalog.published),
        pages=pages,
        changed=changed,
        version=compiled.version,
        told=tuple(found.told),
    )


def _private(root: Path, course_data: Path, catalog: Catalog) -> Private:
    """What must not be in the site; the theme's words and those of the school's own pages are public on purpose."""
    paid = course_data / "files"
    files = [(path, f"the paid file {path.relative_to(paid)}") for path in sorted(paid.rglob("*")) if path.is_file()]
    trusted = [*(root / "theme" / "templates").rglob("*.html"), *(root / "content" / "pages").rglob("*.md")]
    return private_parts(catalog, files, (path.read_text(encoding="utf-8") for path in trusted))


def _last_build(manifest: Path) -> Manifest | None:
    """What was built before; None for the first build, or where another version of this program wrote it."""
    try:
        return read_manifest(manifest)
    except ManifestUnreadable:
        return None


def _is_the_same(one: Manifest, other: Manifest) -> bool:
    """Whether they differ in the moment of the build alone."""
    moment = other.built_at
    return one.model_copy(update={"built_at": moment}) == other


def _render(root: Path, course_data: Path, output: Path, public: PublicCatalog, site_url: str) -> None:
    # Importing Pelican takes a while; a creator's mistake is reported before that.
    from pelican import Pelican
    from pelican.log import console
    from pelican.settings import read_settings

    settings = read_settings(
        str(root / "pelicanconf.py"),
        override={
            "PUBLIC_CATALOG": public,
            "COURSE_DATA": str(course_data),
            "OUTPUT_PATH": str(output),
            "SITEURL": site_url,
            "SITENAME": public.site.name,
        },
    )
    console.quiet = True
    problems = _Problems()
    logger = logging.getLogger("pelican")
    logger.addHandler(problems)
    try:
        Pelican(settings).run()
    except Exception as error:  # a template or plugin may raise anything; the creator reads one sentence
        raise BuildFailed(f"Pelican stopped: {type(error).__name__}: {error}") from error
    finally:
        logger.removeHandler(problems)
    if problems.messages:
        raise BuildFailed("\n".join(problems.messages))


class _Problems(logging.Handler):
    """Collects what Pelican logs as an error: Pelican continues after errors, and a build must not."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

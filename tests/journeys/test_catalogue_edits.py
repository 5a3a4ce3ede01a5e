"""Any sequence of catalogue edits and purchases: every owner can still watch what their money bought."""

import os
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dynamic_api.core.models import CourseProgress
from dynamic_api.core.settings import Settings
from scripts.sandbox.store import Json
from sitegen.catalog.manifest import Manifest, ManifestRefused, compile_manifest, write_manifest
from sitegen.catalog.model import Catalog, Course
from tests.conftest import Sandbox
from tests.journeys.test_histories import fresh_school
from tests.school import GIT, SOURDOUGH, School

COURSES = (SOURDOUGH, GIT)
EDITS = (
    "retire",
    "sell",
    "hide",
    "remove",
    "restore",
    "rename",
    "shorten",
    "new id",
    "roll back",
    "buy",
    "open",
    "pay",
)
STEPS = st.lists(st.tuples(st.sampled_from(EDITS), st.sampled_from(COURSES)), min_size=4, max_size=16)


@dataclass
class _Story:
    school: School
    original: Catalog
    files: dict[str, Course]
    published: list[Manifest] = field(default_factory=list)
    sold: list[tuple[httpx.AsyncClient, str]] = field(default_factory=list)  # a buyer, and the course's id
    waiting: list[tuple[httpx.AsyncClient, Json, str]] = field(default_factory=list)  # payment pages that are open
    count: int = 0

    async def publish(self, manifest: Manifest | None = None) -> None:
        if manifest is None:
            manifest = compile_manifest(self.original.model_copy(update={"courses": tuple(self.files.values())}))
            self.published.append(manifest)
        write_manifest(manifest, self.school.service.settings.manifest)
        with suppress(ManifestRefused):
            await self.school.service.catalog.refresh()

    def change(self, name: str, **values: object) -> None:
        if name in self.files:
            self.files[name] = self.files[name].model_copy(update=values)

    async def step(self, kind: str, name: str, browser: httpx.AsyncClient) -> None:
        original = next(course for course in self.original.courses if course.id == name)
        self.count += 1
        match kind:
            case "retire" | "sell" | "hide":
                self.change(name, status={"retire": "retired", "sell": "published", "hide": "draft"}[kind])
            case "remove":
                self.files.pop(name, None)
            case "restore":
                self.files[name] = original
            case "rename":
                self.change(name, slug=f"{name}-{self.count}", title=f"Title {self.count}")
            case "shorten":
                self.change(name, modules=original.modules[:1])
            case "new id":
                self.change(name, id=f"{name}-{self.count}")
            case "roll back" if len(self.published) > 1:
                await self.publish(self.published[-2])
                return
            case "buy" | "open":
                await self.buy(name, browser, pay=kind == "buy")
                return
            case "pay":
                await self.pay()
                return
        await self.publish()

    async def buy(self, name: str, browser: httpx.AsyncClient, *, pay: bool) -> None:
        course = next((each for each in self.school.service.catalog.current.courses
                       if each.is_for_sale and each.definition.id == name), None)  # fmt: skip
        if course is None:
            return
        session = await self.school.begin(browser, course.definition.slug)
        self.waiting.append((browser, session, name))
        if pay:
            await self.pay()

    async def pay(self) -> None:
        for browser, session, name in self.waiting:
            email = f"buyer{len(self.sold)}@example.com"
            self.school.pay(session, email)
            await self.school.settle()
            assert (await self.school.claim(browser, session)).status_code == 200
            self.sold.append((browser, name))
        self.waiting.clear()

    async def verify(self) -> None:
        await self.pay()
        catalog = self.school.service.catalog.current
        for browser, name in self.sold:
            shelf = (await browser.get("/api/library")).json()["courses"]
            assert len(shelf) == 1, name
            [course] = [each for each in catalog.courses if each.definition.slug == shelf[0]["slug"]]
            assert course.definition.id == name
            for lesson in course.lessons[:2]:
                answer = await browser.get(f"/api/learn/{course.definition.slug}/{lesson.definition.slug}")
                assert answer.status_code == 200, (name, lesson.definition.slug, answer.text)
            [receipt] = (await browser.get("/api/receipts")).json()["receipts"]
            assert receipt["course_title"] == course.definition.title
        assert not any(row.completed_at for row in await self.school.rows(CourseProgress))


@given(steps=STEPS)
@settings(
    max_examples=int(os.environ.get("HISTORIES", "20")),
    derandomize="CI" in os.environ,  # a change is judged by its own faults; `scripts/bench proof` draws new ones
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_every_owner_can_watch(
    settings: Settings,
    sandbox: Sandbox,
    sqlite_template: Path,
    tmp_path: Path,
    catalog: Catalog,
    steps: list[tuple[str, str]],
) -> None:

    async def one() -> None:
        async with AsyncExitStack() as stack:
            school = await stack.enter_async_context(fresh_school(settings, sandbox, sqlite_template, tmp_path))
            story = _Story(school, catalog, {course.id: course for course in catalog.courses})
            await story.publish()
            for kind, name in steps:
                await story.step(kind, name, await stack.enter_async_context(school.browser()))
            await story.verify()

    anyio.run(one)

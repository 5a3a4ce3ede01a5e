"""At rest, access is exactly what the money says, whatever happened on the way."""

import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dynamic_api.core.settings import Settings
from scripts.sandbox.bank import Bank
from sitegen.catalog.model import Catalog
from tests.conftest import Sandbox
from tests.proof.history import begin_history
from tests.proof.model import STRICT, verify
from tests.proof.steps import HISTORIES, Step
from tests.school import School, TestClock, end_with_part_refunds, make_school

pytestmark = pytest.mark.slow


@asynccontextmanager
async def fresh_school(base: Settings, sandbox: Sandbox, sqlite_template: Path, folder: Path) -> AsyncIterator[School]:
    """A school nobody has bought from yet, on partners that remember nothing of the last one."""
    path = folder / "history.sqlite3"
    for leftover in folder.glob("history.sqlite3*"):
        leftover.unlink()
    shutil.copyfile(sqlite_template, path)
    bank: Bank = sandbox.bank
    bank.forget_everything()
    school = make_school(base.model_copy(update={"database_url": f"sqlite+aiosqlite:///{path}"}), bank, TestClock())
    await school.service.catalog.refresh()
    try:
        yield school
    finally:
        await school.service.close()


ran: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def count() -> Iterator[None]:
    """Says how many histories ended as they must."""
    yield
    print(  # noqa: T201
        f"\n{ran['histories']} histories ran ({ran['live']} with live access, {ran['ended']} with access that ended); "
        "at the end of each, access was what the money said."
    )


@pytest.fixture
def with_a_strict_course(settings: Settings, catalog: Catalog) -> Settings:
    """One of the courses ends with a partial refund."""
    end_with_part_refunds(settings.manifest, catalog, STRICT)
    return settings


@given(steps=HISTORIES)
@settings(
    max_examples=int(os.environ.get("HISTORIES", "25")),
    derandomize="CI" in os.environ,  # a change is judged by its own faults; `scripts/bench proof` draws new ones
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a history takes a third of a second: no shrinking
    suppress_health_check=list(HealthCheck),
)
def test_access_is_what_the_money_says(
    with_a_strict_course: Settings, sandbox: Sandbox, sqlite_template: Path, tmp_path: Path, steps: list[Step]
) -> None:

    async def one() -> None:
        async with fresh_school(with_a_strict_course, sandbox, sqlite_template, tmp_path) as school:
            history = await begin_history(school)
            await history.run(steps)
            ran.update(["histories", *await verify(history)])

    anyio.run(one)

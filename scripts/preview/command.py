"""The command `preview`: builds, serves, watches, and reloads the browser."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import uvicorn
from dotenv import dotenv_values
from starlette.applications import Starlette
from watchfiles import awatch

from dynamic_api.core.settings import Settings, variable
from sitegen.school import NoSchool, find_school

from ..installation import Installation, StartFailed, port_is_free
from .front import Front, People
from .workshop import Problem, Workshop


@click.command(epilog="Example: coursewright preview --port 8300")
@click.option("--port", default=8200, show_default=True, help="Of the preview; the three after it are used too.")
@click.option(
    "--school",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="The school's folder; the current one, unless told otherwise.",
)
@click.option("--share", metavar="COURSE", help="Print a link to this draft on the live site, and do nothing else.")
@click.option("--days", default=7, show_default=True, help="For how long that link works.")
def preview(port: int, school: Path, share: str | None, days: int) -> None:
    """See a school while writing it: drafts too, as a visitor, a buyer, or on the phone. On this machine alone."""
    try:
        found = find_school(Path(os.path.relpath(school)))
    except NoSchool as error:
        raise click.UsageError(str(error)) from None
    if share is not None:
        command = [sys.executable, "-m", "dynamic_api.commands", "share", share, "--days", str(days)]
        sys.exit(subprocess.run(command, cwd=found.root, check=False).returncode)
    taken = [each for each in range(port, port + 4) if not port_is_free(each)]
    if taken:
        click.echo(
            f"Port {taken[0]} is in use. Stop what runs there, or choose another, such as --port 8300.", err=True
        )
        sys.exit(1)
    folder = found.root.resolve() / "var" / "preview"
    shutil.rmtree(folder, ignore_errors=True)  # made by the last preview, and worth nothing without it
    folder.mkdir(parents=True)
    url = f"http://127.0.0.1:{port}"
    workshop = Workshop(found, url, folder / "catalog.json")
    workshop.build()
    workshop.keep_manifest()
    for problem in workshop.problems:
        click.echo(f"{problem.place}: {problem.problem}\n    {problem.remedy}", err=True)
    front = Front(workshop, f"http://127.0.0.1:{port + 1}")
    installation = Installation(folder, port + 1, port + 2, port + 3, found.root.resolve(), front=url)
    installation.extra |= own_streaming(found.root)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        work = (_welcome(server, url), _watch(front, installation), _serve(front, installation))
        tasks = [asyncio.create_task(each) for each in work]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(installation.stop)

    config = uvicorn.Config(
        front.app(lifespan), host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    stop = server.handle_exit

    def handle_exit(number: int, frame: object) -> None:
        front.stopping = True  # open event streams end, so that the server can
        stop(number, frame)  # type: ignore[arg-type]  # as uvicorn calls it

    server.handle_exit = handle_exit  # type: ignore[method-assign, assignment]
    with contextlib.suppress(KeyboardInterrupt):
        server.run()


def own_streaming(root: Path) -> dict[str, str]:
    """The school’s own Stream account, where its .env has one: its creator sees the real videos on this machine."""
    values = dotenv_values(root / ".env")
    own = {name: values.get(variable(name)) for name in ("stream_base_url", "stream_key_id", "stream_key_pem")}
    if not all(own.values()):
        return {}
    sdk = values.get(variable("stream_sdk_url")) or str(Settings.model_fields["stream_sdk_url"].default)
    return {name.upper(): value for name, value in {**own, "stream_sdk_url": sdk}.items() if value}


async def _welcome(server: uvicorn.Server, url: str) -> None:
    """Say the address once it answers."""
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.02)
    click.echo(f"\n  {url}/\n\nSave a file, and look. Ctrl-C stops.")


async def _watch(front: Front, installation: Installation) -> None:
    """Build after every save. What takes longer comes after the page was seen, and in processes of its own."""
    workshop, school = front.workshop, front.workshop.school
    folders = [folder for folder in (school.course_data, school.content, school.public) if folder.is_dir()]
    folders += [theme for theme in school.themes if theme.is_dir()]
    later: asyncio.Task[None] | None = None
    async for _ in awatch(*folders, step=10, debounce=200):
        await asyncio.to_thread(workshop.build)
        await front.announce()
        if later is not None:
            later.cancel()
        later = asyncio.create_task(_settle(front, installation))


async def _settle(front: Front, installation: Installation) -> None:
    """The service's catalogue, then new courses for the buyer, then the search for private words."""
    workshop = front.workshop
    await asyncio.sleep(0.3)
    await asyncio.to_thread(workshop.keep_manifest)
    if workshop.problems or front.people is None:
        return
    try:
        if front.given != workshop.courses:
            await asyncio.to_thread(installation.ask, f"{__package__}.people", "courses")
            front.given = workshop.courses
        await asyncio.sleep(3)
        said = await _ask_for_leaks(installation)
    except StartFailed as error:
        click.echo(str(error), err=True)
        return
    notices = [Problem(**each) for each in json.loads(said or "[]")]
    if notices != workshop.notices:
        workshop.notices = notices
        await front.announce()


async def _ask_for_leaks(installation: Installation) -> bytes:
    """What that program says. It is stopped when the next save comes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{__package__}.leaks", str(installation.school),
        cwd=installation.folder, env=installation.environment(), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return said


async def _serve(front: Front, installation: Installation) -> None:
    """Start the sandbox and the service, once there is a catalogue; pages are there before that."""
    while not front.workshop.manifest.exists():  # noqa: ASYNC110 - a file, which tells nobody that it is there
        await asyncio.sleep(0.5)
    try:
        await asyncio.to_thread(_start, installation)
    except StartFailed as error:
        click.echo(f"Lessons and the shop cannot be shown: {error}", err=True)
        return
    front.people = People(**json.loads(await asyncio.to_thread(installation.ask, f"{__package__}.people")))
    front.given = front.workshop.courses
    await front.announce()
    await _settle(front, installation)


def _start(installation: Installation) -> None:
    (installation.folder / "output").mkdir(exist_ok=True)  # pages come from memory
    installation.start_sandbox()
    installation.migrate()
    installation.start_service()

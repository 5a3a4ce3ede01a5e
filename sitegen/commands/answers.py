"""What the commands share: which school, how they answer, and how they refuse."""

import gc
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from sitegen.school import NoSchool, School, find_school

if TYPE_CHECKING:
    from sitegen.catalog.faults import Fault


def named_school(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> School:
    """The school that is named, or the one that the current folder is in. Its paths are short, for messages."""
    try:
        return find_school(Path(os.path.relpath(value or Path.cwd())))
    except NoSchool as error:
        raise click.UsageError(str(error)) from None


in_school = click.option(
    "--school",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    callback=named_school,
    help="The school's folder; the current one, unless told otherwise.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@contextmanager
def without_collector() -> Iterator[None]:
    """Python does not search for unreachable cycles: a build has hardly any, and searching takes a fifth of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def count(number: int, noun: str) -> str:
    """“1 lesson”, “2 lessons”."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def say(data: Mapping[str, object], sentence: str, *, as_json: bool) -> None:
    """The answer, for a program or for a person."""
    click.echo(json.dumps(data, ensure_ascii=False) if as_json else sentence)


def refuse_command(problem: str, *, as_json: bool) -> NoReturn:
    """Why a command did nothing, and exit status 1."""
    click.echo(json.dumps({"problem": problem}, ensure_ascii=False) if as_json else problem, err=not as_json)
    raise SystemExit(1)


def disk_sentence(error: OSError) -> str:
    """A disk that is full or fails, or a file that may not be read or written."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. Mend that, and run the command again."


def refuse(messages: Sequence[str], noun: str, *, as_json: bool) -> NoReturn:
    """What is wrong with what is to be published, and exit status 1."""
    if as_json:
        click.echo(json.dumps({f"{noun}s": list(messages)}, ensure_ascii=False))
    else:
        click.echo("\n".join((*messages, f"\n{count(len(messages), noun)}; nothing was published.")), err=True)
    raise SystemExit(1)


def refuse_faults(faults: "Sequence[Fault]", *, as_json: bool) -> NoReturn:
    """The faults of the files, and exit status 1."""
    if as_json:
        described = [
            {"file": str(each.file), "line": each.line, "column": each.column, "problem": each.problem,
             "remedy": each.remedy}
            for each in faults
        ]  # fmt: skip
        click.echo(json.dumps({"faults": described}, ensure_ascii=False))
        raise SystemExit(1)
    refuse([str(fault) for fault in faults], "fault", as_json=False)

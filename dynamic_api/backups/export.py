"""The way out: everything of a school in one archive of open formats, and the way in somewhere else."""

import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Column, Table, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from dynamic_api.backups.archive import digest_of
from dynamic_api.backups.database import NOT_EMPTY, BackupRefused
from dynamic_api.backups.rows import (
    BATCH,
    batches,
    continue_numbers,
    count,
    from_json,
    make_tables,
    tables,
    to_json,
    write,
)
from dynamic_api.core.database import make_plain_engine
from dynamic_api.core.models import Installation
from dynamic_api.migrations.schema import SchemaUnfit, check_schema
from sitegen.tar_files import unpack_files

ABOUT, README, ROWS, FILES = "about.json", "README.md", "database", "school"
_NOT_OURS = {"output", "build", "var", "node_modules", "__pycache__"}
_HIDDEN_AND_WANTED = {".gitignore", ".gitattributes", ".github", ".gitlab-ci.yml", ".forgejo", ".vscode",
                      ".coursewright", ".pre-commit-config.yaml", ".well-known", ".editorconfig"}  # fmt: skip


@dataclass(frozen=True)
class Contents:
    """What an archive says of itself: SHA-256 of each file by name, and rows by table."""

    program: str
    schema: str
    made_at: str
    rows: Mapping[str, int]
    files: Mapping[str, str]


async def write_rows(url: str, folder: Path) -> dict[str, int]:
    """Write each table into an existing folder, a row a line; how many there are. Everything is of one moment."""
    engine = make_plain_engine(url)
    written: dict[str, int] = {}
    try:
        async with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                await connection.exec_driver_sql("BEGIN")
            for table in tables():
                written[table.name] = 0
                with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
                    async for rows in batches(connection, table):
                        written[table.name] += len(rows)
                        file.writelines(json.dumps(to_json(row), ensure_ascii=False) + "\n" for row in rows)
    finally:
        await engine.dispose()
    return written


def describe(contents: Contents) -> str:
    """The archive's own document: a person without this program can read all of it."""
    lines = [
        "# A school, exported",
        "",
        f"Written by Coursewright {contents.program} on {contents.made_at}. All of it is text: JSON, Markdown, YAML.",
        "",
        f"- `{FILES}/`: the creator's files. Courses are YAML, texts Markdown, captions WebVTT.",
        f"- `{ROWS}/TABLE.jsonl`: the database, a JSON object for each row. Moments are ISO 8601 in UTC, amounts in "
        "the currency's smallest unit. Passwords are hashes (argon2id, bcrypt); emails are as their owners typed them.",
        f"- `{ABOUT}`: counts of rows, and the SHA-256 of every file.",
        "",
        "Not in it: settings and secrets (`.env`), videos (they are at Cloudflare Stream or in your storage).",
        "",
    ]
    for table in tables():
        lines += [f"## {table.name}", "", "| column | type | refers to |", "|---|---|---|"]
        lines += [f"| {column.name} | {_kind(column)} | {_target(column)} |" for column in table.columns]
        lines.append("")
    return "\n".join(lines)


def _kind(column: Column[object]) -> str:
    kind = column.type.python_type.__name__
    names = {"datetime": "moment", "str": "text", "int": "number", "bool": "true or false", "dict": "JSON"}
    return names.get(kind, "text") + (", or null" if column.nullable else "")


def _target(column: Column[object]) -> str:
    return ", ".join(f"{key.column.table.name}.{key.column.name}" for key in column.foreign_keys)


def creators_files(root: Path, *, besides: Path) -> Iterator[Path]:
    """The files of a school that somebody wrote: nothing built, nothing secret, nothing of git's own."""
    for folder, names, files in os.walk(root):
        here = Path(folder)
        names[:] = sorted(name for name in names if _is_wanted(name) and (here / name).resolve() != besides.resolve())
        yield from (here / name for name in sorted(files) if _is_wanted(name) and (here / name).is_file())


def _is_wanted(name: str) -> bool:
    return name in _HIDDEN_AND_WANTED if name.startswith(".") else name not in _NOT_OURS


def write_export(target: Path, folder: Path, school: Path | None, facts: Mapping[str, object]) -> Contents:
    """Pack the rows in `folder` and the creator's files, readable by their owner only, complete or not at all."""
    members = {f"{ROWS}/{path.name}": path for path in sorted((folder / ROWS).iterdir())}
    if school is not None:
        found = creators_files(school, besides=folder)
        members |= {f"{FILES}/{path.relative_to(school).as_posix()}": path for path in found}
    digests = {name: digest_of(path) for name, path in members.items()}
    contents = Contents(files=digests, **facts)  # type: ignore[arg-type]
    texts = {README: describe(contents), ABOUT: json.dumps(asdict(contents), indent=2, ensure_ascii=False)}
    draft = target.with_name(f".{target.name}.new")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, text in texts.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
            for name, path in members.items():
                archive.add(path, arcname=name, recursive=False)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return contents


@contextmanager
def open_export(file: Path) -> Iterator[tuple[Path, Contents]]:
    """Unpack an export, and check that every file is what was written. Raises BackupRefused."""
    with tempfile.TemporaryDirectory(prefix="coursewright-") as name:
        folder = Path(name)
        try:
            with tarfile.open(file) as archive:
                unpack_files(archive, folder)
            contents = Contents(**json.loads((folder / ABOUT).read_text(encoding="utf-8")))
        except (tarfile.TarError, EOFError, OSError, ValueError, TypeError):
            raise BackupRefused(f"{file} is no export of Coursewright, or is cut short.") from None
        for member, digest in contents.files.items():
            path = folder / member
            if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file() or digest_of(path) != digest:
                raise BackupRefused(f"{file} is damaged: {member} is not what was written.")
        yield folder, contents


def put_files(folder: Path, contents: Contents, target: Path) -> int:
    """Copy the creator's files into an empty folder; how many there are. Raises BackupRefused."""
    if target.exists() and any(target.iterdir()):
        raise BackupRefused(f"{target} is not empty. Name a new folder with --to.")
    names = [name for name in contents.files if name.startswith(f"{FILES}/")]
    for name in names:
        path = target / name.removeprefix(f"{FILES}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((folder / name).read_bytes())
    (target / "course_data" / "files").mkdir(parents=True, exist_ok=True)  # an archive has no empty folders
    return len(names)


async def put_rows(folder: Path, contents: Contents, url: str) -> int:
    """Fill an empty database, in one transaction; how many rows there are. Raises BackupRefused."""
    try:
        await check_schema(url)
    except SchemaUnfit as error:
        if not error.is_empty:
            raise NOT_EMPTY from error
        await make_tables(url)
    engine = make_plain_engine(url)
    try:
        async with engine.begin() as connection:
            for table in tables():
                if table.name != Installation.__tablename__ and await count(connection, table):
                    raise NOT_EMPTY
            await connection.execute(delete(Installation))  # a new database has one, and the archive another
            for table in tables():
                found = await _load(connection, table, folder / ROWS / f"{table.name}.jsonl")
                if found != contents.rows.get(table.name):
                    raise BackupRefused(f"The archive has {found} rows of {table.name}, and not as many as it says.")
            await continue_numbers(connection)
    finally:
        await engine.dispose()
    return sum(contents.rows.values())


async def _load(connection: AsyncConnection, table: Table, path: Path) -> int:
    found, waiting = 0, []
    with path.open(encoding="utf-8") as file:
        for line in file:
            waiting.append(from_json(table, json.loads(line)))
            found += 1
            if len(waiting) == BATCH:
                await write(connection, table, waiting)
                waiting = []
    await write(connection, table, waiting)
    return found

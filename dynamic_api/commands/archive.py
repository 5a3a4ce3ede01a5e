"""The commands export and import archive: a whole school in one file of open formats."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from dynamic_api import __version__
from dynamic_api.backups.database import BackupRefused, make_file
from dynamic_api.backups.export import ROWS, open_export, put_files, put_rows, write_export, write_rows
from dynamic_api.commands.report import DATABASE_FAULTS, CommandRefused, database_refusal, settings_or_refusal
from dynamic_api.migrations.schema import SchemaUnfit, check_schema, newest_schema


@click.command(epilog="Example: coursewright export --all school.tar.gz")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--all/--data-only", "everything", default=True, help="With the course files, or the database alone.")
@click.option("--school", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="The school's folder.")
def export(file: Path, school: Path, *, everything: bool) -> None:
    """Write the whole school into one archive that needs no Coursewright to be read.

    Each table is JSON, a row a line, with a README that describes every column; beside it are the creator's files as
    they are. Secrets (.env) and videos are not in it. “coursewright import archive” sets a school up from it.
    """
    settings = settings_or_refusal()
    if file.exists():
        raise CommandRefused(f"{file} exists already; name another file.")
    if not file.resolve().parent.is_dir():
        raise CommandRefused(f"There is no folder {file.resolve().parent}.")
    try:
        asyncio.run(check_schema(settings.database_url))
        with tempfile.TemporaryDirectory(prefix="coursewright-", dir=file.resolve().parent) as name:
            (Path(name) / ROWS).mkdir()
            rows = asyncio.run(write_rows(settings.database_url, Path(name) / ROWS))
            facts = {
                "program": __version__,
                "schema": newest_schema() or "",
                "made_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
                "rows": rows,
            }
            contents = write_export(file, Path(name), school.resolve() if everything else None, facts)
    except (SchemaUnfit, BackupRefused) as error:
        raise CommandRefused(str(error)) from error
    except DATABASE_FAULTS as error:
        raise database_refusal(error) from error
    click.echo(f"{file}: {sum(rows.values())} rows of {len(rows)} tables, {len(contents.files) - len(rows)} files.")


@click.command("archive", epilog="Example: coursewright import archive school.tar.gz --to my-school")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--to", "target", type=click.Path(path_type=Path, file_okay=False), help="An empty folder for the files.")
def take_in(file: Path, target: Path | None) -> None:
    """Set a whole school up from “coursewright export”: with --to its files, without it the database.

    The files come first, then .env with the settings, then the database of those settings, which must be empty.
    """
    try:
        with open_export(file) as (folder, contents):
            if target is not None:
                found = put_files(folder, contents, target)
                click.echo(
                    f"{target}: {found} files. Write .env there (“coursewright settings” shows an example), and run "
                    f"“coursewright import archive {file.name}” in it."
                )
                return
            if contents.schema != newest_schema():
                raise BackupRefused(
                    f"This was written by Coursewright {contents.program}, whose database has another schema. Install "
                    "that version, import, and upgrade then."
                )
            settings = settings_or_refusal()
            make_file(settings.database_url)
            rows = asyncio.run(put_rows(folder, contents, settings.database_url))
    except BackupRefused as error:
        raise CommandRefused(str(error)) from error
    except DATABASE_FAULTS as error:
        raise database_refusal(error) from error
    click.echo(f"{rows} rows. Run “coursewright build”, then “coursewright doctor”.")

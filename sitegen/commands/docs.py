"""docs, schema: what the program brings along for reading."""

from pathlib import Path

import click

from sitegen.commands.answers import in_school
from sitegen.school import PACKAGE, School
from sitegen.starter import write_schemas


def docs_folder() -> Path:
    """The documents: inside the installed package, or beside it in a checkout."""
    packed = PACKAGE / "docs"
    return packed if packed.is_dir() else PACKAGE.parent / "docs"


@click.command(epilog="Example: coursewright docs fields")
@click.argument("name", required=False)
def docs(name: str | None) -> None:
    """Show a document: fields, markdown, settings, commands, going-live."""
    known = sorted(path.stem for path in docs_folder().glob("*.md"))
    if name is None:
        click.echo("\n".join(known))
        return
    if name not in known:
        raise click.UsageError(f"There is no document “{name}”. Known: {', '.join(known)}.")
    click.echo_via_pager((docs_folder() / f"{name}.md").read_text(encoding="utf-8"))


@click.command(epilog="Example: coursewright schema")
@in_school
def schema(school: School) -> None:
    """Write the JSON Schemas that editors complete and check course files with, into .coursewright/."""
    for path in write_schemas(school.root):
        click.echo(path)

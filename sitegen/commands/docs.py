"""docs, schema: what the program brings along for reading."""

import click

from sitegen.commands.answers import in_school
from sitegen.school import School, shipped
from sitegen.starter import write_schemas


@click.command(epilog="Example: coursewright docs fields")
@click.argument("name", required=False)
def docs(name: str | None) -> None:
    """Show a document: fields, markdown, settings, commands, going-live."""
    known = sorted(path.stem for path in shipped("docs").glob("*.md"))
    if name is None:
        click.echo("\n".join(known))
        return
    if name not in known:
        raise click.UsageError(f"There is no document “{name}”. Known: {', '.join(known)}.")
    click.echo_via_pager((shipped("docs") / f"{name}.md").read_text(encoding="utf-8"))


@click.command(epilog="Example: coursewright schema")
@in_school
def schema(school: School) -> None:
    """Write the JSON Schemas that editors complete and check course files with, into .coursewright/."""
    for path in write_schemas(school.root):
        click.echo(path)

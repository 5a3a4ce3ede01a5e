"""fmt: one form for course files."""

from pathlib import Path

import click

from sitegen.commands.answers import as_json, count, in_school, refuse_faults, say
from sitegen.school import School


@click.command(epilog="Example: coursewright fmt --check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit status 1 if a file would change.")
@in_school
@as_json
def fmt(files: tuple[Path, ...], only_check: bool, school: School, as_json: bool) -> None:
    """Write course files and front matter in one form. Comments, the order of lines and all values stay."""
    from sitegen.catalog.faults import CatalogInvalid
    from sitegen.formatting import files_of, format_files

    paths = list(files) or files_of(school)
    try:
        changed = format_files(paths)
    except CatalogInvalid as error:
        refuse_faults(error.faults, as_json=as_json)
    if not only_check:
        for each in changed:
            if each.text is not None:
                each.path.write_text(each.text, encoding="utf-8")
    names = [str(each.path) for each in changed if each.text is not None]
    left = [str(each.path) for each in changed if each.text is None]
    for name in left:
        click.echo(f"{name}: more than spaces would change here, so it was left as it is.", err=True)
    verb = "would change" if only_check else "changed"
    told = "\n".join([*names, f"{count(len(names), 'file')} of {len(paths)} {verb}."])
    say({"files": names, "left": left}, told, as_json=as_json)
    if only_check and names:
        raise SystemExit(1)

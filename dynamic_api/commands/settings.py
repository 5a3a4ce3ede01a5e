"""The command `settings`, and the pages that document the settings; all made from the settings."""

import shlex
from collections.abc import Mapping
from enum import Enum

import click
from pydantic.fields import FieldInfo

from dynamic_api.core.settings import Settings, variable


@click.command(epilog="Example: coursewright settings > .env.example")
def settings() -> None:
    """Show every setting with what it is, as an example of a .env file."""
    click.echo(settings_files()[".env.example"], nl=False)


def settings_files() -> Mapping[str, str]:
    """File name → content."""
    page = [
        "# Settings",
        "",
        "Made by `python -m scripts.documents` from `dynamic_api/core/settings.py`; change them there.",
        "",
        "Settings are read when the service starts, from the environment and from a file `.env` in the folder where it",
        "starts; the environment wins. A name that begins with `COURSEWRIGHT_` and is none of these is refused.",
        "",
        "| variable | | what it is | example | default |",
        "|---|---|---|---|---|",
    ]
    example = ["# Copy to .env and fill in. Never commit the copy."]
    for name, field in Settings.model_fields.items():
        required, default = field.is_required(), _default(field)
        shown = f"`{default}`" if default else ""
        need = "required" if required else "optional"
        page.append(f"| `{variable(name)}` | {need} | {field.description} | `{_example(field)}` | {shown} |")
        example += ["", f"# {field.description} Example: {_example(field)}"]
        example.append(f"{'' if required else '# '}{variable(name)}={'' if required else shlex.quote(default)}")
    return {"docs/settings.md": "\n".join(page) + "\n", ".env.example": "\n".join(example) + "\n"}


def _example(field: FieldInfo) -> str:
    return str(field.examples[0]) if field.examples else ""


def _default(field: FieldInfo) -> str:
    if field.is_required() or field.default is None:
        return ""
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return str(value).lower() if isinstance(value, bool) else str(value)

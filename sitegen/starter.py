"""Makes a new school out of the files in `starter/`."""

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sitegen.reference import schemas

FILES = Path(__file__).resolve().parent / "starter"
SCHEMAS = Path(".coursewright") / "schema"
VERSION = Path(".coursewright") / "version"  # which version of the program the school is for

# Names in `starter/` that would mean something to git or to tools there.
_NAMES = {
    "gitignore": ".gitignore",
    "env": ".env",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
}
# Where each forge looks for what it runs.
CI_FILES = {
    "github": ".github/workflows/check.yml",
    "gitlab": ".gitlab-ci.yml",
    "forgejo": ".forgejo/workflows/check.yml",
}


class StarterRefused(Exception):
    """No school is made there; the message says why."""


@dataclass(frozen=True)
class Brand:
    """What a new school is asked."""

    name: str
    email: str
    url: str
    color: str
    language: str
    forge: str = "github"  # a key of CI_FILES, or another word for none


def make_school(folder: Path, brand: Brand, version: str) -> list[Path]:
    """Write a school that can be previewed at once; returns its files. Raises StarterRefused before writing."""
    if folder.exists() and (not folder.is_dir() or any(each.name != ".git" for each in folder.iterdir())):
        raise StarterRefused(f"{folder} has files already. Choose a new folder.")
    values = _values(brand, version)
    written = []
    for source in sorted(path for path in FILES.rglob("*") if path.is_file()):
        name = source.relative_to(FILES).as_posix()
        if source.parent.name == "ci":
            if source.stem != brand.forge:
                continue
            name = CI_FILES[source.stem]
        path = folder / _NAMES.get(name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(string.Template(source.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
        if path.name == ".env":
            path.chmod(0o600)
        written.append(path)
    stamp = folder / VERSION
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(f"{version}\n", encoding="utf-8")
    return [*written, stamp, *write_schemas(folder)]


def write_schemas(folder: Path) -> list[Path]:
    """Write the JSON Schemas that the files' first lines name, for editors."""
    written = []
    for name, schema in schemas().items():
        path = folder / SCHEMAS / f"{name}.schema.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema, encoding="utf-8")
        written.append(path)
    return written


def _values(brand: Brand, version: str) -> Mapping[str, str]:
    return {
        "name": brand.name,
        "quoted_name": json.dumps(brand.name, ensure_ascii=False),
        "quoted_tagline": json.dumps(f"Courses by {brand.name}", ensure_ascii=False),
        "email": brand.email,
        "url": brand.url.rstrip("/"),
        "color": brand.color,
        "language": brand.language,
        "secret": secrets.token_hex(32),
        "version": version,
    }

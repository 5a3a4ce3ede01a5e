"""Lists what the product installs with its licence (`docs/licences.md`), and refuses what is not known or not allowed.

`--check` says whether the list is current.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "docs" / "licences.md"
ALLOWED = ("MIT", "BSD", "Apache", "ISC", "PSF", "Python Software Foundation", "MPL", "Mozilla", "ZPL", "Unlicense",
           "CC0", "HPND", "0BSD", "Zlib")  # fmt: skip
# Copyleft, each for a reason.
EXCEPTIONS = {
    "pelican": "AGPL-3.0: builds the pages; whoever offers a changed generator over a network shares the change",
    "unidecode": "GPL-2.0 or later: part of Pelican's own requirements",
}


def main() -> int:
    """Exit status 1 for a licence that nobody decided about, or a stale list."""
    rows, refused = [], []
    for name in sorted(set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.M))):
        try:
            licence = licence_of(name)
        except PackageNotFoundError:  # for another platform
            continue
        if name not in EXCEPTIONS and not any(word.lower() in licence.lower() for word in ALLOWED):
            refused.append(f"{name}: {licence or 'names no licence'}")
        rows.append(f"| {name} | {EXCEPTIONS.get(name, licence)} |")
    text = "\n".join(
        (
            "# Licences",
            "",
            "What the product installs, as each package says it. Made by `python -m scripts.licences`.",
            "",
            "| package | licence |",
            "|---|---|",
            *rows,
            "",
        )
    )
    if refused:
        print("Not allowed, or not known:\n" + "\n".join(refused), file=sys.stderr)
        return 1
    if "--check" in sys.argv:
        if not LIST.exists() or LIST.read_text(encoding="utf-8") != text:
            print("docs/licences.md is not current. Run: .venv/bin/python -m scripts.licences", file=sys.stderr)
            return 1
        return 0
    LIST.write_text(text, encoding="utf-8")
    return 0


def licence_of(name: str) -> str:
    """What the package says of itself: the expression, the classifiers, or the first line of its field."""
    about = metadata(name)
    if expression := about.get_all("License-Expression"):
        return str(expression[0])
    classified = [each.rpartition(" :: ")[2] for each in about.get_all("Classifier") or () if "License ::" in each]
    if classified:
        return ", ".join(classified)
    written = (about.get_all("License") or [""])[0]
    return next(iter(written.strip().splitlines()), "")[:80]


if __name__ == "__main__":
    sys.exit(main())

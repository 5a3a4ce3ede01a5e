"""Writes the documents that are made from code, or (`--check`) says which have drifted from it."""

import sys
from pathlib import Path

from dynamic_api.commands.settings import settings_files
from sitegen.reference import reference_files

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Exit status 1 when a document is stale."""
    files = {f"docs/{name}": text for name, text in reference_files().items()} | dict(settings_files())
    stale = [name for name, text in files.items() if not (ROOT / name).exists() or (ROOT / name).read_text() != text]
    if "--check" in sys.argv:
        if stale:
            print(f"Not current: {', '.join(stale)}. Run: .venv/bin/python -m scripts.documents", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(files[name], encoding="utf-8")
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes the lock files, or (`--check`) says whether they are current. They record versions and hashes, no hosts."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "requirements.lock": [],
    "requirements-demo.lock": ["--extra", "demo", "--extra", "cards", "--extra", "fonts", "--extra", "search"],
    "requirements-dev.lock": [
        *(
            "--extra",
            "demo",
            "--extra",
            "cards",
            "--extra",
            "fonts",
            "--extra",
            "search",
            "--extra",
            "traces",
            "--group",
            "dev",
        )
    ],
}


def compile_lock(name: str, target: Path) -> None:
    """Resolve for every platform, keeping the versions the target already names."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "compile",
            "pyproject.toml",
            *LOCKS[name],
            "--universal",
            "--python-version",
            "3.11",
            "--generate-hashes",
            "--no-header",
            "--quiet",
            "-o",
            str(target),
        ],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def main() -> int:
    """Exit status 1 when a lock is stale or names a host."""
    stale = []
    with tempfile.TemporaryDirectory() as folder:
        for name in LOCKS:
            committed = ROOT / name
            target = Path(folder) / name
            if committed.exists():
                shutil.copyfile(committed, target)
            compile_lock(name, target)
            if re.search(r"(https?|file)://", target.read_text()):
                print(f"{name} names a host.", file=sys.stderr)
                return 1
            if not committed.exists() or committed.read_text() != target.read_text():
                stale.append(name)
                if "--check" not in sys.argv:
                    shutil.copyfile(target, committed)
    if stale and "--check" in sys.argv:
        print(f"Not current: {', '.join(stale)}. Run: .venv/bin/python -m scripts.lock", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

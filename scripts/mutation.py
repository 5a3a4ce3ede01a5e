"""Runs mutmut in a copy of the tree, and compares what survives with `tests/mutants.txt`.

A survivor is a change to the code that no test notices: either a test is missing, or the change means nothing. The file
lists the second kind, one a line: the function, the changed line, and the reason, separated by ` | `.
"""

import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = ROOT / "tests/mutants.txt"
SERVICE = "tests/dynamic_api/test_"

# Which tests hold which code. mutmut finds out by itself which of them reach a function.
TESTS = {
    "dynamic_api/orders/state.py": ["order_state", "money_of_lines"],
    "dynamic_api/orders/lines.py": ["money_of_lines"],
    "dynamic_api/progress/rules.py": ["progress_rules"],
    "dynamic_api/progress/writer.py": ["progress_writer", "progress"],
    "dynamic_api/orders/*": ["webhooks", "checkout", "gifts", "after_the_sale", "sweep", "order_state", "gates",
                             "deletion", "claims", "regressions", "races", "order_lines", "payments", "stripe_rules"],
    "dynamic_api/claims/*": ["order_lines", "regressions", "checkout",
                             "claims", "gifts", "after_the_sale", "gates", "proven_address", "operator"],
    "dynamic_api/checkout/*": ["payments", "stripe_rules", "order_lines",
                               "checkout", "promotion_codes", "gifts", "regressions", "after_the_sale"],
    "dynamic_api/webhooks/*": ["webhooks", "operator", "sweep"],
    "dynamic_api/progress/*": ["progress", "progress_rules", "read_path", "catalog", "progress_writer", "mobile"],
    "dynamic_api/learning/*": ["kept_courses", "conversations",
                               "progress", "read_path", "routes", "mobile", "gateways", "catalog"],
    "dynamic_api/accounts/*": ["accounts", "new_email", "sign_in_codes", "proven_address", "deletion", "gates",
                               "gifts"],
    "dynamic_api/core/throttle.py": ["throttle"],
    "dynamic_api/core/emails.py": ["emails"],
    "dynamic_api/core/passwords.py": ["passwords", "accounts"],
    "dynamic_api/core/groups.py": ["groups"],
    "dynamic_api/core/inbox.py": ["webhooks"],
    "dynamic_api/core/outbox.py": ["jobs", "after_the_sale"],
    "sitegen/leaks/judge.py": ["tests/sitegen/test_leaks.py"],
    "sitegen/leaks/find.py": ["tests/sitegen/test_leaks.py"],
    "sitegen/leaks/views.py": ["tests/sitegen/test_leaks.py"],
}  # fmt: skip


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test noticed."""

    function: str
    change: str

    def __str__(self) -> str:
        return f"{self.function} | {self.change}"


def main() -> int:
    """Exit status 1 if something survives that is not listed."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--changed", action="store_true", help="only files that differ from the last commit")
    options = parser.parse_args()
    files = [name for name in _wanted(options.files, changed=options.changed) if tests_of(name)]
    if not files:
        print("Nothing to do: none of these files is in the table of scripts/mutation.py.")
        return 0
    found = [survivor for package, names in _by_tests(files) for survivor in _run(package, names)]
    accepted = {line.rpartition(" | ")[0] for line in ACCEPTED.read_text().splitlines() if " | " in line}
    new = [each for each in found if str(each) not in accepted]
    print(f"\n{len(found)} survived, {len(found) - len(new)} of them listed as equivalent.")
    for each in new:
        print(f"  {each}")
    return 1 if new else 0


def tests_of(name: str) -> tuple[str, ...]:
    """The test files of a source file; none where it is not measured."""
    for pattern, tests in TESTS.items():
        if fnmatch.fnmatch(name, pattern):
            return tuple(test if test.startswith("tests/") else f"{SERVICE}{test}.py" for test in tests)
    return ()


def _wanted(files: list[str], *, changed: bool) -> list[str]:
    if files:
        return [str(Path(name).resolve().relative_to(ROOT)) for name in files]
    command = ["git", "diff", "--name-only", "HEAD"] if changed else ["git", "ls-files", "*.py"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def _by_tests(files: Iterable[str]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in files:
        groups.setdefault(tests_of(name), []).append(name)
    yield from groups.items()


def _run(tests: tuple[str, ...], files: list[str]) -> list[Survivor]:
    """One run of mutmut, over files that share their tests."""
    print(f"Mutating {', '.join(files)} …", flush=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copy = Path(name) / "tree"
        ignored = shutil.ignore_patterns(
            ".git", ".venv*", "var", "output", "build", "mutants", "__pycache__", ".*_cache"
        )
        shutil.copytree(ROOT, copy, ignore=ignored, symlinks=True)
        existing = [test for test in tests if (copy / test).exists()]
        (copy / "pyproject.toml").write_text(_configured(files, existing))
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(os.cpu_count() or 2)]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        if "🎉" not in done.stdout:
            print((done.stdout + done.stderr)[-3000:], file=sys.stderr)
            raise SystemExit("mutmut did not run.")
        results = subprocess.run(
            [sys.executable, "-m", "mutmut", "results"], cwd=copy, capture_output=True, text=True, check=True
        ).stdout
        names = re.findall(r"^\s*(\S+): (?:survived|no tests)$", results, re.M)
        return [_survivor(copy, mutant) for mutant in names]


def _configured(files: list[str], tests: list[str]) -> str:
    folders = sorted({path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")})
    copied = [each for each in folders if each not in ("var", "output", "build")] + ["pelicanconf.py", "README.md"]
    return (ROOT / "pyproject.toml").read_text() + "\n".join(
        (
            "\n[tool.mutmut]",
            'source_paths = ["dynamic_api", "sitegen"]',
            f"only_mutate = {files!r}",
            f"also_copy = {copied!r}",
            f"pytest_add_cli_args_test_selection = {tests!r}",
            'pytest_add_cli_args = ["-p", "no:randomly", "-p", "no:cacheprovider"]',
            "mutate_only_covered_lines = true",
            "",
        )
    )


def _survivor(copy: Path, mutant: str) -> Survivor:
    """What a mutant changed: its function, and the first changed line."""
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", mutant], cwd=copy, capture_output=True, text=True, check=False
    ).stdout
    changed = [line[1:].strip() for line in shown.splitlines() if re.match(r"[+-](?![+-])", line)]
    function = re.sub(r"__mutmut_\d+$", "", mutant).replace(".x_", ".").replace("xǁ", "").replace("ǁ", ".")
    return Survivor(function, " → ".join(changed[:2]))


if __name__ == "__main__":
    sys.exit(main())

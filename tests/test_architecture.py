"""The structure that documents promise: layers, and modules of one purpose. `pyproject.toml` holds the layers."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

WEB = (
    "web/",
    "app.py",
    "asgi.py",
    "traces.py",
    "health/routes.py",
    "accounts/requested_email.py",
    "accounts/sign_in.py",
    "claims/browser.py",
    "learning/reviews.py",
    "newsletter/routes.py",
)


def modules(package: str) -> Iterator[tuple[str, ast.Module, str]]:
    """Name, syntax tree and text of each module, without migrations that have been released."""
    for path in sorted((ROOT / package).rglob("*.py")):
        if "versions" not in path.parts:
            text = path.read_text()
            yield str(path.relative_to(ROOT / package)), ast.parse(text), text


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_imports_keep_to_the_layers() -> None:
    # In a process of its own, because it reconfigures logging.
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_services_do_not_know_the_web() -> None:
    """Only `web/`, routes and what stands beside them know requests and responses."""
    for name, tree, _ in modules("dynamic_api"):
        if name.startswith(WEB) or name.endswith("routes.py") or name == "learning/access.py":
            continue
        if name in ("learning/local_files.py", "learning/video_files.py", "health.py"):
            continue
        assert not any(each.split(".")[0] == "starlette" for each in imported(tree)), name


def test_only_gateways_know_the_partners() -> None:
    for name, tree, _ in modules("dynamic_api"):
        partners = {"stripe", "boto3", "botocore", "jwt"} & {each.split(".")[0] for each in imported(tree)}
        assert not partners or name.startswith("gateways/"), (name, partners)


@pytest.mark.parametrize("package", ["sitegen", "dynamic_api", "scripts", "tests"])
def test_modules_have_a_purpose_and_a_size(package: str) -> None:
    for name, tree, text in modules(package):
        if name.endswith("__init__.py") and not text:
            continue
        assert ast.get_docstring(tree), f"{package}/{name} does not say what it is for"
        assert text.count("\n") <= 400, f"{package}/{name} is too long"
        assert Path(name).stem not in ("utils", "helpers", "misc"), name


def test_any_is_rare() -> None:
    """Each is explained where it stands; this counts them."""
    lines = [
        f"{package}/{name}: {line.strip()}"
        for package in ("dynamic_api", "sitegen")
        for name, _, text in modules(package)
        for line in text.splitlines()
        if "Any" in line.replace("# Any", "").split("#")[0].replace("Anyone", "").split()
        or "[Any" in line
        or "Any]" in line
    ]
    assert len(lines) < 40, lines

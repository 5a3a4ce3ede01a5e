"""Who may import whom, read from the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

LAYERS = {
    # From the bottom up; a module imports its own layer and those below.
    0: ("config", "errors", "clock", "tokens", "database", "models"),
    1: ("audit", "entitlements", "jobs.outbox", "catalog", "gateways", "fast_lane", "service"),
    2: ("accounts", "checkout", "learning", "webhooks", "mail", "mobile_v1", "operator", "jobs.worker", "jobs.tidy"),
    3: (
        "access_log",
        "middleware",
        "routing",
        "static_site",
        "accounts.identity",
        "local_files",
        "mobile_v1.gate",
        "mobile_v1.openapi",
        "accounts.asked_for_mail",
        "accounts.bodies",
        "fast_lane.directory",
        "fast_lane.lane",
    ),
    4: (
        "accounts.routes",
        "accounts.claim_routes",
        "accounts.own_routes",
        "checkout.routes",
        "learning.routes",
        "webhooks.routes",
        "mobile_v1.routes",
        "jobs.handlers",
    ),
    5: ("app", "asgi", "cli", "cli_operator", "cli_letters", "cli_report", "migrations"),
}
STARLETTE = (
    "app",
    "routing",
    "access_log",
    "middleware",
    "static_site",
    "accounts.identity",
    "local_files",
    "mobile_v1.gate",
    "accounts.asked_for_mail",
    "fast_lane.lane",
)


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / package).with_suffix("").parts)
        yield name.removesuffix(".__init__").removesuffix("__init__"), path


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def layer_of(module: str) -> int:
    best = max(
        (
            (len(prefix), layer)
            for layer, prefixes in LAYERS.items()
            for prefix in prefixes
            if module == prefix or module.startswith(f"{prefix}.")
        ),
        default=(0, 0),
    )
    return best[1]


def test_sitegen_does_not_know_the_service() -> None:
    for name, path in modules("sitegen"):
        assert not any(each.startswith(("dynamic_api", "scripts")) for each in imports(path)), name
        if name.startswith("catalog"):
            known = {each for each in imports(path) if each.startswith("sitegen")}
            assert all(each.startswith("sitegen.catalog") for each in known), name
            assert not any(each.split(".")[0] == "pelican" for each in imports(path)), name


def test_the_service_knows_only_the_catalogue_and_the_addresses() -> None:
    for name, path in modules("dynamic_api"):
        found = imports(path)
        foreign = {each for each in found if each.startswith("sitegen.") and not each.startswith("sitegen.catalog")}
        assert foreign <= {"sitegen.urls"}, name
        assert not any(each.split(".")[0] in ("pelican", "scripts", "tests") for each in found), name


def test_inside_the_service_imports_go_downwards() -> None:
    names = {name for name, _ in modules("dynamic_api")}
    for name, path in modules("dynamic_api"):
        if not name:
            continue
        for each in imports(path):
            target = each.removeprefix("dynamic_api.")
            if each.startswith("dynamic_api.") and target in names:
                assert layer_of(target) <= layer_of(name), f"{name} imports {target}"


def test_services_do_not_know_the_web() -> None:
    for name, path in modules("dynamic_api"):
        if name in STARLETTE or name.endswith("routes"):
            continue
        assert not any(each.split(".")[0] == "starlette" for each in imports(path)), name


def test_routes_do_not_import_other_routes_and_gateways_no_services() -> None:
    for name, path in modules("dynamic_api"):
        found = {each.removeprefix("dynamic_api.") for each in imports(path) if each.startswith("dynamic_api.")}
        if name.endswith(".routes"):
            assert not any(each.endswith(".routes") or ".routes." in each for each in found), name
        if name.startswith("gateways"):
            allowed = ("config", "errors", "clock", "gateways")
            assert all(each.startswith(allowed) for each in found), f"{name}: {found}"


@pytest.mark.parametrize("package", ["sitegen", "dynamic_api", "scripts"])
def test_modules_have_a_purpose_and_a_size(package: str) -> None:
    for name, path in modules(package):
        if "versions" in path.parts:
            continue
        text = path.read_text()
        assert ast.get_docstring(ast.parse(text)), f"{package}.{name} says nothing of itself"
        assert text.count("\n") <= 400, f"{package}.{name} has grown past a seam"
        assert "utils" not in name

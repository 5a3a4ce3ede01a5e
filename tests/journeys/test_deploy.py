"""The files of `deploy/`: linted where the tools are there, and their commands run the way they are confined there."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

from dynamic_api.commands.__main__ import COMMANDS
from dynamic_api.core.settings import Settings
from tests.commands import environment
from tests.commands import run_loudly as command
from tests.conftest import ROOT
from tests.ports import free_ports

pytestmark = pytest.mark.slow

UNITS = ROOT / "deploy" / "systemd"
CONTAINER = ROOT / "deploy" / "container"
HARDENING = UNITS / "coursewright-.service.d" / "hardening.conf"
SCHOOL, BACKUPS = Path("/srv/school"), Path("/srv/backups")


def values(unit: Path, key: str) -> list[str]:
    """What a unit sets, with what hardens all of them."""
    lines = (unit.read_text() + HARDENING.read_text()).splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


def test_units_are_well_formed_and_confined(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*.service"):
        path.write_text(path.read_text().replace("/srv/school/.venv/bin/coursewright", "/bin/true"))
    (tmp_path / "coursewright-serve@.service").rename(tmp_path / "coursewright-serve@8000.service")
    names = sorted(path.name for path in tmp_path.glob("*.*") if path.is_file())
    assert len(names) == 4
    where = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:/lib/systemd/system:/usr/lib/systemd/system"}
    verified = subprocess.run(
        ["systemd-analyze", "verify", *names], cwd=tmp_path, env=where, capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    for name in names:
        if name.endswith(".service"):
            rated = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", f"./{name}"],
                cwd=tmp_path, env=where, capture_output=True, text=True, check=False,
            )  # fmt: skip
            found = re.search(r"exposure level for \S+: ([\d.]+)", rated.stdout)
            assert found, rated.stderr
            assert float(found[1]) <= 1.5


@pytest.fixture
def server(settings: Settings, sqlite_only: None, tmp_path: Path) -> dict[str, str]:
    """A school as it lies in /srv/school, in a folder of ours; the environment of its programs."""
    school = tmp_path / "school"
    for name in ("var", "build", ".venv/bin"):
        (school / name).mkdir(parents=True)
    (tmp_path / "backups").mkdir()
    shutil.copyfile(settings.database_url.removeprefix("sqlite+aiosqlite:///"), school / "var" / "coursewright.sqlite3")
    shutil.copyfile(settings.manifest, school / "build" / "catalog.json")
    program = school / ".venv" / "bin" / "coursewright"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dynamic_api.commands "$@"\n')
    program.chmod(0o755)
    known = environment(settings) | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": "/srv/scratch"}
    for name in ("DATABASE_URL", "MANIFEST", "OUTPUT"):
        known.pop(f"COURSEWRIGHT_{name}", None)
    return known


def confined(unit: Path, command: str, folder: Path) -> list[str]:
    """The command with the mounts, the mask and the privileges of its unit. System calls are not confined here."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("only an administrator may mount")
    writable = [path.removeprefix("-") for value in values(unit, "ReadWritePaths") for path in value.split()]
    lines = [
        "set -e",
        "mount --make-rprivate /",
        "mount -t tmpfs tmpfs /srv",
        f"mkdir /srv/scratch {SCHOOL} {BACKUPS}",
        f"mount --bind {folder}/school {SCHOOL}",
        f"mount --bind {folder}/backups {BACKUPS}",
        f"mount -o remount,bind,ro {BACKUPS}" if str(BACKUPS) not in writable else "",
        *(f"mount --bind {path} {path}" for path in writable if path != str(BACKUPS)),
        f"mount -o remount,bind,ro {SCHOOL}",
        "mount -o remount,bind,ro /",
        f"cd {values(unit, 'WorkingDirectory')[0]}",
        f"umask {values(unit, 'UMask')[0]}",
        f"exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all {command}",
    ]
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines)]


def test_the_service_runs_where_it_may_write_to_its_database_alone(server: dict[str, str], tmp_path: Path) -> None:
    unit, [port] = UNITS / "coursewright-serve@.service", free_ports(1)
    [start] = values(unit, "ExecStart")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            confined(unit, start.replace("%i", str(port)), tmp_path), env=server, stdout=log, stderr=log
        )
    try:
        for _ in range(150):
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz")
                break
            except httpx.TransportError:
                assert process.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.1)
        assert answer.json()["status"] == "ok"  # it has written to the database
        check = re.search(r'CMD \["python", "-c", "(.+)"\]', (CONTAINER / "Containerfile").read_text())
        assert check
        healthy = check[1].replace(":8000", f":{port}")
        assert subprocess.run([sys.executable, "-c", healthy], check=False).returncode == 0
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert sorted(path.name for path in (tmp_path / "school").iterdir()) == [".venv", "build", "var"]


def test_the_nightly_backup_and_its_trial(server: dict[str, str], tmp_path: Path) -> None:
    unit = UNITS / "coursewright-backup.service"
    said = ""
    for start in values(unit, "ExecStart"):
        done = subprocess.run(
            confined(unit, start, tmp_path), env=server, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        said += done.stdout
    assert "✓ what was paid for and has an owner opens its course" in said
    [kept] = (tmp_path / "backups").iterdir()
    assert kept.stat().st_mode & 0o077 == 0


def test_containers_hold_no_privilege_and_run_commands_that_exist() -> None:
    services = yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "coursewright-school"}
    assert sorted(ours) == ["backup", "migrate", "service", "worker"]
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not re.match(r"0|root", service["user"])
        assert all(mount.endswith(":ro") or mount.endswith(":/backups") for mount in service["volumes"])
        assert service["command"][0] in COMMANDS
    text = (CONTAINER / "Containerfile").read_text()
    assert re.search(r"^USER (?!0|root)", text, re.MULTILINE)


async def test_the_files_are_written_once_and_never_over_others(settings: Settings, tmp_path: Path) -> None:
    said = await command(settings, "host", "systemd", "--to", str(tmp_path))
    assert len(said.splitlines()) == 5
    assert (tmp_path / HARDENING.relative_to(UNITS)).read_bytes() == HARDENING.read_bytes()
    await command(settings, "host", "systemd", "--to", str(tmp_path))
    mine = tmp_path / "coursewright-worker.service"
    mine.write_text("mine")
    assert f"differ; move them away first: {mine}" in await command(
        settings, "host", "systemd", "--to", str(tmp_path), status=1
    )
    assert mine.read_text() == "mine"
    assert "name their folder with --to" in await command(settings, "host", "container", status=2)

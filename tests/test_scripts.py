"""What stands in the way of the commands is said in one clear sentence."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.preview.command import own_streaming
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("VENV", "PYTHON")}
    return subprocess.run(
        command, cwd=ROOT, env={**inherited, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_busy_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(sys.executable, "-m", "scripts.demo", "--port", port)
    assert done.returncode == 1
    assert (
        done.stderr.strip() == f"Port {port} is in use. Stop what runs there, or choose another, such as --port 8100."
    )


def copy_of_setup(tmp_path: Path) -> Path:
    """scripts/setup in a folder where nothing was installed yet."""
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/setup", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path / "scripts/setup"


def test_an_old_python(tmp_path: Path) -> None:
    setup, folder = copy_of_setup(tmp_path), tmp_path / "bin"
    folder.mkdir()
    old = folder / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    for name in ("sh", "cat", "cksum", "cut", "dirname"):
        (folder / name).symlink_to(next(p for d in ("/bin", "/usr/bin") if (p := Path(d) / name).exists()))
    done = run("/bin/sh", str(setup), "requirements.lock", PATH=str(folder))
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, but found Python 3.9.2" in done.stderr


def test_no_registry(tmp_path: Path) -> None:
    setup = copy_of_setup(tmp_path)
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }
    done = run("/bin/sh", str(setup), "requirements.lock", **nowhere, PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="")
    assert done.returncode == 1
    assert "The packages could not be installed. Is there a network, and a package registry?" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_settings_stop_the_service_with_their_names() -> None:
    done = run(sys.executable, "-m", "dynamic_api.commands", "serve")
    assert done.returncode == 1
    assert "COURSEWRIGHT_STRIPE_SECRET_KEY is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_sandbox_refuses_other_addresses() -> None:
    done = run(sys.executable, "-m", "scripts.sandbox", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "does not listen on 0.0.0.0" in done.stderr


def test_a_preview_plays_the_schools_own_videos_where_it_can(tmp_path: Path) -> None:
    assert own_streaming(tmp_path) == {}
    env = tmp_path / ".env"
    env.write_text("COURSEWRIGHT_STREAM_BASE_URL=https://customer-1.example\nCOURSEWRIGHT_STREAM_KEY_ID=k\n")
    assert own_streaming(tmp_path) == {}
    with env.open("a") as file:
        file.write("COURSEWRIGHT_STREAM_KEY_PEM=p\nCOURSEWRIGHT_STRIPE_SECRET_KEY=sk_live_never\n")
    own = own_streaming(tmp_path)
    assert own["STREAM_BASE_URL"] == "https://customer-1.example"
    assert own["STREAM_SDK_URL"].startswith("https://embed.cloudflarestream.com/")
    assert "sk_live_never" not in str(own)

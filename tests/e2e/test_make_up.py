"""The README's first command, typed by a stranger: in a fresh clone, with nothing else prepared."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import engine
from tests.e2e.service import ROOT, free_port

pytestmark = pytest.mark.timeout(400)  # packages are installed from their registry
NO_ENGINE = "unix:///nonexistent/docker.sock"


class Clone:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    def make(self, target: str, *, docker_host: str = NO_ENGINE, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PURSER_", "COVERAGE_", "MAKE", "MFLAGS"))
        }
        environment = {**kept, "PURSER_PORT": str(self.port), "DOCKER_HOST": docker_host, **variables}
        return subprocess.run(["make", target], cwd=self.folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy of what git would clone, with its packages."""
    folder = tmp_path_factory.mktemp("clone")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    files = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-c", "--null", "-T-", "-f", folder / "tree.tar"], cwd=ROOT, input=files.stdout, check=True)
    subprocess.run(["tar", "-xf", "tree.tar"], cwd=folder, check=True)
    return Clone(folder)


@pytest.fixture
def clone(installed: Clone) -> Iterator[Clone]:
    yield installed
    installed.make("down")


def test_without_an_engine_the_first_job_runs_on_this_host(clone: Clone) -> None:
    up = clone.make("up")

    assert up.returncode == 0, up.stdout + up.stderr
    assert re.search(r"Job \S+ on process: succeeded", up.stdout)
    assert "  hello from Purser\n" in up.stdout


def test_with_an_engine_the_first_job_runs_on_docker(clone: Clone) -> None:
    up = clone.make("up", docker_host=engine.address())

    assert up.returncode == 0, up.stdout + up.stderr
    assert re.search(r"Job \S+ on docker: succeeded", up.stdout)
    assert "  hello from Purser\n" in up.stdout


def test_the_service_stays_up_and_the_three_lines_on_the_screen_work(clone: Clone) -> None:
    up = clone.make("up")

    lines = [shlex.split(line) for line in up.stdout.splitlines() if line.startswith("  curl")]
    launched, status, logs = (subprocess.run(line, check=True, capture_output=True, text=True).stdout for line in lines)
    assert json.loads(launched)["state"] == "queued"
    assert json.loads(status)["state"] == "succeeded"
    assert sorted(logs.splitlines()) == ["and this is stderr", "hello from Purser"]


def test_typed_twice_it_runs_one_more_job_on_the_same_service(clone: Clone) -> None:
    first, second = clone.make("up"), clone.make("up")

    assert second.returncode == 0, second.stdout + second.stderr
    assert second.stdout.startswith("Purser is up already.\n")
    assert _token(first) == _token(second)


def test_down_stops_it_and_typed_twice_does_no_harm(clone: Clone) -> None:
    clone.make("up")

    assert [clone.make("down").stdout for _ in range(2)] == ["Purser is down.\n", "Purser was not up.\n"]
    assert _processes_of(clone.folder) == []


def test_a_port_that_something_else_has_is_said(clone: Any, unused_server: Any) -> None:
    up = clone.make("up", PURSER_PORT=str(unused_server))

    assert up.returncode != 0
    assert f"cannot listen on 127.0.0.1 port {unused_server}: Address already in use" in up.stderr
    assert "PURSER_PORT" in up.stderr


def test_a_lost_token_is_said_with_what_makes_another(clone: Clone) -> None:
    clone.make("up")
    token = clone.folder / ".purser" / "token"
    kept = token.read_text()
    token.unlink()
    try:
        up = clone.make("up")
    finally:
        token.write_text(kept)

    assert up.returncode != 0
    assert "manage.py token create" in up.stderr


@pytest.fixture
def unused_server() -> Iterator[Any]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def _token(up: subprocess.CompletedProcess[str]) -> str:
    (token,) = re.findall(r"^Token: (purser_\S+)$", up.stdout, re.MULTILINE)
    return str(token)


def _processes_of(folder: Any) -> Any:
    listing = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in listing.splitlines() if str(folder) in line]

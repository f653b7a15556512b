"""`pip install` of this repository, as a pipeline does it: light, and ready to run."""

import os
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import ROOT, Service

pytestmark = pytest.mark.timeout(400)  # packages are installed from their registry
OF_THE_SERVICE = {"django", "djangorestframework", "docker", "paramiko", "psycopg", "pydantic", "structlog", "uvicorn"}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment in which only this repository has been installed."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin/pip", "install", "-qq", "--no-input", ROOT], check=True, env=plain())
    return folder / "bin"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service")) as service:
        service.serve()
        yield service


def plain(**variables: str) -> dict[str, str]:
    """The environment of a pipeline: nothing of Purser's or Python's, and no home with files of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PURSER_", "PYTHON"))}
    return kept | variables


def output(*command: str | Path, **variables: str) -> str:
    ran = subprocess.run(command, env=plain(**variables), cwd="/", capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_only_what_the_client_needs_is_installed(programs: Path) -> None:
    listed = output(programs / "pip", "list", "--format", "freeze", "--disable-pip-version-check")
    installed = {line.partition("==")[0].lower() for line in listed.splitlines()}

    assert {"purser", "attrs", "click", "httpx", "python-dateutil"} <= installed
    assert installed & OF_THE_SERVICE == set()
    assert len(installed) < 20


def test_nothing_of_the_service_is_in_it(programs: Path) -> None:
    script = (
        "import importlib.util as u, purser; print([u.find_spec(n) for n in ('api', 'container_manager', 'tests')])"
    )

    assert output(programs / "python", "-c", script) == "[None, None, None]\n"


def test_it_helps_and_says_its_version(programs: Path) -> None:
    assert "Run containers" in output(programs / "purser", "--help")
    assert "0.1.0" in output(programs / "purser", "--version")
    assert "COMP_WORDS" in output(programs / "purser", _PURSER_COMPLETE="bash_source")


def test_it_runs_a_job(programs: Path, service: Service) -> None:
    given = {"PURSER_URL": service.address, "PURSER_TOKEN_FILE": str(service.data_dir / "token")}

    assert output(programs / "purser", "run", "-x", "process", "--", "echo", "hello", **given) == "hello\n"


def test_a_program_of_its_own_uses_the_client(programs: Path, service: Service) -> None:
    script = """
import os, sys, purser
token = open(os.environ["TOKEN_FILE"]).read().strip()
with purser.Client(os.environ["ADDRESS"], token) as client:
    job = client.launch("process", {"command": ["echo", "hello"]}, key="program")
    for message in client.logs(str(job.id), cursor="start"):
        if message.event == "chunk":
            sys.stdout.buffer.write(message.data)
    print(client.wait(str(job.id)).reason, [each.id == job.id for each in client.jobs(executor="process")][0])
    client.cleanup(str(job.id))
"""
    given = {"ADDRESS": service.address, "TOKEN_FILE": str(service.data_dir / "token")}

    assert output(programs / "python", "-c", script, **given) == "hello\ncompleted True\n"

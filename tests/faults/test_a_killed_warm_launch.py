"""SIGKILL at every boundary of a launch into a container that waits: made again it runs once, and nothing is left."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from container_manager.executors.docker import DockerExecutor
from container_manager.executors.results import ExecutionRef
from container_manager.spec import JobSpec
from container_manager.states import ExecutionStatus
from tests import engine
from tests.warm import groups, ours, runs, waiting

PLACES = [f"{name}:{edge}" for name in ("book", "rename", "hand_over") for edge in ("begin", "end")]


@pytest.fixture
def executor(docker_url: str, tmp_path: Path) -> Iterator[DockerExecutor]:
    """The successor of the process that is killed."""
    with engine.warm(tmp_path, base_url=docker_url) as executor:
        yield executor


@pytest.fixture
def client(docker_url: str) -> Iterator[docker.APIClient]:
    with closing(engine.client(docker_url)) as client:
        yield client


def kill(executor: DockerExecutor, job: JobSpec, place: str) -> None:
    arguments = (json.dumps(executor.config), job.model_dump_json(exclude_unset=True), place)
    command = [sys.executable, "-m", "tests.faults.doomed_launch", *arguments]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def nothing_is_left(executor: DockerExecutor, client: docker.APIClient) -> None:
    engine.fill_warm_pools(executor)
    there = ours(client, executor)
    assert there.keys() == waiting(client, executor).keys()
    assert len(there) == 1
    assert {name for name in groups() if name.startswith(executor._pools._names.prefix)} == there.keys()
    assert executor.list_executions() == []
    assert executor._bookings.claimed() == set()


@pytest.mark.parametrize("place", PLACES)
def test_a_launch_killed_anywhere_is_made_again_and_runs_once(
    executor: DockerExecutor, client: docker.APIClient, place: str
) -> None:
    job = engine.spec("echo once; exit 7")
    kill(executor, job, place)
    end, stdout, _ = engine.run(executor, job)
    assert (end.exit_code, stdout) == (7, b"once\n")
    assert executor.cleanup(job.execution_id)
    assert runs(client, executor, 7) == 1
    nothing_is_left(executor, client)


@pytest.mark.parametrize("place", PLACES)
def test_what_a_killed_launch_has_left_is_listed_and_cleaned(
    executor: DockerExecutor, client: docker.APIClient, place: str
) -> None:
    job = engine.spec("exec sleep 60")
    kill(executor, job, place)
    is_there = place in PLACES[PLACES.index("rename:end") :]
    status = ExecutionStatus.RUNNING if is_there else ExecutionStatus.NOT_FOUND
    assert executor.list_executions() == [ExecutionRef(job.execution_id, status)] * (place != "book:begin")
    assert executor.cleanup(job.execution_id)
    nothing_is_left(executor, client)

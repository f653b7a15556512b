"""The docker executor keeps every promise when its jobs take containers that wait for them."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from container_manager.executors.docker import DockerExecutor
from container_manager.executors.results import LaunchResult
from container_manager.spec import JobSpec
from container_manager.states import LaunchPath
from tests import engine
from tests.contract.executor_contract import ExecutorContract
from tests.contract.rig import shell_scenario

MAY_BE_COLD = (
    "asks for ",  # what is fixed when a container is made
    "there is no warm pool of ",
    "an earlier launch of it ",
    "another launch of it ",
    "what waited for it ",  # another launch of the same attempt, at the same time, took it back
)


class WarmExecutor(DockerExecutor):
    """Has its pool filled before each launch, and insists that a job that fits is given what waits."""

    def launch_job(self, job: JobSpec) -> LaunchResult:
        engine.fill_warm_pools(self)
        result = super().launch_job(job)
        assert not result[0] or result.path == LaunchPath.WARM or result.path_detail.startswith(MAY_BE_COLD), (
            result.path_detail
        )
        return result


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    engine.ensure_image()


class TestWarmDocker(ExecutorContract):
    @pytest.fixture
    def executor(self, tmp_path: Path) -> Iterator[DockerExecutor]:
        config = {
            "base_url": engine.address(), "instance": f"contract-warm-{os.getpid()}", "state_dir": str(tmp_path),
            "warm_pools": [{"image": engine.IMAGE, "memory_mib": 64, "cpu_cores": 0.5, "size": 2}],
        }  # fmt: skip
        executor = WarmExecutor(config, name="docker")
        yield executor
        with closing(executor):
            executor._pools.empty()
            assert executor._engine.containers(executor._owned) == []
            assert executor._bookings.listed() == []

    @pytest.fixture
    def scenario(self) -> dict[str, Any]:
        return shell_scenario(engine_away={"base_url": "unix:///nonexistent/docker.sock"}, image=engine.IMAGE)

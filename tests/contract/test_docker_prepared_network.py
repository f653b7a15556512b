"""The docker executor keeps every promise with network namespaces made ahead, on a real engine."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from container_manager.executors.docker import DockerExecutor
from container_manager.states import LaunchPath
from tests import engine
from tests.contract.executor_contract import ExecutorContract
from tests.contract.rig import Rig, shell_scenario


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    engine.ensure_image()


class TestDockerWithPreparedNetworks(ExecutorContract):
    """Every test begins with networks that are ready."""

    @pytest.fixture
    def executor(self) -> Iterator[DockerExecutor]:
        config = {"base_url": engine.address(), "instance": f"networks-{os.getpid()}", "prepared_networks": 2}
        executor = DockerExecutor(config, name="docker")
        executor.prepare()
        engine.fill_networks(executor, 2)
        yield executor
        executor.close()

    @pytest.fixture
    def scenario(self) -> dict[str, Any]:
        return shell_scenario(engine_away={"base_url": "unix:///nonexistent/docker.sock"}, image=engine.IMAGE)

    def test_the_way_that_is_taken_is_the_one_with_a_prepared_network(self, rig: Rig) -> None:
        result = rig.executor.launch_job(rig.spec("succeeds"))
        assert (result, getattr(result, "path", None)) == ((True, result[1]), LaunchPath.PREPARED_NETWORK)
        rig.ended(result[1])
        assert rig.executor.cleanup(result[1])

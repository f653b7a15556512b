"""The docker executor keeps every promise, on a real engine."""

import os
from typing import Any

import pytest

from container_manager.executors.docker import DockerExecutor
from tests import engine
from tests.contract.executor_contract import ExecutorContract
from tests.contract.rig import shell_scenario


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    engine.ensure_image()


class TestDocker(ExecutorContract):
    @pytest.fixture
    def executor(self) -> DockerExecutor:
        return DockerExecutor({"base_url": engine.address(), "instance": f"contract-{os.getpid()}"}, name="docker")

    @pytest.fixture
    def scenario(self) -> dict[str, Any]:
        return shell_scenario(engine_away={"base_url": "unix:///nonexistent/docker.sock"}, image=engine.IMAGE)

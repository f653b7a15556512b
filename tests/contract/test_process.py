"""The process executor keeps the promises of every executor: in bubblewrap, plain, and where it may make no groups."""

from pathlib import Path
from typing import Any

import pytest

from container_manager.executors.process import ProcessExecutor
from tests.contract.executor_contract import ExecutorContract
from tests.contract.rig import Scenario, shell_scenario

AWAY = {"state_dir": "/dev/null"}


class ProcessContract(ExecutorContract):
    options: dict[str, Any] = {}

    @pytest.fixture
    def executor(self, tmp_path: Path) -> ProcessExecutor:
        return ProcessExecutor({"state_dir": str(tmp_path / "state"), **self.options}, name="process")

    @pytest.fixture
    def scenario(self) -> Scenario:
        return shell_scenario(engine_away=AWAY)


class TestInBubblewrap(ProcessContract):
    options = {"sandbox": "bubblewrap"}

    def test_it_says_that_it_is_in_bubblewrap(self, executor: ProcessExecutor) -> None:
        assert executor.capabilities.isolation == "bubblewrap"
        assert executor.capabilities.networks == ("none",)


class TestPlain(ProcessContract):
    options = {"sandbox": "none"}

    def test_it_says_that_it_is_plain(self, executor: ProcessExecutor) -> None:
        assert executor.capabilities.isolation == "none"
        assert executor.capabilities.networks == ("host",)


class TestWithoutControlGroups(ProcessContract):
    options = {"sandbox": "none", "cgroup_parent": "/there/is/no/such/group"}

    def test_it_says_that_it_enforces_no_limits(self, executor: ProcessExecutor) -> None:
        assert not executor.capabilities.enforces_memory
        assert not executor.capabilities.enforces_cpu

"""What tests of the process executor share: an executor on a fresh state directory, and jobs on it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from container_manager.executors.process import ProcessExecutor
from container_manager.executors.process_host.directory import MARK, ExecutionDirectory
from container_manager.executors.process_host.procfs import has_variable, processes
from container_manager.executors.results import Execution
from tests.contract.rig import Rig

PLAIN, BUBBLEWRAP = {"sandbox": "none"}, {"sandbox": "bubblewrap"}
NO_GROUPS = {"sandbox": "none", "cgroup_parent": "/there/is/no/such/group"}


class OnThisHost:
    """`rig` launches jobs on `executor`, whose config is `options`; a subclass runs the same tests with others."""

    options: dict[str, Any] = BUBBLEWRAP

    @pytest.fixture
    def executor(self, tmp_path: Path) -> ProcessExecutor:
        return ProcessExecutor({"state_dir": str(tmp_path / "state"), **self.options}, name="process")

    @pytest.fixture
    def public_path(self) -> Iterator[Path]:
        """A directory that every user can reach and nobody but us writes."""
        with tempfile.TemporaryDirectory(dir="/var/tmp") as path:
            Path(path).chmod(0o755)
            yield Path(path)

    @pytest.fixture
    def rig(self, executor: ProcessExecutor) -> Iterator[Rig]:
        rig = Rig(executor, {"job": {}}, deadline=20)
        yield rig
        rig.close()


def shell(rig: Rig, script: str, **fields: Any) -> str:
    """Launch a shell script; the execution id."""
    return rig.launch("job", command=["sh", "-c", script], **fields)


def python(rig: Rig, script: str, **fields: Any) -> str:
    return rig.launch("job", command=["/usr/bin/python3", "-c", script], **fields)


def outcome(rig: Rig, execution_id: str) -> tuple[Execution, str, str]:
    """Wait for the end: what is known of it, stdout, stderr."""
    execution = rig.ended(execution_id)
    return (execution, *rig.texts(execution_id))


def directory(rig: Rig, execution_id: str) -> ExecutionDirectory:
    return ExecutionDirectory(Path(rig.executor.config["state_dir"], execution_id))


def living(execution_id: str) -> list[int]:
    """The pids of all processes of an execution, wherever they stand."""
    return [process.pid for process in processes() if has_variable(process.pid, MARK, execution_id)]


def groups(execution_id: str) -> list[str]:
    """The control group directories of an execution."""
    return [path for path, names, _ in os.walk("/sys/fs/cgroup") for name in names if name == execution_id]

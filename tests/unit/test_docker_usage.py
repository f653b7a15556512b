"""Usage of a container that is short or gone, on a real engine whose control groups this host shows."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from container_manager.executors.docker import DockerExecutor
from container_manager.executors.docker_engine.groups import ParentGroups
from container_manager.executors.results import Usage
from container_manager.states import ExecutionStatus
from tests import engine
from tests.unit.process_base import groups
from tests.usage import HOLDS_50_MIB_FOR_100_MS, IS_BUSY_FOR_1_S, MIB, cpu

ID = "purser-0193a1c25b7e7c119d430a1b2c3d4e5f-1"


@pytest.fixture(autouse=True)
def _image() -> None:
    engine.ensure_image()


@pytest.fixture
def executor() -> Iterator[DockerExecutor]:
    with engine.executing() as executor:
        yield executor


def used(executor: DockerExecutor, script: str) -> Usage:
    """What a script has used; nothing of it is left."""
    job = engine.spec(script, cpu_cores=1)
    usage = engine.run(executor, job)[0].usage
    assert executor.cleanup(job.execution_id)
    assert groups(job.execution_id) == []
    return usage


def test_the_peak_is_the_memory_that_was_held_for_100_ms(executor: DockerExecutor) -> None:
    empty, held = used(executor, "true").peak_memory_bytes, used(executor, HOLDS_50_MIB_FOR_100_MS).peak_memory_bytes
    assert empty is not None
    assert held is not None
    assert 0 < empty < 16 * MIB
    assert 45 * MIB <= held <= 55 * MIB + empty


def test_cpu_time_is_that_of_a_busy_second(executor: DockerExecutor) -> None:
    empty = cpu(used(executor, "true"))
    assert 0 < empty < 0.5
    assert 0.9 <= cpu(used(executor, IS_BUSY_FOR_1_S)) <= 1.1 + empty


def test_usage_outlives_the_container(executor: DockerExecutor) -> None:
    job = engine.spec("true")
    ended = engine.run(executor, job)[0]
    client = engine.client()
    client.remove_container(job.execution_id)
    client.close()
    gone = executor.inspect(job.execution_id)
    assert gone.status == ExecutionStatus.NOT_FOUND
    assert gone.usage.peak_memory_bytes == ended.usage.peak_memory_bytes
    assert groups(job.execution_id)
    assert executor.cleanup(job.execution_id)
    assert groups(job.execution_id) == []


def test_a_running_job_that_is_cleaned_leaves_no_control_group(executor: DockerExecutor) -> None:
    job = engine.spec("exec sleep 60")
    assert executor.launch_job(job)[0]
    assert groups(job.execution_id)
    assert executor.cleanup(job.execution_id)
    assert groups(job.execution_id) == []


def test_a_launch_that_is_refused_leaves_no_control_group(executor: DockerExecutor) -> None:
    job = engine.spec(entrypoint=["/no/such/command"])
    with engine.executing(init=False) as bare:
        assert not bare.launch_job(job)[0]
    assert groups(job.execution_id) == []


def test_what_an_engine_left_below_is_removed_too(executor: DockerExecutor) -> None:
    job = engine.spec()
    Path("/sys/fs/cgroup/memory", job.execution_id, "container").mkdir(parents=True)
    assert executor.cleanup(job.execution_id)
    assert groups(job.execution_id) == []


def test_what_a_fallen_engine_left_running_below_is_ended_and_removed_too(executor: DockerExecutor) -> None:
    job = engine.spec()
    below = Path("/sys/fs/cgroup/memory", job.execution_id, "container")
    below.mkdir(parents=True)
    with subprocess.Popen(["sleep", "60"]) as orphan:
        (below / "cgroup.procs").write_text(str(orphan.pid))
        assert executor.cleanup(job.execution_id)
        assert orphan.wait(10) == -signal.SIGKILL
    assert groups(job.execution_id) == []


def test_the_memory_limit_is_on_the_container_and_not_on_its_parent(executor: DockerExecutor) -> None:
    job = engine.spec("exec sleep 60", memory_mib=64)
    executor.launch_job(job)
    parent = Path("/sys/fs/cgroup/memory", job.execution_id)
    (own,) = parent.glob("*/memory.limit_in_bytes")
    assert int(own.read_text()) == 64 * MIB
    assert int((parent / "memory.limit_in_bytes").read_text()) > 1 << 50
    assert executor.cleanup(job.execution_id)


def test_an_engine_whose_groups_are_made_elsewhere_is_asked_for_no_more(
    executor: DockerExecutor, tmp_path: Path
) -> None:
    seen = ParentGroups(engine.address())
    seen.learn("cgroupfs")
    seen._parents = dict.fromkeys(("memory", "cpuacct"), str(tmp_path))
    assert seen.parent(ID) == f"/{ID}"
    seen.confirm(ID)
    seen.learn("cgroupfs")
    assert seen.parent(ID) == ""
    assert seen.usage(ID) == Usage()


@pytest.mark.parametrize("driver", ["systemd", "none"])
def test_another_driver_has_no_parents_and_no_figures(driver: str) -> None:
    groups = ParentGroups(engine.address())
    groups.learn(driver)
    assert groups.parent(ID) == ""
    assert groups.usage(ID) == Usage()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:2375", "ssh://host", "unix:///no/such/socket"])
def test_an_engine_that_is_not_seen_has_no_parents(address: str) -> None:
    groups = ParentGroups(address)
    groups.learn("cgroupfs")
    assert groups.parent(ID) == ""
    assert groups.usage(ID) == Usage()
    assert groups.remove(ID)


def test_an_engine_in_another_cgroup_namespace_has_no_parents(tmp_path: Path) -> None:
    path = str(tmp_path / "engine")
    listens = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); "
        "print('up', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        ["unshare", "--cgroup", sys.executable, "-c", listens, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"up\n"
        groups = ParentGroups(f"unix://{path}")
        groups.learn("cgroupfs")
        assert groups.parent(ID) == ""


def test_an_engine_in_our_cgroup_namespace_has_parents(tmp_path: Path) -> None:
    path = str(tmp_path / "engine")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        groups = ParentGroups(f"unix://{path}")
        groups.learn("cgroupfs")
        assert groups.parent(ID) == f"/{ID}"


def test_groups_that_may_not_be_removed_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    groups = ParentGroups(engine.address())
    groups.learn("cgroupfs")
    assert groups.parent(ID) == ""


def test_figures_that_may_not_be_read_are_unknown(monkeypatch: pytest.MonkeyPatch, executor: DockerExecutor) -> None:
    def refuse(*_: object) -> str:
        raise PermissionError

    monkeypatch.setattr("container_manager.executors.cgroups._read", refuse)
    assert ParentGroups(engine.address()).usage(ID) == Usage()


def test_a_kernel_that_does_not_count_what_is_below_has_no_parents(tmp_path: Path) -> None:
    groups = ParentGroups(engine.address())
    (tmp_path / "memory.use_hierarchy").write_text("0\n")
    groups._parents = {"memory": str(tmp_path)}
    groups.learn("cgroupfs")
    assert groups.parent(ID) == ""


def test_what_is_no_execution_is_no_path() -> None:
    assert ParentGroups(engine.address()).remove("../docker")
    assert Path("/sys/fs/cgroup/memory/docker").is_dir()

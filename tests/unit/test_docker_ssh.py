"""An engine behind SSH."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from container_manager.executors.docker import DockerExecutor
from container_manager.states import ExecutionStatus
from tests import engine
from tests.ssh import SshHost


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshHost]:
    engine.ensure_image()
    monkeypatch.setenv("HOME", str(tmp_path))
    with SshHost(tmp_path, engine.address().removeprefix("unix://")) as host:
        yield host


def test_a_job_runs_with_input_and_output_over_ssh(host: SshHost) -> None:
    with engine.executing(host.base_url) as executor:
        execution, stdout, stderr = engine.run(executor, engine.spec("cat; echo err >&2; exit 3", stdin="text"))
    assert (execution.exit_code, stdout, stderr) == (3, b"text", b"err\n")


def test_a_follow_and_a_watch_over_ssh_can_be_stopped(host: SshHost) -> None:
    with engine.executing(host.base_url) as executor:
        job, stop = engine.spec("echo ready; exec sleep 60"), threading.Event()
        executor.launch_job(job)
        frames, watch = executor.follow_logs(job.execution_id, stop), executor.watch(list, stop)
        assert next(frames).data == b"ready\n"
        assert next(watch) is None
        stop.set()
        assert [list(frames), list(watch)] == [[], []]
        assert executor.check_status(job.execution_id) == ExecutionStatus.RUNNING


def test_a_host_that_lets_nobody_in_is_no_answer(host: SshHost, tmp_path: Path) -> None:
    (tmp_path / ".ssh" / "known_hosts").write_text("")
    verdict = DockerExecutor({"base_url": host.base_url}, name="docker").health_check()
    assert not verdict
    assert verdict.detail.startswith(f"no engine answers at {host.base_url}: ")

"""A process job outlives whoever launched it, runs once, and leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from container_manager.exceptions import EngineUnavailable
from container_manager.executors.process import ProcessExecutor
from container_manager.executors.process_host.directory import ExecutionDirectory
from container_manager.executors.process_host.procfs import find_process
from container_manager.spans import SpanEvent, observe
from container_manager.spec import JobSpec
from container_manager.states import ExecutionStatus
from tests.contract.rig import Rig
from tests.unit.process_base import BUBBLEWRAP, NO_GROUPS, PLAIN, OnThisHost, directory, groups, living, outcome, shell

LAUNCH_AND_HANG = """
import json, sys, time
from container_manager.executors.process import ProcessExecutor
from container_manager.spec import JobSpec
executor = ProcessExecutor(json.loads(sys.argv[1]))
print(executor.launch_job(JobSpec.model_validate_json(sys.argv[2])), flush=True)
time.sleep(60)
"""
DAEMON = "setsid sh -c 'setsid sleep 300 & exec setsid sleep 300' >/dev/null 2>&1 & (setsid sleep 300 &) ; "


class Killed(Exception):
    pass


def launch_elsewhere(config: dict[str, Any], spec: JobSpec) -> tuple[bool, str]:
    return tuple(ProcessExecutor(config).launch_job(spec))  # type: ignore[return-value]


class TestInBubblewrap(OnThisHost):
    options: dict[str, Any] = BUBBLEWRAP

    @pytest.fixture
    def stranger(self) -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(["sleep", "60"]) as process:
            yield process
            process.kill()

    def test_a_job_outlives_the_process_that_launched_it(self, rig: Rig) -> None:
        spec = rig.spec("job", command=["sh", "-c", "echo begun; sleep 1; exit 3"])
        arguments = [json.dumps(rig.executor.config), spec.model_dump_json(exclude_unset=True)]
        with subprocess.Popen([sys.executable, "-c", LAUNCH_AND_HANG, *arguments], stdout=subprocess.PIPE) as launcher:
            assert launcher.stdout
            assert spec.execution_id in launcher.stdout.readline().decode()
            launcher.send_signal(signal.SIGKILL)
        assert rig.try_launch(spec) == (True, spec.execution_id)
        execution, stdout, _ = outcome(rig, spec.execution_id)
        assert (execution.exit_code, stdout) == (3, "begun\n")

    def test_launches_from_many_processes_run_it_once(self, rig: Rig) -> None:
        spec = rig.spec("job", command=["sh", "-c", "echo ran"])
        with get_context("fork").Pool(8) as pool:
            results = pool.starmap(launch_elsewhere, [(rig.executor.config, spec)] * 8, chunksize=1)
            pool.close()
            pool.join()
        assert set(results) == {(True, spec.execution_id)}
        rig.try_launch(spec)
        assert outcome(rig, spec.execution_id)[1] == "ran\n"

    @pytest.mark.parametrize(("name", "edge"), [("create", "begin"), ("create", "end"), ("start", "begin")])
    def test_a_launch_cut_short_before_the_start_is_made_good_by_the_next(self, rig: Rig, name: str, edge: str) -> None:
        spec = rig.spec("job", command=["sh", "-c", "echo ran"])
        with self.killing_at(name, edge), pytest.raises(Killed):
            rig.try_launch(spec)
        assert rig.executor.check_status(spec.execution_id) in (ExecutionStatus.NOT_FOUND, ExecutionStatus.CREATED)
        assert rig.try_launch(spec) == (True, spec.execution_id)
        assert outcome(rig, spec.execution_id)[1] == "ran\n"

    def test_a_launch_cut_short_after_the_start_runs_it_once(self, rig: Rig) -> None:
        spec = rig.spec("job", command=["sh", "-c", "echo ran"])
        with self.killing_at("start", "end"), pytest.raises(Killed):
            rig.try_launch(spec)
        assert rig.try_launch(spec) == (True, spec.execution_id)
        assert outcome(rig, spec.execution_id)[1] == "ran\n"

    def test_an_end_leaves_no_process_even_of_daemons(self, rig: Rig) -> None:
        execution_id = shell(rig, DAEMON + "sleep 0.2; echo done")
        execution, stdout, _ = outcome(rig, execution_id)
        assert (execution.exit_code, stdout) == (0, "done\n")
        assert living(execution_id) == []
        assert groups(execution_id) == []

    def test_cleanup_leaves_no_process_and_no_file_even_of_daemons(self, rig: Rig) -> None:
        execution_id = shell(rig, DAEMON + "trap '' TERM; echo ready; sleep 300")
        rig.ready(execution_id)
        assert len(living(execution_id)) >= 3
        assert rig.executor.cleanup(execution_id)
        assert living(execution_id) == []
        assert groups(execution_id) == []
        assert os.listdir(rig.executor.config["state_dir"]) == []

    def test_a_job_whose_supervisor_was_killed_is_gone_with_all_its_processes(self, rig: Rig) -> None:
        execution_id = shell(rig, DAEMON + "echo ready; sleep 300")
        rig.ready(execution_id)
        self.kill_supervisor(rig, execution_id)
        rig.until(lambda: rig.executor.check_status(execution_id) == ExecutionStatus.NOT_FOUND, "the loss")
        rig.until(lambda: living(execution_id) == [], "the end of its processes")
        assert "supervisor was killed" in rig.executor.inspect(execution_id).detail
        assert groups(execution_id) == []

    def test_a_lost_job_is_not_run_again_and_can_be_cleaned_up(self, rig: Rig) -> None:
        spec = rig.spec("job", command=["sh", "-c", "echo ready; sleep 300"])
        rig.try_launch(spec)
        rig.ready(spec.execution_id)
        self.kill_supervisor(rig, spec.execution_id)
        rig.until(lambda: rig.executor.check_status(spec.execution_id) == ExecutionStatus.NOT_FOUND, "the loss")
        assert rig.try_launch(spec) == (True, spec.execution_id)
        assert rig.executor.check_status(spec.execution_id) == ExecutionStatus.NOT_FOUND
        assert [ref.status for ref in rig.executor.list_executions()] == [ExecutionStatus.NOT_FOUND]
        assert rig.executor.cleanup(spec.execution_id)
        assert rig.executor.list_executions() == []

    def test_a_recycled_pid_is_neither_believed_nor_signalled(
        self, rig: Rig, stranger: subprocess.Popen[bytes]
    ) -> None:
        execution_id = shell(rig, "exit 3")
        where = directory(rig, execution_id)
        rig.until(lambda: where.has_ended() and not where.is_locked(), "the end of the supervisor")
        (where.path / "exit").unlink()
        (where.path / "begun").write_text(json.dumps({"pid": stranger.pid, "started": 1, "at_ns": 1}))
        assert rig.executor.check_status(execution_id) == ExecutionStatus.NOT_FOUND
        rig.executor.stop(execution_id, 0)
        assert rig.executor.cleanup(execution_id)
        assert stranger.poll() is None

    def test_a_stranger_with_the_pid_of_a_living_supervisor_is_not_signalled(
        self, stranger: subprocess.Popen[bytes], tmp_path: Path
    ) -> None:
        where = ExecutionDirectory(tmp_path / "purser-x")
        lock = where.claim()
        assert lock is not None
        (where.path / "begun").write_text(json.dumps({"pid": stranger.pid, "started": 1, "at_ns": 1}))
        where.tell(signal.SIGKILL)
        assert stranger.poll() is None
        os.close(lock)

    def test_a_supervisor_that_hangs_is_killed_by_cleanup(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("container_manager.executors.process_host.directory._WAIT_SECONDS", 0.3)
        execution_id = shell(rig, "echo ready; sleep 300")
        rig.ready(execution_id)
        os.kill(self.supervisor_pid(rig, execution_id), signal.SIGSTOP)
        assert rig.executor.cleanup(execution_id)
        assert living(execution_id) == []

    def test_the_launch_of_another_that_never_ends_is_no_answer(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("container_manager.executors.process_host.directory._WAIT_SECONDS", 0.1)
        spec = rig.spec("job", command=["true"])
        where = directory(rig, spec.execution_id)
        where.path.mkdir(parents=True)
        lock = where.claim()
        assert lock is not None
        for call in (lambda: rig.try_launch(spec), lambda: rig.executor.stop(spec.execution_id, 0)):
            with pytest.raises(EngineUnavailable):
                call()
        assert rig.executor.check_status(spec.execution_id) == ExecutionStatus.CREATED
        os.close(lock)

    @staticmethod
    def supervisor_pid(rig: Rig, execution_id: str) -> int:
        begun = directory(rig, execution_id).begun()
        assert begun
        return int(begun["pid"])

    def kill_supervisor(self, rig: Rig, execution_id: str) -> None:
        pid = self.supervisor_pid(rig, execution_id)
        os.kill(pid, signal.SIGKILL)
        rig.until(lambda: not directory(rig, execution_id).is_locked(), "the death of the supervisor")

    @staticmethod
    def killing_at(name: str, edge: str) -> "KillingAt":
        return KillingAt(name, edge)


class TestPlain(TestInBubblewrap):
    options = PLAIN


class TestWithoutControlGroups(TestInBubblewrap):
    options = NO_GROUPS


class KillingAt:
    """While it is entered, the launch is cut short where a span begins or ends."""

    def __init__(self, name: str, edge: str) -> None:
        self._at = (name, edge)
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> None:
        self._stop = observe(self._observe)

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _observe(self, event: SpanEvent) -> None:
        if (event.name, event.edge) == self._at:
            raise Killed


class TestWhatCannotBeKilled(OnThisHost):
    options = NO_GROUPS

    @pytest.fixture(autouse=True)
    def impatience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("container_manager.executors.process_host.directory._WAIT_SECONDS", 0.05)

    def test_a_supervisor_is_still_there_and_cleanup_says_so(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        execution_id = shell(rig, "echo ready; sleep 60")
        rig.ready(execution_id)
        with monkeypatch.context() as powerless:
            powerless.setattr("container_manager.executors.process_host.directory._signal", lambda *_: None)
            assert rig.executor.cleanup(execution_id) is False
        assert rig.executor.check_status(execution_id) == ExecutionStatus.RUNNING

    def test_processes_of_a_lost_job_leave_it_unknown(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        execution_id = shell(rig, "setsid sleep 60 & echo ready; wait")
        rig.ready(execution_id)
        os.kill(TestInBubblewrap.supervisor_pid(rig, execution_id), signal.SIGKILL)
        rig.until(lambda: not directory(rig, execution_id).is_locked(), "the death of the supervisor")
        with monkeypatch.context() as powerless:
            powerless.setattr("container_manager.executors.process_host.directory._signal", lambda *_: None)
            assert rig.executor.check_status(execution_id) == ExecutionStatus.UNKNOWN
        rig.until(lambda: rig.executor.check_status(execution_id) == ExecutionStatus.NOT_FOUND, "the loss")
        assert living(execution_id) == []


class TestTheStateDirectory(OnThisHost):
    def test_it_is_made_for_us_alone(self, executor: ProcessExecutor, tmp_path: Path) -> None:
        executor.prepare()
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700

    def test_it_is_in_the_users_state_directory_unless_it_is_configured(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        ProcessExecutor().prepare()
        assert (tmp_path / "purser" / "process").is_dir()


class TestTheSupervisor(OnThisHost):
    def test_it_is_up_within_50_milliseconds_of_cpu(self, rig: Rig) -> None:
        execution_id = shell(rig, "echo ready; sleep 60")
        rig.ready(execution_id)
        begun = directory(rig, execution_id).begun()
        assert begun
        with open(f"/proc/{begun['pid']}/stat") as file:
            ticks = sum(map(int, file.read().rpartition(") ")[2].split()[11:13]))
        assert ticks / os.sysconf("SC_CLK_TCK") <= 0.05

    def test_it_is_reparented_and_in_a_session_of_its_own(self, rig: Rig) -> None:
        execution_id = shell(rig, "echo ready; sleep 60")
        rig.ready(execution_id)
        begun = directory(rig, execution_id).begun()
        assert begun
        process = find_process(begun["pid"])
        assert process
        assert process.parent != os.getpid()
        assert os.getsid(begun["pid"]) != os.getsid(0)

    def test_one_that_cannot_start_is_no_answer_and_says_why(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "container_manager.executors.process_host.directory._BOOT", "raise SystemExit('no such luck')"
        )
        spec = rig.spec("job", command=["true"])
        with pytest.raises(EngineUnavailable, match="no such luck"):
            rig.try_launch(spec)
        assert rig.executor.check_status(spec.execution_id) == ExecutionStatus.CREATED
        assert rig.executor.cleanup(spec.execution_id)
        assert groups(spec.execution_id) == []

    def test_a_watch_tells_of_a_lost_job(self, rig: Rig) -> None:
        execution_id, stop = shell(rig, "echo ready; sleep 300"), threading.Event()
        rig.ready(execution_id)
        os.kill(TestInBubblewrap.supervisor_pid(rig, execution_id), signal.SIGKILL)

        def watch() -> str | None:
            told = rig.executor.watch(lambda: [execution_id], stop)
            return next(name for name in told if name)

        began = time.monotonic()
        assert rig.within_deadline(watch, stop) == execution_id
        assert time.monotonic() - began < 5

"""What the mock plays, second by second. The contract suite proves the rest."""

import multiprocessing
import os
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound, InvalidConfig
from container_manager.executors import mock
from container_manager.executors.mock import MockExecutor
from container_manager.executors.results import LaunchResult
from container_manager.identifiers import uuid7
from container_manager.resources import Resources
from container_manager.spec import JobRequest, JobSpec
from container_manager.states import ExecutionStatus, Reason


class Clock:
    """Time that passes only when it is told to."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def before_sleep(self) -> None:
        """A look at what is there while somebody sleeps."""

    def sleep(self, seconds: float) -> None:
        self.before_sleep()
        self.now += seconds


class Never(threading.Event):
    """A stop that is never asked for; waiting for it makes the time pass."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.now += timeout or 0.001
        return self.is_set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(mock, "time", SimpleNamespace(time=clock, monotonic=clock, sleep=clock.sleep))
    return clock


@pytest.fixture
def executor(clock: Clock, tmp_path: Path) -> MockExecutor:
    return MockExecutor({"state_dir": str(tmp_path)})


def spec(scenario: dict[str, Any] | None = None, **changes: Any) -> JobSpec:
    return JobSpec.model_validate(
        {"id": uuid7(), "attempt": 1, "namespace": "test", "memory_mib": 64, "cpu_cores": 1.0, "timeout_seconds": 60.0,
         "grace_seconds": 5.0, "command": ["played"], "scenario": scenario, **changes}
    )  # fmt: skip


def launch(executor: MockExecutor, **scenario: Any) -> str:
    ok, execution_id = executor.launch_job(spec(scenario))
    assert ok, execution_id
    return execution_id


def test_it_runs_as_long_as_scripted(executor: MockExecutor, clock: Clock) -> None:
    execution_id = launch(executor, run_seconds=5)
    clock.now += 4.9
    assert executor.check_status(execution_id) == ExecutionStatus.RUNNING
    clock.now += 0.2
    assert executor.check_status(execution_id) == ExecutionStatus.EXITED
    found = executor.inspect(execution_id)
    assert found.started_at
    assert found.finished_at
    assert (found.finished_at - found.started_at).total_seconds() == pytest.approx(5)


@pytest.mark.parametrize(
    ("scenario", "code", "signal", "oom"),
    [
        ({}, 0, None, False),
        ({"exit_code": 7}, 7, None, False),
        ({"signal": 11}, 139, 11, False),
        ({"oom": True}, 137, None, True),
        ({"oom": True, "exit_code": 0}, 0, None, True),
    ],
)
def test_it_ends_as_scripted(
    executor: MockExecutor, scenario: dict[str, Any], code: int, signal: int | None, oom: bool
) -> None:
    found = executor.inspect(launch(executor, **scenario))
    assert (found.exit_code, found.signal, found.oom_killed) == (code, signal, oom)
    assert found.status == (ExecutionStatus.FAILED if code else ExecutionStatus.EXITED)


def test_a_launch_takes_its_time_and_can_be_seen_meanwhile(
    executor: MockExecutor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, began, seen = spec({"launch_seconds": 3}), clock.now, list[str]()
    monkeypatch.setattr(clock, "before_sleep", lambda: seen.append(executor.check_status(job.execution_id)))
    executor.launch_job(job)
    assert clock.now - began == pytest.approx(3)
    assert seen == [ExecutionStatus.CREATED]


def test_a_refusal_has_the_scripted_reason_and_message(executor: MockExecutor) -> None:
    job = spec({"refuse": {"reason": "image_auth", "message": "who are you"}})
    result: Any = executor.launch_job(job)
    assert (result, result.reason) == (LaunchResult(False, "who are you"), Reason.IMAGE_AUTH)
    assert executor.check_status(job.execution_id) == ExecutionStatus.NOT_FOUND


def test_output_is_written_at_its_time(executor: MockExecutor, clock: Clock) -> None:
    execution_id = launch(
        executor, run_seconds=9, output=[{"at_seconds": 4, "text": "late"}, {"at_seconds": 1, "text": "early "}]
    )
    written = []
    for _ in range(3):
        clock.now += 2
        written.append(executor.get_logs(execution_id).stdout)
    assert written == ["early ", "early late", "early late"]


def test_followed_frames_carry_the_time_they_were_written(executor: MockExecutor, clock: Clock) -> None:
    began = clock.now
    execution_id = launch(executor, run_seconds=3, output=[{"at_seconds": n, "text": str(n)} for n in (0, 1, 2.5)])
    frames = list(executor.follow_logs(execution_id, Never(clock)))
    assert [frame.data for frame in frames] == [b"0", b"1", b"2.5"]
    assert [round(frame.at.timestamp() - began, 3) for frame in frames if frame.at] == [0, 1, 2.5]
    assert clock.now - began == pytest.approx(3, abs=0.3)


def test_what_would_be_written_after_a_stop_is_not(executor: MockExecutor, clock: Clock) -> None:
    execution_id = launch(executor, run_seconds=9, output=[{"at_seconds": 4, "text": "late"}])
    clock.now += 2
    executor.stop(execution_id, 5)
    clock.now += 9
    assert executor.get_logs(execution_id).stdout == ""
    assert executor.inspect(execution_id).signal == 15


def test_a_kill_is_told_as_signal_9(executor: MockExecutor, clock: Clock) -> None:
    execution_id = launch(executor, run_seconds=9, ignore_sigterm=True)
    executor.stop(execution_id, 5)
    clock.now += 1
    executor.stop(execution_id, 0)
    found = executor.inspect(execution_id)
    assert (found.signal, found.exit_code) == (9, 137)


def test_while_the_engine_is_lost_nothing_is_known_of_the_execution(executor: MockExecutor, clock: Clock) -> None:
    execution_id = launch(executor, run_seconds=1, engine_lost={"from_seconds": 2, "for_seconds": 3})
    statuses = []
    for _ in range(4):
        statuses.append(executor.check_status(execution_id))
        clock.now += 1.7
    assert statuses == [
        ExecutionStatus.RUNNING,
        ExecutionStatus.EXITED,
        ExecutionStatus.UNKNOWN,
        ExecutionStatus.EXITED,
    ]


def test_while_the_engine_is_lost_the_verbs_say_so_and_change_nothing(executor: MockExecutor, clock: Clock) -> None:
    execution_id = launch(executor, run_seconds=60, engine_lost={"from_seconds": 2, "for_seconds": 3})
    clock.now += 3
    for call in (executor.get_logs, executor.cleanup, lambda name: executor.stop(name, 0)):
        with pytest.raises(EngineUnavailable):
            call(execution_id)
    clock.now += 3
    assert executor.check_status(execution_id) == ExecutionStatus.RUNNING


def test_a_launch_whose_answer_is_lost_is_found_again_and_ran_once(executor: MockExecutor, clock: Clock) -> None:
    job = spec({"run_seconds": 60, "engine_lost": {"for_seconds": 5}})
    began = clock.now
    with pytest.raises(EngineUnavailable):
        executor.launch_job(job)
    clock.now += 6
    assert executor.launch_job(job) == (True, job.execution_id)
    started = executor.inspect(job.execution_id).started_at
    assert started
    assert started.timestamp() == pytest.approx(began)


def test_a_vanished_execution_is_not_found(executor: MockExecutor, clock: Clock) -> None:
    execution_id = launch(executor, run_seconds=60, vanish_at_seconds=2)
    clock.now += 3
    assert executor.check_status(execution_id) == ExecutionStatus.NOT_FOUND
    assert executor.list_executions() == []
    with pytest.raises(ExecutionNotFound):
        executor.get_logs(execution_id)
    assert executor.cleanup(execution_id)


@pytest.mark.parametrize(
    ("scenario", "told_after"),
    [
        ({"run_seconds": 2}, 2),
        ({"run_seconds": 60, "vanish_at_seconds": 3}, 3),
        ({"run_seconds": 2, "engine_lost": {"from_seconds": 1, "for_seconds": 4}}, 5),
    ],
)
def test_a_watch_tells_an_end_once_and_when_it_can_be_known(
    executor: MockExecutor, clock: Clock, scenario: dict[str, Any], told_after: float
) -> None:
    began, stop = clock.now, Never(clock)
    ids = [launch(executor, **scenario), launch(executor, run_seconds=8)]
    told = {}
    for execution_id in executor.watch(lambda: ids, stop):
        if execution_id:
            assert execution_id not in told
            told[execution_id] = clock.now - began
        if len(told) == 2:
            stop.set()
    assert told[ids[0]] == pytest.approx(told_after, abs=0.01)


def test_a_watch_tells_what_is_not_there(executor: MockExecutor, clock: Clock) -> None:
    watch = executor.watch(lambda: ["purser-none"], Never(clock))
    assert [next(watch), next(watch)] == [None, "purser-none"]


def test_an_engine_that_is_away_comes_back(clock: Clock, tmp_path: Path) -> None:
    executor = MockExecutor({"state_dir": str(tmp_path), "engine_away": {"from_seconds": 10, "for_seconds": 5}})
    job = spec({"run_seconds": 60})
    executor.launch_job(job)
    healthy = []
    for _ in range(3):
        healthy.append(bool(executor.health_check()))
        clock.now += 8
    assert healthy == [True, True, True]
    executor = MockExecutor(executor.config)
    watch = executor.watch(list, Never(clock))
    next(watch)
    clock.now += 11
    for call in (executor.list_executions, executor.capacity, lambda: executor.launch_job(job), lambda: next(watch)):
        with pytest.raises(EngineUnavailable):
            call()
    assert executor.check_status(job.execution_id) == ExecutionStatus.UNKNOWN
    clock.now += 5
    assert executor.check_status(job.execution_id) == ExecutionStatus.RUNNING


def test_health_flaps_as_scripted(clock: Clock, tmp_path: Path) -> None:
    changes = [
        {"after_seconds": 10, "healthy": False, "detail": "disk is full"},
        {"after_seconds": 20, "healthy": True},
        {"after_seconds": 30, "healthy": False},
    ]
    executor = MockExecutor({"state_dir": str(tmp_path), "health": changes})
    verdicts = []
    for _ in range(4):
        found: Any = executor.health_check()
        verdicts.append((found.healthy, found.detail))
        clock.now += 10
    assert verdicts == [(True, ""), (False, "disk is full"), (True, ""), (False, "unhealthy as scripted")]


def test_the_config_scripts_every_job_that_does_not_say_otherwise(clock: Clock, tmp_path: Path) -> None:
    executor = MockExecutor({"state_dir": str(tmp_path), "exit_code": 3, "output": [{"text": "hello"}]})
    job = spec()
    executor.launch_job(job)
    assert executor.inspect(job.execution_id).exit_code == 3
    other = launch(executor, exit_code=0)
    assert executor.inspect(other).exit_code == 0
    assert executor.get_logs(other).stdout == "hello"


@pytest.mark.parametrize(
    ("scenario", "field", "code"),
    [
        ({"run_seconds": -1}, "scenario.run_seconds", "greater_than_equal"),
        ({"run_seconds": "5"}, "scenario.run_seconds", "float_type"),
        ({"exit_code": 256}, "scenario.exit_code", "less_than_equal"),
        ({"exit_code": 1, "signal": 9}, "scenario.signal", "value_error"),
        ({"run_second": 1}, "scenario.run_second", "unknown"),
        ({"refuse": {"reason": "mood"}}, "scenario.refuse.reason", "literal_error"),
        ({"output": [{"text": "a", "stream": "log"}]}, "scenario.output.0.stream", "literal_error"),
        ({"output": [{"text": "a", "data_base64": "YQ=="}]}, "scenario.output.0", "value_error"),
        ({"output": [{}]}, "scenario.output.0", "value_error"),
        ({"output": [{"data_base64": "?"}]}, "scenario.output.0.data_base64", "value_error"),
        ({"output": [{"text": "a", "at_seconds": 2}]}, "scenario.output", "value_error"),
        ({"engine_lost": {"for_seconds": 0}}, "scenario.engine_lost.for_seconds", "greater_than"),
    ],
)
def test_a_wrong_scenario_is_refused_by_its_path(
    executor: MockExecutor, scenario: dict[str, Any], field: str, code: str
) -> None:
    (error,) = executor.refusals(JobRequest(command=["played"], scenario=scenario))
    assert (error.field, error.code) == (field, code)
    assert error.detail


def test_a_scenario_that_became_wrong_after_it_was_accepted_is_refused_at_launch(executor: MockExecutor) -> None:
    result: Any = executor.launch_job(spec({"run_seconds": -1}))
    assert (result[0], result.reason) == (False, Reason.POLICY_DENIED)


def test_a_network_that_it_does_not_have_is_refused(executor: MockExecutor) -> None:
    (error,) = executor.refusals(JobRequest(command=["played"], network="host"))
    assert (error.field, error.code) == ("network", "not_allowed")


def test_a_wrong_script_in_the_config_is_refused_by_its_key() -> None:
    with pytest.raises(InvalidConfig, match=r"output\.0\.data_base64 is '\?'"):
        MockExecutor({"output": [{"data_base64": "?"}]})


def test_its_host_is_generous_or_what_the_config_says(executor: MockExecutor) -> None:
    assert executor.capacity().memory >= 1024 * 1024
    assert MockExecutor({"total_memory": 512, "total_cpu": 2}).capacity() == Resources(512, 2)


def test_making_an_executor_touches_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    executor = MockExecutor()
    assert (list(tmp_path.iterdir()), executor.list_executions()) == ([], [])


def test_the_default_directory_is_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    MockExecutor().launch_job(spec())
    (made,) = tmp_path.iterdir()
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_directory_of_another_user_is_not_used(executor: MockExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(EngineUnavailable, match="belongs to another user"):
        executor.launch_job(spec())


def test_files_that_are_not_ours_are_neither_listed_nor_read(executor: MockExecutor, tmp_path: Path) -> None:
    (tmp_path / "purser-other.json").write_text("{}")
    assert executor.list_executions() == []
    assert executor.check_status("purser-other") == ExecutionStatus.NOT_FOUND
    assert executor.cleanup("purser-other")
    assert (tmp_path / "purser-other.json").exists()


def test_cleanup_leaves_an_empty_directory(executor: MockExecutor, tmp_path: Path) -> None:
    execution_id = launch(executor, run_seconds=60)
    executor.stop(execution_id, 5)
    executor.stop(execution_id, 0)
    executor.cleanup(execution_id)
    assert list(tmp_path.iterdir()) == []


def test_a_cleaned_attempt_that_is_launched_again_starts_afresh(executor: MockExecutor, clock: Clock) -> None:
    job = spec({"run_seconds": 60})
    executor.launch_job(job)
    executor.stop(job.execution_id, 0)
    executor.cleanup(job.execution_id)
    clock.now += 5
    executor.launch_job(job)
    assert executor.check_status(job.execution_id) == ExecutionStatus.RUNNING


def launch_all(state_dir: str, jobs: list[JobSpec]) -> list[datetime | None]:
    executor = MockExecutor({"state_dir": state_dir})
    for job in jobs:
        assert executor.launch_job(job) == (True, job.execution_id)
    return [executor.inspect(job.execution_id).started_at for job in jobs]


def test_processes_racing_for_the_same_attempts_see_the_same_executions(tmp_path: Path) -> None:
    jobs = [spec({"run_seconds": 60}) for _ in range(50)]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        first, second = pool.map(launch_all, [str(tmp_path)] * 2, [jobs] * 2)
    assert first == second == launch_all(str(tmp_path), jobs)
    assert len(list(tmp_path.iterdir())) == 50


def test_hundreds_of_launches_take_a_second(tmp_path: Path) -> None:
    executor = MockExecutor({"state_dir": str(tmp_path)})
    began = time.perf_counter()
    for _ in range(500):
        executor.launch_job(spec())
    assert time.perf_counter() - began < 5

"""The promises of every executor, as tests that a new executor inherits."""

import inspect
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound, InvalidConfig, Unsupported
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.results import Health
from container_manager.identifiers import uuid7
from container_manager.resources import Resources
from container_manager.spec import HONOURED_BY_PURSER, JobRequest, JobSpec, parse_execution_id
from container_manager.states import ExecutionStatus, Reason
from tests.contract.rig import STDERR, STDOUT, UNKNOWN_ID, Rig, Scenario

FIVE = ("launch_job", "check_status", "get_logs", "cleanup", "health_check")
SAMPLES: dict[str, Any] = {
    "image": "busybox:local",
    "pull_policy": "never",
    "registry_auth": "corporate",
    "entrypoint": ["sh"],
    "command": ["true"],
    "env": {"LANG": "C.UTF-8"},
    "working_dir": "/",
    "user": "1000:1000",
    "stdin": "text",
    "memory_mib": 64,
    "cpu_cores": 0.5,
    "pids_limit": 16,
    "tmp_size_mib": 16,
    "network": "none",
    "read_only_root": True,
    "tmpfs": [{"target": "/scratch"}],
    "mounts": [{"type": "volume", "source": "data", "target": "/data"}],
    "scenario": {"run_seconds": 0},
    "secrets": [{"name": "WORD", "kind": "env", "value": "x"}],
}
SECRET_TEXT = 'hunter2 "quoted" $HOME é ☃ 4711-in-memory-only'


class ExecutorContract:
    """Subclass it as `class TestMine(ExecutorContract)` and give two fixtures.

    `executor` is a ready instance of your class. `scenario` maps each behaviour to the fields of a
    JobRequest that bring it about on your engine (`rig.shell_scenario` does so where there is a shell):

    - `succeeds`: ends at once with exit code 0; `exits_3`: with 3.
    - `writes`: writes the bytes STDOUT and STDERR of `rig` and ends with exit code 0.
    - `sleeps`: writes `ready` and a newline, then runs for 60 s and ends on SIGTERM.
    - `ignores_sigterm`: the same, but only SIGKILL ends it.
    - `not_startable`: its command is not there.
    - `exceeds_memory`: takes more memory than it asks for; only where `capabilities.enforces_memory`.
    - `shows_file`, `shows_variable`: writes what is in `/run/secrets/word`, or in its variable `WORD`, then `ready` on
      a line of its own, and runs for 60 s; only for the kinds in `capabilities.secrets`.
    - `copies_stdin`: copies its standard input to stdout; only where `stdin` is an honoured field.
    - `engine_away`: not a request but config keys with which the engine does not answer, or None for an
      engine that is this very host.
    """

    DEADLINE = 20.0

    @pytest.fixture
    def rig(self, executor: ContainerExecutor, scenario: Scenario) -> Iterator[Rig]:
        rig = Rig(executor, scenario, self.DEADLINE)
        yield rig
        rig.close()

    @pytest.fixture
    def away(self, executor: ContainerExecutor, scenario: Scenario) -> Iterator[ContainerExecutor]:
        """The same executor with its engine out of reach; the present one where that cannot be."""
        if scenario["engine_away"] is None:
            yield executor
            return
        away = type(executor)({**executor.config, **scenario["engine_away"]}, name=executor.name)
        yield away
        away.close()

    @pytest.fixture
    def can_be_away(self, scenario: Scenario) -> bool:
        return scenario["engine_away"] is not None

    # Launch

    @pytest.mark.parametrize("verb", FIVE)
    def test_the_five_verbs_take_what_the_base_says(self, executor: ContainerExecutor, verb: str) -> None:
        promised = inspect.signature(getattr(ContainerExecutor, verb)).parameters
        assert list(inspect.signature(getattr(type(executor), verb)).parameters) == list(promised)

    def test_a_launch_answers_true_and_the_execution_id(self, rig: Rig) -> None:
        spec = rig.spec("succeeds")
        assert rig.try_launch(spec) == (True, spec.execution_id)

    def test_launching_an_attempt_twice_gives_one_execution(self, rig: Rig) -> None:
        spec = rig.spec("sleeps")
        assert rig.try_launch(spec) == rig.try_launch(spec)
        assert len(self.executions_of(rig, spec)) == 1

    def test_launching_an_attempt_twice_runs_it_once(self, rig: Rig) -> None:
        spec = rig.spec("writes")
        _, execution_id = rig.try_launch(spec)
        rig.ended(execution_id)
        rig.try_launch(spec)
        assert sum(map(len, rig.follow(execution_id))) == len(STDOUT + STDERR)

    def test_launching_an_attempt_from_many_threads_gives_one_execution(self, rig: Rig) -> None:
        spec = rig.spec("sleeps")
        with ThreadPoolExecutor(4) as pool:
            results = set(pool.map(rig.try_launch, [spec] * 4))
        assert results == {(True, spec.execution_id)}
        assert len(self.executions_of(rig, spec)) == 1

    def test_another_attempt_is_another_execution(self, rig: Rig) -> None:
        spec = rig.spec("sleeps")
        _, first = rig.try_launch(spec)
        _, second = rig.try_launch(spec.model_copy(update={"attempt": 2}))
        assert first != second
        assert len(self.executions_of(rig, spec)) == 2

    def test_another_instance_knows_the_execution(self, rig: Rig, executor: ContainerExecutor) -> None:
        spec = rig.spec("sleeps")
        _, execution_id = rig.try_launch(spec)
        rig.ready(execution_id)
        restarted = type(executor)(executor.config, name=executor.name)
        try:
            assert restarted.check_status(execution_id) == ExecutionStatus.RUNNING
            assert restarted.launch_job(spec) == (True, execution_id)
        finally:
            restarted.close()

    def test_a_command_that_is_not_there_is_command_not_found(self, rig: Rig) -> None:
        result = rig.executor.launch_job(spec := rig.spec("not_startable"))
        refused = getattr(result, "reason", None)
        assert (rig.ended(spec.execution_id).reason if result[0] else refused) == Reason.COMMAND_NOT_FOUND
        assert result[1]
        assert rig.executor.cleanup(spec.execution_id) is True

    def test_a_launch_that_cannot_start_leaves_nothing_behind(self, rig: Rig) -> None:
        spec = rig.spec("not_startable")
        ok, execution_id = rig.try_launch(spec)
        if ok:
            rig.ended(execution_id)
            rig.executor.cleanup(execution_id)
        assert rig.executor.check_status(spec.execution_id) == ExecutionStatus.NOT_FOUND
        assert self.executions_of(rig, spec) == []

    # Status

    def test_an_unknown_execution_is_not_found(self, executor: ContainerExecutor) -> None:
        assert executor.check_status(UNKNOWN_ID) == ExecutionStatus.NOT_FOUND
        assert executor.inspect(UNKNOWN_ID).status == ExecutionStatus.NOT_FOUND

    def test_a_job_that_runs_is_running(self, rig: Rig) -> None:
        execution_id = rig.launch("sleeps")
        rig.ready(execution_id)
        assert rig.executor.check_status(execution_id) == ExecutionStatus.RUNNING
        assert rig.executor.inspect(execution_id).exit_code is None

    @pytest.mark.parametrize(
        ("behaviour", "status", "code"),
        [("succeeds", ExecutionStatus.EXITED, 0), ("exits_3", ExecutionStatus.FAILED, 3)],
    )
    def test_an_ended_job_has_its_status_and_exit_code(
        self, rig: Rig, behaviour: str, status: ExecutionStatus, code: int
    ) -> None:
        execution = rig.ended(rig.launch(behaviour))
        assert execution.status == status
        assert execution.exit_code == (code if rig.executor.capabilities.exit_code else None)

    def test_times_have_a_zone_and_are_in_order(self, rig: Rig) -> None:
        execution = rig.ended(rig.launch("succeeds"))
        times = [at for at in (execution.started_at, execution.finished_at) if at]
        assert all(at.tzinfo for at in times)
        assert times == sorted(times)

    @pytest.mark.parametrize("behaviour", ["succeeds", "exits_3"])
    def test_a_figure_of_usage_is_unknown_or_more_than_nothing(self, rig: Rig, behaviour: str) -> None:
        usage = rig.ended(rig.launch(behaviour)).usage
        cpu = None
        if usage.cpu_user_seconds is not None and usage.cpu_system_seconds is not None:
            cpu = usage.cpu_user_seconds + usage.cpu_system_seconds
        figures = (usage.peak_memory_bytes, cpu, usage.io_read_bytes, usage.io_write_bytes)
        assert all(figure is None or figure > 0 for figure in figures)
        assert (usage.cpu_user_seconds is None) is (usage.cpu_system_seconds is None)

    def test_usage_of_an_ended_job_does_not_change(self, rig: Rig) -> None:
        execution_id = rig.launch("writes")
        assert rig.ended(execution_id).usage == rig.executor.inspect(execution_id).usage

    def test_a_job_over_its_memory_limit_ends_as_oom(self, rig: Rig) -> None:
        if not rig.executor.capabilities.enforces_memory:
            self.assert_refused(rig.executor, "memory_mib")
            return
        execution = rig.ended(rig.launch("exceeds_memory"))
        assert execution.status == ExecutionStatus.FAILED
        assert execution.oom_killed

    # Logs

    def test_stdout_and_stderr_are_what_was_written(self, rig: Rig) -> None:
        execution_id = rig.launch("writes")
        rig.ended(execution_id)
        stdout, stderr = rig.texts(execution_id)
        if rig.executor.capabilities.streams_apart:
            assert (stdout, stderr) == (STDOUT.decode("utf-8", "replace"), STDERR.decode())
        else:
            assert len(stdout) == len((STDOUT + STDERR).decode("utf-8", "replace"))
            assert stderr == ""

    def test_followed_logs_are_byte_exact_and_end_by_themselves(self, rig: Rig) -> None:
        stdout, stderr = rig.follow(rig.launch("writes"))
        if rig.executor.capabilities.streams_apart:
            assert (stdout, stderr) == (STDOUT, STDERR)
        else:
            assert sorted(stdout) == sorted(STDOUT + STDERR)
            assert stderr == b""

    def test_following_again_starts_from_the_first_byte(self, rig: Rig) -> None:
        execution_id = rig.launch("writes")
        assert rig.follow(execution_id) == rig.follow(execution_id)

    def test_following_can_be_stopped(self, rig: Rig) -> None:
        execution_id, stop = rig.launch("sleeps"), threading.Event()
        rig.ready(execution_id)

        def follow_until_stopped() -> str:
            for _ in self.stopping_soon(rig.executor.follow_logs(execution_id, stop), stop):
                continue
            return rig.executor.check_status(execution_id)

        assert rig.within_deadline(follow_until_stopped, stop) == ExecutionStatus.RUNNING

    def test_live_logs_come_while_the_job_runs(self, rig: Rig) -> None:
        execution_id, stop = rig.launch("sleeps"), threading.Event()
        frames = rig.executor.follow_logs(execution_id, stop)
        if not rig.executor.capabilities.live_logs:
            rig.ready(execution_id)
            assert rig.within_deadline(lambda: list(self.stopping_soon(frames, stop)), stop) == []
            return
        first = rig.within_deadline(lambda: next(iter(frames)), threading.Event())
        assert first.data.startswith(b"r")
        assert rig.executor.check_status(execution_id) == ExecutionStatus.RUNNING

    def test_logs_of_an_unknown_execution_are_an_error(self, executor: ContainerExecutor) -> None:
        with pytest.raises(ExecutionNotFound):
            executor.get_logs(UNKNOWN_ID)
        with pytest.raises(ExecutionNotFound):
            list(executor.follow_logs(UNKNOWN_ID, threading.Event()))

    def test_standard_input_arrives_whole(self, rig: Rig) -> None:
        if "stdin" not in rig.executor.capabilities.fields:
            self.assert_refused(rig.executor, "stdin")
            return
        text = "première\n" * 20_000 + "no newline"
        assert rig.follow(rig.launch("copies_stdin", stdin=text))[0] == text.encode()

    # Secrets

    @pytest.mark.parametrize("kind", ["file", "env"])
    def test_a_secret_is_given_to_the_job_or_refused_by_name(self, rig: Rig, kind: str) -> None:
        secret = {"name": "word" if kind == "file" else "WORD", "kind": kind, "value": SECRET_TEXT}
        if kind not in rig.executor.capabilities.secrets:
            request = JobRequest.model_validate({"command": ["true"], "secrets": [secret]})
            refused = [(error.field, error.code) for error in rig.executor.refusals(request)]
            assert ("secrets.0.kind", "unsupported") in refused or ("secrets", "unsupported") in refused
            return
        execution_id = rig.launch("shows_file" if kind == "file" else "shows_variable", secrets=[secret])
        rig.ready(execution_id)
        self.assert_given(rig, execution_id, secret)
        assert self.left_of(rig.executor, SECRET_TEXT) == []
        assert rig.executor.cleanup(execution_id) is True
        assert self.left_of(rig.executor, SECRET_TEXT) == []

    def test_a_secret_that_the_operator_does_not_have_is_the_jobs_end_and_not_the_executors_fault(
        self, rig: Rig
    ) -> None:
        secret = {"name": "WORD", "kind": "env", "provided": "nowhere"}
        if "env" not in rig.executor.capabilities.secrets:
            self.assert_refused(rig.executor, "secrets")
            return
        result = rig.executor.launch_job(rig.spec("shows_variable", secrets=[secret]))
        assert (result[0], getattr(result, "reason", None)) == (False, Reason.LAUNCH_REFUSED)
        assert "'nowhere'" in result[1]

    # Stop and cleanup

    @pytest.mark.parametrize("behaviour", ["succeeds", "sleeps", "not_startable"])
    def test_no_control_group_is_left_after_the_cleanup(self, rig: Rig, behaviour: str) -> None:
        spec = rig.spec(behaviour)
        rig.try_launch(spec)
        rig.executor.cleanup(spec.execution_id)
        assert [path for path, _, _ in os.walk("/sys/fs/cgroup") if spec.execution_id in path] == []

    def test_stop_with_grace_ends_a_willing_job(self, rig: Rig) -> None:
        execution_id = rig.launch("sleeps")
        rig.ready(execution_id)
        if self.can_stop(rig.executor, execution_id):
            rig.executor.stop(execution_id, 30)
            assert rig.ended(execution_id).status == ExecutionStatus.FAILED

    def test_an_unwilling_job_outlives_the_grace_and_not_the_kill(self, rig: Rig) -> None:
        execution_id = rig.launch("ignores_sigterm")
        rig.ready(execution_id)
        if self.can_stop(rig.executor, execution_id):
            rig.within_deadline(lambda: rig.executor.stop(execution_id, 60), threading.Event())
            assert rig.executor.check_status(execution_id) == ExecutionStatus.RUNNING
            rig.executor.stop(execution_id, 0)
            assert rig.ended(execution_id).status == ExecutionStatus.FAILED

    def test_stop_of_what_is_gone_or_ended_does_no_harm(self, rig: Rig) -> None:
        if self.can_stop(rig.executor, UNKNOWN_ID):
            execution_id = rig.launch("exits_3")
            before = rig.ended(execution_id)
            rig.executor.stop(execution_id, 0)
            rig.executor.stop(UNKNOWN_ID, 0)
            assert rig.executor.inspect(execution_id) == before

    @pytest.mark.parametrize("behaviour", ["sleeps", "ignores_sigterm", "writes"])
    def test_cleanup_leaves_nothing(self, rig: Rig, behaviour: str) -> None:
        spec = rig.spec(behaviour)
        _, execution_id = rig.try_launch(spec)
        rig.until(lambda: any(rig.texts(execution_id)), "its first output")
        assert rig.executor.cleanup(execution_id) is True
        assert rig.executor.check_status(execution_id) == ExecutionStatus.NOT_FOUND
        assert self.executions_of(rig, spec) == []

    def test_cleanup_twice_is_success(self, rig: Rig) -> None:
        execution_id = rig.launch("succeeds")
        rig.ended(execution_id)
        assert rig.executor.cleanup(execution_id) is True
        assert rig.executor.cleanup(execution_id) is True

    def test_cleanup_of_an_unknown_execution_is_success(self, executor: ContainerExecutor) -> None:
        assert executor.cleanup(UNKNOWN_ID) is True

    # Watch and list

    def test_a_watch_says_that_it_stands_and_then_who_ended(self, rig: Rig) -> None:
        stop, wanted = threading.Event(), {rig.launch("sleeps")}
        told: list[str | None] = []

        def watch_one() -> None:
            for execution_id in rig.executor.watch(lambda: wanted, stop):
                if not told:
                    wanted.add(rig.launch("exits_3"))
                told.append(execution_id)
                if execution_id:
                    stop.set()

        rig.within_deadline(watch_one, stop)
        assert told[0] is None
        assert rig.executor.check_status(str(told[-1])) == ExecutionStatus.FAILED

    def test_a_watch_ends_when_it_is_stopped(self, rig: Rig) -> None:
        execution_id, stop = rig.launch("sleeps"), threading.Event()
        watch = rig.executor.watch(lambda: [execution_id], stop)
        assert set(rig.within_deadline(lambda: list(self.stopping_soon(watch, stop)), stop)) == {None}

    def test_the_list_holds_what_was_launched_and_only_ours(self, rig: Rig) -> None:
        if not rig.executor.capabilities.list_executions:
            with pytest.raises(Unsupported):
                rig.executor.list_executions()
            return
        execution_id = rig.launch("exits_3")
        rig.ended(execution_id)
        listed = {ref.execution_id: ref.status for ref in rig.executor.list_executions()}
        assert listed[execution_id] == ExecutionStatus.FAILED
        assert all(map(parse_execution_id, listed))

    # An engine that does not answer

    def test_without_an_answer_the_status_is_unknown(
        self, rig: Rig, away: ContainerExecutor, can_be_away: bool
    ) -> None:
        execution_id = rig.launch("sleeps")
        rig.ready(execution_id)
        expected = ExecutionStatus.UNKNOWN if can_be_away else ExecutionStatus.RUNNING
        assert away.check_status(execution_id) == expected
        assert away.inspect(execution_id).status == expected

    @pytest.mark.parametrize("verb", ["launch_job", "get_logs", "cleanup", "stop", "list_executions"])
    def test_without_an_answer_a_verb_says_so(
        self, rig: Rig, away: ContainerExecutor, can_be_away: bool, verb: str
    ) -> None:
        execution_id = rig.launch("sleeps")
        rig.ready(execution_id)
        arguments: dict[str, list[Any]] = {
            "launch_job": [rig.spec("succeeds")], "stop": [execution_id, 0], "list_executions": [],
        }  # fmt: skip
        if can_be_away and getattr(away.capabilities, verb, True):
            with pytest.raises(EngineUnavailable):
                getattr(away, verb)(*arguments.get(verb, [execution_id]))
        assert rig.executor.check_status(execution_id) == ExecutionStatus.RUNNING

    def test_without_an_answer_health_says_so_in_a_sentence(self, away: ContainerExecutor, can_be_away: bool) -> None:
        verdict = away.health_check()
        assert bool(verdict) is not can_be_away
        if can_be_away and isinstance(verdict, Health):
            assert verdict.detail

    # Requests

    @pytest.mark.parametrize("field", sorted(set(JobRequest.model_fields) - HONOURED_BY_PURSER))
    def test_a_field_is_honoured_or_refused_by_name(self, executor: ContainerExecutor, field: str) -> None:
        if field not in executor.capabilities.fields:
            self.assert_refused(executor, field)
        else:
            assert (field, "unsupported") not in self.refused(executor, field)

    @pytest.mark.parametrize("behaviour", ["succeeds", "exits_3", "writes", "sleeps", "ignores_sigterm"])
    def test_a_supported_request_is_not_refused(
        self, executor: ContainerExecutor, away: ContainerExecutor, scenario: Scenario, behaviour: str
    ) -> None:
        request = JobRequest.model_validate(scenario[behaviour])
        assert list(executor.refusals(request)) == []
        assert list(away.refusals(request)) == []

    # Health, capacity, config, and what the base does for all

    def test_health_is_good_while_the_engine_answers(self, executor: ContainerExecutor) -> None:
        verdict = executor.health_check()
        assert isinstance(verdict, bool | Health)
        assert verdict

    def test_capacity_is_resources_or_nothing(self, executor: ContainerExecutor) -> None:
        capacity = executor.capacity() or Resources(1, 1)
        assert min(capacity.memory, capacity.cpu) > 0

    def test_launches_and_refusals_are_counted_and_timed(self, rig: Rig) -> None:
        rig.launch("succeeds")
        refused = not rig.try_launch(rig.spec("not_startable"))[0]
        metrics, performance = rig.executor.get_metrics(), rig.executor.get_performance_stats()
        assert (metrics["jobs_launched"], metrics["errors"]) == (2 - refused, refused)
        assert metrics["calls"]["launch_job"] == {"count": 2, "raised": 0}
        assert len(performance["operation_times"]) == 2
        assert performance["total_time"] >= performance["p50"] > 0

    def test_what_is_allocated_is_given_back(self, executor: ContainerExecutor) -> None:
        job_id, wanted = str(uuid7()), {"memory": 64, "cpu": 0.5}
        assert executor.allocate_resources(job_id, wanted)
        assert executor.get_allocated_resources(job_id) == wanted
        assert executor.cleanup_resources(job_id)
        assert executor.get_allocated_resources(job_id) is None
        assert executor.get_resource_utilization()["memory_used"] == 0

    def test_an_unknown_config_key_is_refused_with_the_near_one(self, executor: ContainerExecutor) -> None:
        config = {**executor.config, "tiemout": 5}
        if executor.options_class is None:
            assert type(executor)(config).config == config
            return
        with pytest.raises(InvalidConfig, match=r"'tiemout'.*did you mean 'timeout'"):
            type(executor)(config)

    @pytest.mark.parametrize("timeout", [0, -1, "5", True, float("nan"), float("inf")])
    def test_a_bad_timeout_is_refused_by_name(self, executor: ContainerExecutor, timeout: object) -> None:
        with pytest.raises(ValueError, match="timeout"):
            type(executor)({**executor.config, "timeout": timeout})

    # What the tests above share

    def assert_given(self, rig: Rig, execution_id: str, secret: dict[str, str]) -> None:
        """The running job has the secret."""
        assert rig.texts(execution_id)[0] == f"{secret['value']}\nready\n"

    @staticmethod
    def left_of(executor: ContainerExecutor, text: str) -> list[str]:
        """The files of the host, in memory or of the executor, that hold a text. What the job wrote is its own."""
        places = ["/dev/shm", str(executor.config.get("state_dir", "/dev/shm"))]
        files = {os.path.join(path, name) for place in places for path, _, names in os.walk(place) for name in names}
        return [path for path in sorted(files) if not path.endswith("/log") and text.encode() in _content(path)]

    @staticmethod
    def executions_of(rig: Rig, spec: JobSpec) -> list[str]:
        """The executions of a job: as the engine lists them, or by asking for its first attempts."""
        if rig.executor.capabilities.list_executions:
            listed = [ref.execution_id for ref in rig.executor.list_executions()]
            return [name for name in listed if (parse_execution_id(name) or [None])[0] == spec.id]
        names = [spec.model_copy(update={"attempt": attempt}).execution_id for attempt in (1, 2, 3)]
        return [name for name in names if rig.executor.check_status(name) != ExecutionStatus.NOT_FOUND]

    @staticmethod
    def refused(executor: ContainerExecutor, field: str) -> set[tuple[str, str]]:
        request = JobRequest.model_validate({"command": ["true"], field: SAMPLES[field]})
        return {(error.field.partition(".")[0], error.code) for error in executor.refusals(request)}

    def assert_refused(self, executor: ContainerExecutor, field: str) -> None:
        assert field not in executor.capabilities.fields
        assert (field, "unsupported") in self.refused(executor, field)

    @staticmethod
    def can_stop(executor: ContainerExecutor, execution_id: str) -> bool:
        """Whether it has the power; where not, the refusal is proven."""
        if not executor.capabilities.stop:
            with pytest.raises(Unsupported):
                executor.stop(execution_id, 0)
        return executor.capabilities.stop

    @staticmethod
    def stopping_soon(items: Iterator[Any], stop: threading.Event) -> Iterator[Any]:
        """Set `stop` from another thread a moment after the first item has been asked for."""
        timer = threading.Timer(0.3, stop.set)
        timer.start()
        yield from items
        timer.cancel()


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # another test's, and gone

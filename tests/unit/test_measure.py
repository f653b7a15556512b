import inspect
from typing import Any

import pytest

from container_manager.exceptions import EngineUnavailable
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.measure import WINDOW, percentiles
from container_manager.executors.results import LaunchResult
from container_manager.spec import JobSpec
from container_manager.states import LaunchPath
from tests.unit.bare import BareExecutor

JOB: Any = None


class Nested(BareExecutor):
    def launch_job(self, job: JobSpec) -> tuple[bool, str]:
        return super().launch_job(job)

    def health_check(self) -> bool:
        return super().health_check()


class NestedTwice(Nested):
    def launch_job(self, job: JobSpec) -> tuple[bool, str]:
        return super().launch_job(job)


def calls(executor: ContainerExecutor, verb: str) -> dict[str, int]:
    found: dict[str, int] = executor.get_metrics()["calls"][verb]
    return found


@pytest.mark.parametrize("cls", [BareExecutor, Nested, NestedTwice])
def test_a_launch_through_super_is_counted_and_timed_once(cls: type[BareExecutor]) -> None:
    executor = cls()
    executor.launch_job(JOB)
    assert executor.get_metrics()["jobs_launched"] == 1
    assert calls(executor, "launch_job") == {"count": 1, "raised": 0}
    assert len(executor.get_performance_stats()["operation_times"]) == 1


def test_a_launch_inside_another_executors_launch_is_counted_for_both() -> None:
    class Delegates(BareExecutor):
        inner = BareExecutor()

        def launch_job(self, job: JobSpec) -> tuple[bool, str]:
            return self.inner.launch_job(job)

    executor = Delegates()
    executor.launch_job(JOB)
    assert executor.get_metrics()["jobs_launched"] == executor.inner.get_metrics()["jobs_launched"] == 1


@pytest.mark.parametrize("verb", ["launch_job", "check_status", "get_logs", "cleanup", "health_check"])
def test_a_measured_verb_keeps_its_name_and_signature(verb: str) -> None:
    measured, promised = getattr(BareExecutor, verb), getattr(ContainerExecutor, verb)
    assert measured.__name__ == verb
    assert list(inspect.signature(measured).parameters) == list(inspect.signature(promised).parameters)


def test_every_verb_is_counted() -> None:
    executor = BareExecutor()
    executor.check_status("one")
    executor.get_logs("one")
    executor.cleanup("one")
    executor.health_check()
    assert {verb: each["count"] for verb, each in executor.get_metrics()["calls"].items()} == {
        "check_status": 1, "get_logs": 1, "cleanup": 1, "health_check": 1,
    }  # fmt: skip


def test_an_exception_is_counted_and_passed_on() -> None:
    class Unreachable(BareExecutor):
        def launch_job(self, job: JobSpec) -> tuple[bool, str]:
            raise EngineUnavailable

        def get_logs(self, execution_id: str) -> str:
            raise EngineUnavailable

    executor = Unreachable()
    for call in (lambda: executor.launch_job(JOB), lambda: executor.get_logs("one")):
        with pytest.raises(EngineUnavailable):
            call()
    assert executor.get_metrics()["errors"] == 1
    assert calls(executor, "launch_job") == calls(executor, "get_logs") == {"count": 1, "raised": 1}


def test_after_an_exception_the_next_call_is_counted_again() -> None:
    class OnceUnreachable(Nested):
        failed = False

        def launch_job(self, job: JobSpec) -> tuple[bool, str]:
            if not self.failed:
                self.failed = True
                raise EngineUnavailable
            return super().launch_job(job)

    executor = OnceUnreachable()
    with pytest.raises(EngineUnavailable):
        executor.launch_job(JOB)
    executor.launch_job(JOB)
    assert calls(executor, "launch_job") == {"count": 2, "raised": 1}


def records(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.message == "engine call"]


def test_debug_mode_logs_every_call_with_its_time_and_answer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    executor = BareExecutor({"debug_mode": True})
    executor.launches = (False, "no space left")
    executor.launch_job(JOB)
    executor.check_status("one")

    assert [(r.executor, r.call, r.answer) for r in records(caplog)] == [
        ("BareExecutor", "launch_job", "(False, 'no space left')"),
        ("BareExecutor", "check_status", "running"),
    ]
    assert records(caplog)[1].execution_id == "one"
    assert all(record.seconds >= 0 for record in records(caplog))


def test_debug_mode_logs_what_a_call_raised(caplog: pytest.LogCaptureFixture) -> None:
    class Unreachable(BareExecutor):
        def cleanup(self, execution_id: str) -> bool:
            raise EngineUnavailable("connection refused")

    caplog.set_level("INFO")
    with pytest.raises(EngineUnavailable):
        Unreachable({"debug_mode": True}).cleanup("one")

    assert [record.answer for record in records(caplog)] == ["EngineUnavailable: connection refused"]


def test_what_a_job_has_written_is_not_logged_in_debug_mode(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    executor = BareExecutor({"debug_mode": True})
    executor.logs = "a secret"
    executor.get_logs("one")

    assert [record.call for record in records(caplog)] == ["get_logs"]
    assert "a secret" not in str(vars(records(caplog)[0]))


def test_without_debug_mode_no_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    BareExecutor().health_check()

    assert records(caplog) == []


def test_before_the_first_launch_there_are_no_times() -> None:
    assert BareExecutor().get_performance_stats() == {
        "operation_times": [], "average_time": 0.0, "total_time": 0.0, "p50": None, "p95": None, "p99": None,
        "stages": {},
    }  # fmt: skip


def test_the_window_is_bounded_and_the_totals_are_not() -> None:
    executor = BareExecutor()
    for _ in range(WINDOW + 10):
        executor.launch_job(JOB)
    performance = executor.get_performance_stats()
    assert len(performance["operation_times"]) == WINDOW
    assert performance["average_time"] == pytest.approx(performance["total_time"] / (WINDOW + 10))


def test_uptime_grows() -> None:
    executor = BareExecutor()
    first = executor.get_metrics()["uptime"]
    assert executor.get_metrics()["uptime"] >= first >= 0


def test_percentiles_are_values_that_occurred() -> None:
    assert percentiles([float(n) for n in range(101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentiles([3.0]) == {"p50": 3.0, "p95": 3.0, "p99": 3.0}


def test_a_launch_that_tells_its_way_is_still_the_plain_tuple() -> None:
    result = LaunchResult(True, "purser-x", path=LaunchPath.WARM, path_detail="the fastest")
    assert result == (True, "purser-x")
    assert (result.reason, result.path, result.path_detail) == (None, "warm", "the fastest")

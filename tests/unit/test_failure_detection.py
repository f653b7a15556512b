from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from container_manager.exceptions import EngineUnavailable
from container_manager.executors import measure
from container_manager.executors.results import Health, LaunchResult
from container_manager.spec import JobSpec
from container_manager.states import NOT_HELD_AGAINST_EXECUTOR, Reason
from tests.unit.bare import BareExecutor

JOB: Any = None
REFUSED = (False, "no space left")


class Clock:
    """Stands still but for `passes`."""

    at = datetime(2026, 1, 1, tzinfo=UTC)

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def now(self, _: object) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(measure, "datetime", clock)
    return clock


@pytest.fixture
def executor(clock: Clock) -> BareExecutor:
    return BareExecutor({"failure_threshold": 3, "failure_cooldown_seconds": 10})


def fail(executor: BareExecutor, times: int) -> None:
    executor.launches = REFUSED
    for _ in range(times):
        executor.launch_job(JOB)


def test_failures_below_the_threshold_leave_it_healthy(executor: BareExecutor) -> None:
    fail(executor, 2)
    assert executor.health_check()


def test_failures_in_a_row_make_it_unhealthy_and_tell_no_text_of_a_job(executor: BareExecutor) -> None:
    fail(executor, 3)
    verdict: Any = executor.health_check()
    assert verdict == Health(False, "3 launches in a row failed with: launch_error", launches_pause=True)


def test_a_success_between_failures_starts_the_count_again(executor: BareExecutor) -> None:
    fail(executor, 2)
    executor.launches = (True, "one")
    executor.launch_job(JOB)
    fail(executor, 2)
    assert executor.health_check()


def test_a_successful_launch_heals_at_once(executor: BareExecutor) -> None:
    fail(executor, 3)
    executor.launches = (True, "one")
    executor.launch_job(JOB)
    assert executor.health_check()


def test_a_probe_before_the_cooldown_does_not_heal(executor: BareExecutor, clock: Clock) -> None:
    fail(executor, 3)
    clock.passes(9.9)
    assert [bool(executor.health_check()) for _ in range(3)] == [False, False, False]


def test_a_good_probe_after_the_cooldown_half_opens_and_one_after_another_heals(
    executor: BareExecutor, clock: Clock
) -> None:
    fail(executor, 3)
    clock.passes(10)
    assert [bool(executor.health_check()) for _ in range(3)] == [False, False, False]
    clock.passes(10)
    assert executor.health_check()


def test_one_probe_alone_never_heals_however_late_it_comes(executor: BareExecutor, clock: Clock) -> None:
    fail(executor, 3)
    clock.passes(3600)
    assert [bool(executor.health_check()) for _ in range(2)] == [False, True]


def test_a_bad_probe_while_half_open_starts_the_cooldown_again(executor: BareExecutor, clock: Clock) -> None:
    fail(executor, 3)
    clock.passes(10)
    executor.health_check()
    executor.healthy = False
    assert not executor.health_check()
    executor.healthy = True
    clock.passes(9.9)
    assert [bool(executor.health_check()) for _ in range(3)] == [False, False, False]
    clock.passes(10.1)
    assert [bool(executor.health_check()) for _ in range(2)] == [False, True]


def test_a_failed_launch_while_half_open_opens_it_again(executor: BareExecutor, clock: Clock) -> None:
    fail(executor, 3)
    clock.passes(10)
    executor.health_check()
    fail(executor, 1)
    clock.passes(9.9)
    assert [bool(executor.health_check()) for _ in range(2)] == [False, False]


def test_the_engines_own_bad_verdict_is_passed_on_while_closed(executor: BareExecutor) -> None:
    executor.healthy = False
    assert executor.health_check() is False


@pytest.mark.parametrize("reason", sorted(NOT_HELD_AGAINST_EXECUTOR))
def test_what_is_the_jobs_or_a_registrys_fault_is_not_held_against_the_executor(
    executor: BareExecutor, reason: Reason
) -> None:
    executor.launches = LaunchResult(False, "no such thing", reason)
    for _ in range(5):
        executor.launch_job(JOB)
    assert executor.health_check()
    assert executor.get_metrics()["errors"] == 5


@pytest.mark.parametrize("reason", [None, Reason.LAUNCH_ERROR])
def test_what_is_nobodys_or_the_engines_fault_is_held_against_it(executor: BareExecutor, reason: Reason | None) -> None:
    executor.launches = LaunchResult(False, "no", reason)
    for _ in range(3):
        executor.launch_job(JOB)
    assert not executor.health_check()


@pytest.mark.parametrize(
    ("error", "told"), [(EngineUnavailable("connection refused"), "engine_unavailable"), (KeyError("x"), "KeyError")]
)
def test_a_launch_that_raises_is_a_failure_and_names_its_cause(error: Exception, told: str, clock: Clock) -> None:
    class Raises(BareExecutor):
        def launch_job(self, job: JobSpec) -> tuple[bool, str]:
            raise error

    executor = Raises({"failure_threshold": 1})
    with pytest.raises(type(error)):
        executor.launch_job(JOB)
    verdict: Any = executor.health_check()
    assert verdict.detail == f"1 launches in a row failed with: {told}"


def test_each_reason_is_told_once_and_only_of_failures_in_a_row(executor: BareExecutor) -> None:
    for launches in (
        LaunchResult(False, "of before", Reason.ENGINE_LOST),
        LaunchResult(True, "one"),
        LaunchResult(False, "a secret", Reason.LAUNCH_ERROR),
        REFUSED,
        LaunchResult(False, "gone", Reason.QUEUE_TIMEOUT),
    ):
        executor.launches = launches
        executor.launch_job(JOB)
    verdict: Any = executor.health_check()
    assert verdict == Health(False, "3 launches in a row failed with: launch_error, queue_timeout", launches_pause=True)


def test_one_failure_is_enough_for_an_executor_that_attributes_nothing() -> None:
    executor = BareExecutor()
    fail(executor, 1)
    assert not executor.health_check()

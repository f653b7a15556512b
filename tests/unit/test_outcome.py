"""One reading of how an execution ended, the same for every engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from container_manager.dispatcher.outcome import as_asked, backoff, launch_failure, may_retry, outcome_of
from container_manager.executors.results import Execution
from container_manager.states import ExecutionStatus, JobState, Reason
from tests.factories import ContainerJobFactory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILED, EXITED = ExecutionStatus.FAILED, ExecutionStatus.EXITED


@pytest.mark.parametrize(
    ("execution", "state", "reason", "evidence"),
    [
        (Execution(EXITED, exit_code=0), JobState.SUCCEEDED, Reason.COMPLETED, {"exit_code": 0}),
        (Execution(FAILED, exit_code=3), JobState.FAILED, Reason.EXIT_NONZERO, {"exit_code": 3}),
        (
            Execution(FAILED, exit_code=137),
            JobState.FAILED,
            Reason.EXIT_NONZERO,
            {"exit_code": 137, "possible_signal": "SIGKILL"},
        ),
        (Execution(FAILED, exit_code=255), JobState.FAILED, Reason.EXIT_NONZERO, {"exit_code": 255}),
        (
            Execution(FAILED, exit_code=137, oom_killed=True),
            JobState.FAILED,
            Reason.OOM,
            {"exit_code": 137, "memory_mib": 64},
        ),
        (
            Execution(FAILED, exit_code=143, signal=15),
            JobState.FAILED,
            Reason.SIGNAL,
            {"exit_code": 143, "signal": "SIGTERM"},
        ),
        (
            Execution(FAILED, reason=Reason.COMMAND_NOT_FOUND, detail="no such file"),
            JobState.FAILED,
            Reason.COMMAND_NOT_FOUND,
            {"error": "no such file"},
        ),
    ],
)
def test_an_ended_execution_has_one_reason_with_its_evidence(
    execution: Execution, state: JobState, reason: Reason, evidence: dict[str, Any]
) -> None:
    outcome = outcome_of(ContainerJobFactory.build(active=True), execution)

    assert (outcome.state, outcome.reason, outcome.evidence) == (state, reason, evidence)


def test_a_child_killed_at_the_memory_limit_is_a_warning_when_the_job_succeeds() -> None:
    outcome = outcome_of(ContainerJobFactory.build(active=True), Execution(EXITED, exit_code=0, oom_killed=True))

    assert outcome.state == JobState.SUCCEEDED
    assert "memory limit" in outcome.evidence["warning"]


def test_an_execution_that_is_answered_to_be_gone_is_lost() -> None:
    outcome = outcome_of(ContainerJobFactory.build(active=True), Execution(ExecutionStatus.NOT_FOUND))

    assert outcome.reason == Reason.ENGINE_LOST


def test_a_stop_at_the_deadline_is_a_timeout_whatever_the_exit_code() -> None:
    job = ContainerJobFactory.build(active=True, timed_out_at=NOW, timeout_seconds=1.0)

    outcome = outcome_of(job, Execution(FAILED, exit_code=143, finished_at=NOW + timedelta(seconds=1)))

    assert outcome.reason == Reason.TIMEOUT
    assert outcome.evidence == {"timeout_seconds": 1.0, "exit_code": 143}


def test_a_job_that_ended_just_before_it_was_stopped_keeps_its_own_end() -> None:
    job = ContainerJobFactory.build(active=True, cancel_requested_at=NOW)

    outcome = outcome_of(job, Execution(EXITED, exit_code=0, finished_at=NOW - timedelta(milliseconds=1)))

    assert outcome.state == JobState.SUCCEEDED


def test_the_first_of_a_cancel_and_a_timeout_is_the_reason() -> None:
    job = ContainerJobFactory.build(active=True, cancel_requested_at=NOW, timed_out_at=NOW + timedelta(seconds=1))

    outcome = outcome_of(job, Execution(FAILED, exit_code=137, finished_at=NOW + timedelta(seconds=2)))

    assert (outcome.state, outcome.reason) == (JobState.CANCELLED, Reason.CANCELLED)


def test_only_faults_of_the_engine_are_retried() -> None:
    job = ContainerJobFactory.build(active=True, max_retries=1)

    assert may_retry(job, launch_failure(None, "no"))
    assert not may_retry(job, launch_failure(Reason.IMAGE_NOT_FOUND, "no"))
    assert not may_retry(job, outcome_of(job, Execution(FAILED, exit_code=3)))


def test_retries_are_counted_and_end_with_a_cancel() -> None:
    failure = launch_failure(None, "no")

    assert not may_retry(ContainerJobFactory.build(active=True, max_retries=0), failure)
    assert not may_retry(ContainerJobFactory.build(active=True, max_retries=1, attempt=2), failure)
    assert not may_retry(ContainerJobFactory.build(active=True, max_retries=1, cancel_requested_at=NOW), failure)


@pytest.mark.parametrize(("attempt", "most"), [(1, 1), (2, 2), (4, 8), (40, 300)])
def test_the_backoff_doubles_up_to_its_cap(attempt: int, most: float) -> None:
    seconds = (backoff(ContainerJobFactory.build(attempt=attempt), NOW) - NOW).total_seconds()

    assert most / 2 <= seconds <= most


def test_an_engine_that_stops_and_takes_the_job_with_it_has_lost_it() -> None:
    job = ContainerJobFactory.build(active=True, stale_since=NOW)

    outcome = outcome_of(job, Execution(FAILED, exit_code=143, finished_at=NOW - timedelta(seconds=1)))

    assert outcome.reason == Reason.ENGINE_LOST


@pytest.mark.parametrize(
    ("exit_code", "finished_at"), [(4, NOW + timedelta(seconds=1)), (143, NOW - timedelta(minutes=1))]
)
def test_a_job_that_ended_by_itself_keeps_its_end_also_around_an_outage(exit_code: int, finished_at: datetime) -> None:
    job = ContainerJobFactory.build(active=True, stale_since=NOW)

    outcome = outcome_of(job, Execution(FAILED, exit_code=exit_code, finished_at=finished_at))

    assert outcome.reason == Reason.EXIT_NONZERO


def test_a_job_that_fell_with_its_engine_is_lost_although_nobody_saw_the_outage() -> None:
    job = ContainerJobFactory.build(active=True)

    for code in (137, 143, 255):
        assert outcome_of(job, Execution(FAILED, exit_code=code, fell_with_engine=True)).reason == Reason.ENGINE_LOST
        assert outcome_of(job, Execution(FAILED, exit_code=code)).reason == Reason.EXIT_NONZERO
    assert outcome_of(job, Execution(FAILED, exit_code=3, fell_with_engine=True)).reason == Reason.EXIT_NONZERO


def test_a_launch_that_fails_after_a_cancel_is_the_cancel() -> None:
    job = ContainerJobFactory.build(active=True, cancel_requested_at=NOW)

    assert as_asked(job, launch_failure(None, "no")).state == JobState.CANCELLED
    assert as_asked(job, launch_failure(Reason.IMAGE_NOT_FOUND, "no")).reason == Reason.IMAGE_NOT_FOUND


def test_an_answer_to_the_engine_s_stop_is_no_success_of_the_job() -> None:
    job = ContainerJobFactory.build(active=True, stale_since=NOW)
    inside, before = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)

    assert outcome_of(job, ended_well(inside, outlives_engine=False)).reason == Reason.ENGINE_LOST
    assert outcome_of(job, ended_well(before, outlives_engine=False)).reason == Reason.COMPLETED
    assert outcome_of(job, ended_well(inside, outlives_engine=True)).reason == Reason.COMPLETED


def test_logs_of_a_job_that_ended_unheard_while_its_engine_was_away_are_said_to_be_incomplete() -> None:
    job = ContainerJobFactory.build(active=True, stale_since=NOW)
    inside, before = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)

    assert outcome_of(job, ended_well(inside, unheard_while_away=True)).evidence["logs"] == "incomplete"
    assert "logs" not in outcome_of(job, ended_well(before, unheard_while_away=True)).evidence
    assert "logs" not in outcome_of(job, ended_well(inside)).evidence


def ended_well(at: datetime, **facts: Any) -> Execution:
    return Execution(EXITED, exit_code=0, finished_at=at, **facts)

"""A state changes only where the table allows it, once, with its event, and with what it holds."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from container_manager import lifecycle, tallies
from container_manager.identifiers import uuid7
from container_manager.ledger import DatabaseLedger
from container_manager.lifecycle import Outcome
from container_manager.models import Allocation, Attempt, Job, JobCount
from container_manager.resources import Limits, Resources
from container_manager.states import TERMINAL, TRANSITIONS, EventType, JobState, LaunchPath, Reason
from tests.factories import AttemptFactory, ContainerJobFactory

pytestmark = pytest.mark.django_db
FAILURE = Outcome(JobState.FAILED, Reason.EXIT_NONZERO, {"exit_code": 3}, 3)
LOST = Outcome(JobState.FAILED, Reason.ENGINE_LOST)


def job_in(state: JobState) -> Job:
    if state == JobState.QUEUED:
        return ContainerJobFactory.create()
    if state in TERMINAL:
        return ContainerJobFactory.create(ended=True, state=state, reason=Reason.CANCELLED)
    job: Job = AttemptFactory.create(job__state=state).job
    DatabaseLedger("mock").reserve(str(job.pk), Resources(64, 0.5), Limits())
    return job


def try_end(state: JobState) -> Callable[[Job], object]:
    return lambda job: lifecycle.end(job.pk, Outcome(state, Reason.CANCELLED))


ARROWS: dict[JobState, Callable[[Job], object]] = {
    JobState.QUEUED: lambda job: lifecycle.retry(job.pk, LOST, fence=job.fence, not_before=timezone.now()),
    JobState.LAUNCHING: lambda job: lifecycle.claim(job, uuid7()),
    JobState.RUNNING: lambda job: lifecycle.start(job.pk, fence=job.fence, timeout_seconds=1),
    **{state: try_end(state) for state in TERMINAL},
}


@pytest.mark.parametrize("target", JobState)
@pytest.mark.parametrize("source", JobState)
def test_every_pair_of_states_is_as_the_table_says(source: JobState, target: JobState) -> None:
    job = job_in(source)

    said = bool(ARROWS[target](job))

    job.refresh_from_db()
    moved = job.events.filter(type="state").exists()
    assert moved is (target in TRANSITIONS[source])
    assert said is moved or source == target == JobState.RUNNING  # a start may be said twice
    assert job.state == (target if moved else source)
    assert job.events.filter(type="state").count() == int(moved)
    assert Allocation.objects.exists() is (
        job.state in {JobState.LAUNCHING, JobState.RUNNING} and source != JobState.QUEUED
    )


def test_an_end_writes_job_attempt_event_and_count_together() -> None:
    job = job_in(JobState.RUNNING)

    assert lifecycle.end(job.pk, FAILURE, fence=job.fence)

    job.refresh_from_db()
    attempt, event = job.attempts.get(), job.events.get()
    assert (job.reason, job.exit_code, job.evidence) == ("exit_nonzero", 3, {"exit_code": 3})
    assert (attempt.reason, attempt.exit_code, attempt.finished_at) == ("exit_nonzero", 3, job.finished_at)
    assert (event.seq, event.state, event.reason) == (job.version, "failed", "exit_nonzero")
    assert JobCount.objects.get(state="failed").count == 1


def test_an_old_owner_can_change_nothing() -> None:
    job = job_in(JobState.RUNNING)
    Job.objects.update(fence=job.fence + 1)

    assert not lifecycle.end(job.pk, FAILURE, fence=job.fence)
    assert not lifecycle.retry(job.pk, FAILURE, fence=job.fence, not_before=timezone.now())
    assert not lifecycle.mark(
        job.pk, EventType.TIMED_OUT, states=set(JobState), fence=job.fence, timed_out_at=timezone.now()
    )
    assert Job.objects.get().state == JobState.RUNNING


def test_a_retry_keeps_the_attempt_and_waits_for_its_time() -> None:
    job = job_in(JobState.RUNNING)
    later = timezone.now() + timedelta(minutes=1)

    lifecycle.retry(job.pk, LOST, fence=job.fence, not_before=later)

    job.refresh_from_db()
    assert (job.state, job.not_before, job.owner, job.attempt) == ("queued", later, None, 1)
    assert job.attempts.get().reason == "engine_lost"


def test_a_start_that_is_said_twice_is_one_start_with_one_deadline() -> None:
    job = job_in(JobState.LAUNCHING)

    deadlines = {lifecycle.start(job.pk, fence=job.fence, timeout_seconds=5) for _ in range(2)}

    assert len(deadlines) == 1
    assert job.events.count() == 1
    assert lifecycle.start(job.pk, fence=job.fence + 1, timeout_seconds=5) is None


def test_a_retry_forgets_that_the_attempt_before_was_timed_out() -> None:
    job = job_in(JobState.RUNNING)
    lifecycle.mark(job.pk, EventType.TIMED_OUT, states={JobState.RUNNING}, timed_out_at=timezone.now())

    lifecycle.retry(job.pk, LOST, fence=job.fence, not_before=timezone.now())

    assert Job.objects.get().timed_out_at is None


def test_a_job_whose_end_was_asked_for_is_not_queued_again() -> None:
    job = job_in(JobState.RUNNING)
    lifecycle.mark(job.pk, EventType.CANCEL_REQUESTED, states={JobState.RUNNING}, cancel_requested_at=timezone.now())

    assert not lifecycle.retry(job.pk, LOST, fence=job.fence, not_before=timezone.now())
    assert Job.objects.get().state == JobState.RUNNING


def test_a_mark_is_made_once() -> None:
    job = job_in(JobState.RUNNING)
    asked = timezone.now()

    made = [
        lifecycle.mark(job.pk, EventType.CANCEL_REQUESTED, states={JobState.RUNNING}, cancel_requested_at=asked)
        for _ in range(2)
    ]

    assert made == [True, False]
    assert job.events.count() == 1


def test_a_job_is_cleaned_when_its_last_attempt_is() -> None:
    job = job_in(JobState.RUNNING)
    lifecycle.end(job.pk, FAILURE, fence=job.fence)
    assert Job.objects.get().cleaned_at is None

    lifecycle.attempt_cleaned(job.pk, 1)
    lifecycle.attempt_cleaned(job.pk, 1)

    assert Job.objects.get().cleaned_at is not None
    assert job.events.filter(type="cleaned").count() == 1


def test_a_job_that_never_had_an_attempt_is_clean_at_its_end() -> None:
    job = job_in(JobState.QUEUED)

    lifecycle.end(job.pk, Outcome(JobState.CANCELLED, Reason.CANCELLED))

    assert Job.objects.get().cleaned_at is not None


def test_a_change_and_its_event_are_undone_together() -> None:
    job = job_in(JobState.RUNNING)

    with pytest.raises(RuntimeError), transaction.atomic():
        lifecycle.end(job.pk, FAILURE, fence=job.fence)
        raise RuntimeError

    assert Job.objects.get().state == JobState.RUNNING
    assert not job.events.exists()
    assert Allocation.objects.exists()


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "resting"},
        {"state": "failed", "reason": "oom", "finished_at": None},
        {"state": "running", "finished_at": timezone.now()},
        {"state": "failed", "reason": "", "finished_at": timezone.now()},
    ],
)
def test_the_database_itself_refuses_rows_that_contradict_themselves(broken: dict[str, Any]) -> None:
    job = job_in(JobState.RUNNING)

    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**broken)


def test_an_attempt_is_named_like_its_execution() -> None:
    attempt = AttemptFactory.create()

    assert str(attempt) == attempt.job.execution_id == f"purser-{attempt.job.pk.hex}-1"
    assert Attempt.objects.count() == 1


def launching(seconds: float) -> Job:
    """A job that was claimed so long ago."""
    at = timezone.now() - timedelta(seconds=seconds)
    job: Job = AttemptFactory.create(job__state="launching", job__launching_at=at, launching_at=at).job
    return job


def phases(job: Job) -> tuple[float | None, ...]:
    """Pull, launch and run of its attempt, in whole seconds."""
    attempt = Attempt.objects.get(job=job)
    found = (attempt.pull_seconds, attempt.launch_seconds, attempt.run_seconds)
    return tuple(None if seconds is None else round(seconds) for seconds in found)


def test_the_time_in_the_queue_is_kept() -> None:
    job = ContainerJobFactory.create(queued_at=timezone.now() - timedelta(seconds=7))
    assert lifecycle.claim(job, uuid7())
    assert 7 <= (Attempt.objects.get(job=job).queued_seconds or 0) < 8


def test_the_phases_of_an_attempt_follow_each_other() -> None:
    job, now = launching(seconds=30), timezone.now()
    lifecycle.start(job.pk, fence=job.fence, timeout_seconds=60, pull_seconds=20.0)
    assert phases(job) == (20, 10, None)
    told = Outcome(JobState.SUCCEEDED, Reason.COMPLETED, started_at=now - timedelta(seconds=5), finished_at=now)
    lifecycle.end(job.pk, told)
    assert phases(job) == (20, 5, 5)


def test_an_attempt_that_never_started_has_no_run() -> None:
    job = launching(seconds=30)
    lifecycle.end(job.pk, Outcome(JobState.FAILED, Reason.LAUNCH_ERROR, pull_seconds=20.0))
    assert phases(job) == (20, 10, None)


def test_clocks_that_differ_make_no_phase_negative() -> None:
    job, ahead = launching(seconds=0), timezone.now() - timedelta(seconds=60)
    lifecycle.start(job.pk, fence=job.fence, timeout_seconds=60)
    lifecycle.end(job.pk, Outcome(JobState.SUCCEEDED, Reason.COMPLETED, started_at=ahead, finished_at=ahead))
    assert phases(job) == (None, 0, 0)


def test_what_an_attempt_used_is_kept_when_it_is_retried() -> None:
    job = job_in(JobState.RUNNING)
    lost = Outcome(JobState.FAILED, Reason.ENGINE_LOST, usage={"peak_memory_bytes": 4096, "cpu_user_seconds": None})
    lifecycle.retry(job.pk, lost, fence=job.fence, not_before=timezone.now())
    attempt = Attempt.objects.get(job=job)
    assert (attempt.peak_memory_bytes, attempt.cpu_user_seconds) == (4096, None)


def test_the_time_of_the_cleanup_is_kept() -> None:
    attempt = AttemptFactory.create(job__ended=True, finished_at=timezone.now())
    lifecycle.attempt_cleaned(attempt.job.pk, 1, 0.25)
    attempt.refresh_from_db()
    assert attempt.cleanup_seconds == 0.25


def test_the_begin_of_a_pull_is_noted_once_and_only_while_the_job_is_launching() -> None:
    attempt = AttemptFactory.create(job__state="launching")
    job = attempt.job

    lifecycle.pulls(job.pk, fence=job.fence + 1)
    attempt.refresh_from_db()
    assert attempt.pulling_at is None
    lifecycle.pulls(job.pk, fence=job.fence)
    attempt.refresh_from_db()
    first = attempt.pulling_at
    assert first is not None
    lifecycle.pulls(job.pk, fence=job.fence)
    attempt.refresh_from_db()
    assert attempt.pulling_at == first
    job.refresh_from_db()
    assert job.version == attempt.job.version
    assert not job.events.exists()


def test_a_pull_of_a_job_that_runs_is_not_noted() -> None:
    attempt = AttemptFactory.create()

    lifecycle.pulls(attempt.job.pk, fence=attempt.job.fence)

    attempt.refresh_from_db()
    assert attempt.pulling_at is None


def test_the_way_that_a_launch_took_is_kept_with_the_attempt_and_counted_once() -> None:
    attempt = AttemptFactory.create(job__state="launching")
    for _ in range(2):
        lifecycle.start(
            attempt.job.pk, fence=0, timeout_seconds=1, path=LaunchPath.COLD, path_detail="the pool is empty"
        )

    attempt.refresh_from_db()
    assert (attempt.launch_path, attempt.launch_path_detail) == ("cold", "the pool is empty")
    assert tallies.launches("mock")[LaunchPath.COLD] == 1

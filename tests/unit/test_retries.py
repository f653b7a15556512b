"""Which ends are tried again, and when."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pydantic import ValidationError

from container_manager import lifecycle
from container_manager.dispatcher.outcome import backoff, may_retry
from container_manager.lifecycle import Outcome
from container_manager.models import Job
from container_manager.spec import JobRequest
from container_manager.states import RETRYABLE, JobState, Reason
from tests.factories import AttemptFactory, ContainerJobFactory


def job_that_asks(**request: object) -> Job:
    return ContainerJobFactory.build(active=True, max_retries=2, request={"command": ["x"], **request})


def retried(job: Job) -> set[Reason]:
    return {reason for reason in Reason if may_retry(job, Outcome(JobState.FAILED, reason))}


def test_without_a_policy_only_faults_of_the_engine_are_retried() -> None:
    assert retried(job_that_asks()) == RETRYABLE


def test_a_policy_names_what_is_retried_and_nothing_else_is() -> None:
    assert retried(job_that_asks(retry_on=["exit_nonzero", "oom"])) == {Reason.EXIT_NONZERO, Reason.OOM}
    assert retried(job_that_asks(retry_on=[])) == set()


@pytest.mark.parametrize("reason", ["cancelled", "completed", "policy_denied", "queue_timeout", "nonsense"])
def test_what_cannot_be_retried_cannot_be_asked_for(reason: str) -> None:
    with pytest.raises(ValidationError, match="retry_on"):
        JobRequest.model_validate({"command": ["x"], "retry_on": [reason]})


def test_the_backoff_is_the_jobs_own_and_capped() -> None:
    now = timezone.now()
    job = job_that_asks(retry_backoff_seconds=10, retry_backoff_cap_seconds=15)
    waits = []
    for job.attempt in (1, 2, 100):
        waits.append((backoff(job, now) - now).total_seconds())

    assert 5 <= waits[0] <= 10
    assert all(7.5 <= wait <= 15 for wait in waits[1:])


@pytest.mark.django_db
def test_an_attempt_after_one_that_timed_out_has_not_timed_out() -> None:
    job = AttemptFactory.create().job
    Job.objects.update(timed_out_at=timezone.now())

    outcome = Outcome(JobState.FAILED, Reason.TIMEOUT, {"timeout_seconds": 1})
    assert lifecycle.retry(job.pk, outcome, fence=0, not_before=timezone.now())

    assert Job.objects.get().timed_out_at is None
    assert job.attempts.get().reason == "timeout"


@pytest.mark.django_db
def test_each_wait_for_a_launch_has_the_whole_queue_timeout() -> None:
    long_ago, soon = timezone.now() - timedelta(hours=1), timezone.now() + timedelta(seconds=5)
    request = {"command": ["x"], "queue_timeout_seconds": 60}
    job = AttemptFactory.create(job__request=request, job__queue_deadline=long_ago).job

    assert lifecycle.retry(job.pk, Outcome(JobState.FAILED, Reason.ENGINE_LOST), fence=0, not_before=soon)

    assert Job.objects.get().queue_deadline == soon + timedelta(seconds=60)

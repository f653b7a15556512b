"""The door into the domain: accept, find, list, cancel, clean up."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from container_manager import jobs, lifecycle
from container_manager.bell import CONTROL_TOPIC, bell, queue_topic
from container_manager.exceptions import (
    IdempotencyInProgress,
    IdempotencyMismatch,
    IllegalTransition,
    InvalidIdempotencyKey,
    InvalidJob,
    QueueFull,
    UnknownExecutor,
    UnknownJob,
)
from container_manager.identifiers import uuid7
from container_manager.jobs import Launched
from container_manager.ledger import DatabaseLedger
from container_manager.models import IdempotencyKey, Job, JobLabel
from container_manager.resources import Limits, Resources
from container_manager.spec import JobRequest
from container_manager.states import JobState, Reason
from tests.factories import AttemptFactory, ContainerJobFactory
from tests.listening import listening_bell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet_bell() -> Iterator[None]:
    yield
    bell.close()


def launch(request: dict[str, Any] | None = None, **options: Any) -> Launched:
    body = JobRequest.model_validate(request or {"command": ["true"]})
    return jobs.launch(
        options.pop("executor", "mock"), body, namespace=options.pop("namespace", "default"),
        describe=lambda job: {"id": str(job.pk)}, **options,
    )  # fmt: skip


def test_an_accepted_job_is_queued_with_the_defaults_of_its_executor() -> None:
    job = launch({"command": ["true"], "labels": {"team": "a"}}).job

    stored = Job.objects.get()
    assert stored.pk == job.pk
    assert (stored.state, stored.version, stored.attempt) == ("queued", 1, 0)
    assert (stored.memory_mib, stored.cpu_millis, stored.timeout_seconds, stored.max_retries) == (256, 1000, 300, 3)
    assert stored.request == {"command": ["true"], "labels": {"team": "a"}}
    assert stored.events.get().state == "queued"
    assert JobLabel.objects.get().value == "a"


def test_what_is_asked_wins_over_the_defaults_even_when_it_is_nothing() -> None:
    job = launch({"command": ["true"], "max_retries": 0, "grace_seconds": 0, "memory_mib": 7, "cpu_cores": 0.25}).job

    assert (job.max_retries, job.grace_seconds, job.memory_mib, job.cpu_millis) == (0, 0, 7, 250)


def test_an_unknown_executor_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownExecutor, match=r"'moock'.*mock"):
        launch(executor="moock")


def test_every_field_that_cannot_be_is_told_at_once() -> None:
    DatabaseLedger("mock").set_total(Limits(total_memory=100, total_cpu=2))

    with pytest.raises(InvalidJob) as caught:
        launch({"command": ["true"], "memory_mib": 101, "cpu_cores": 2.5, "stdin": "x"})

    assert {error.field for error in caught.value.errors} == {"stdin", "memory_mib", "cpu_cores"}
    assert "at most 100 MiB" in str(caught.value)
    assert not Job.objects.exists()


def test_what_is_set_aside_beside_all_jobs_is_room_that_no_job_can_have() -> None:
    ledger = DatabaseLedger("mock")
    ledger.set_total(Limits(total_memory=100, total_cpu=2))
    ledger.set_aside(16, Limits())

    with pytest.raises(InvalidJob, match="at most 84 MiB"):
        launch({"command": ["true"], "memory_mib": 85})
    assert launch({"command": ["true"], "memory_mib": 84}).job.memory_mib == 84


def test_a_full_queue_refuses_and_keeps_what_it_has(settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"max_queued": 2})
    launch(), launch()

    with pytest.raises(QueueFull, match="2 jobs wait"):
        launch()

    assert Job.objects.count() == 2


def test_a_launch_rings_for_the_dispatcher_once_it_is_committed(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with listening_bell(), bell.listening(queue_topic("mock")) as rung:
        with django_capture_on_commit_callbacks(execute=True):
            launch()
            assert not rung.is_set()
        assert rung.is_set()


def test_the_same_key_and_request_is_the_first_answer() -> None:
    first = launch(idempotency_key="k")
    again = launch(idempotency_key="k")

    assert (first.replayed, again.replayed) == (False, True)
    assert again.document == first.document
    assert Job.objects.count() == 1


def test_the_same_key_with_another_request_is_refused() -> None:
    launch(idempotency_key="k")

    with pytest.raises(IdempotencyMismatch, match="'k'"):
        launch({"command": ["false"]}, idempotency_key="k")


def test_a_key_belongs_to_its_namespace() -> None:
    launch(idempotency_key="k")
    launch(idempotency_key="k", namespace="other")

    assert Job.objects.count() == 2


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\n"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(InvalidIdempotencyKey, match="1 to 255"):
        launch(idempotency_key=key)


def test_a_replay_is_the_first_answer_also_when_the_config_would_refuse_it_now(settings: Any) -> None:
    first = launch({"command": ["true"], "memory_mib": 100}, idempotency_key="k")
    settings.EXECUTORS = {"mock": {**settings.EXECUTORS["mock"], "OPTIONS": {"max_memory": 50.0}}}

    assert launch({"command": ["true"], "memory_mib": 100}, idempotency_key="k").document == first.document


def test_a_refused_launch_does_not_use_up_its_key() -> None:
    with pytest.raises(InvalidJob):
        launch({"command": ["true"], "stdin": "x"}, idempotency_key="k")

    assert not launch(idempotency_key="k").replayed


@pytest.mark.django_db(transaction=True)
def test_parallel_launches_with_one_key_make_one_job() -> None:
    results: list[object] = []
    start = threading.Barrier(20)

    def run() -> None:
        start.wait()
        try:
            results.append(launch(idempotency_key="k").document["id"])
        except IdempotencyInProgress as error:
            results.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 20
    assert set(results) - {"idempotency_in_progress"} == {str(Job.objects.get().pk)}
    assert IdempotencyKey.objects.count() == 1


def test_a_job_of_another_namespace_or_executor_is_unknown() -> None:
    job = ContainerJobFactory.create()

    assert jobs.get(job.pk, namespace="default", executor="mock") == job
    for where in ({"namespace": "other"}, {"namespace": "default", "executor": "docker"}):
        with pytest.raises(UnknownJob, match=str(job.pk)):
            jobs.get(job.pk, **where)
    with pytest.raises(UnknownJob):
        jobs.get(uuid7(), namespace="default")


def test_events_are_in_order_and_can_be_gone_on_from() -> None:
    job = launch().job
    jobs.cancel(job)

    assert [event.seq for event in jobs.events(job)] == [1, 2, 3]
    assert [event.type for event in jobs.events(job, after=1)] == ["state", "cleaned"]
    assert len(jobs.events(job, limit=1)) == 1


def test_a_queued_job_is_cancelled_at_once_and_twice_is_once() -> None:
    job = launch().job

    assert jobs.cancel(job).state == "cancelled"
    version = jobs.cancel(job).version

    assert Job.objects.get().version == version


def test_the_cancel_of_a_running_job_is_asked_for_once_and_rings(django_capture_on_commit_callbacks: Any) -> None:
    job = AttemptFactory.create().job
    with bell.listening(CONTROL_TOPIC) as rung, django_capture_on_commit_callbacks(execute=True):
        jobs.cancel(job)
        asked = jobs.cancel(job).cancel_requested_at

    assert rung.is_set()
    assert asked is not None
    assert job.events.filter(type="cancel_requested").count() == 1


def test_a_job_that_has_ended_cannot_be_cancelled() -> None:
    job = ContainerJobFactory.create(ended=True)

    with pytest.raises(IllegalTransition, match="already succeeded"):
        jobs.cancel(job)


def test_a_cleanup_cancels_what_runs_and_leaves_an_ended_job_as_it_is() -> None:
    running, ended = AttemptFactory.create().job, ContainerJobFactory.create(ended=True)

    assert jobs.cleanup(running).cancel_requested_at is not None
    assert jobs.cleanup(ended).state == "succeeded"


def test_a_cleanup_that_meets_the_end_is_success() -> None:
    job = AttemptFactory.create().job
    stale = Job.objects.get()
    lifecycle.end(job.pk, lifecycle.Outcome(JobState.SUCCEEDED, Reason.COMPLETED))

    assert jobs.cleanup(stale).state == "succeeded"


def test_a_waiting_job_says_why_with_figures() -> None:
    DatabaseLedger("mock").set_total(Limits(total_memory=300, total_cpu=None))
    first, second = launch().job, launch().job
    DatabaseLedger("mock").reserve(str(first.pk), Resources(256, 1), Limits())

    assert jobs.waiting(second) == {
        "code": "capacity",
        "detail": "the executor has no room for it now",
        "position": 2,
        "memory_mib": {"asked": 256, "free": 44},
    }


def test_a_waiting_job_knows_its_position_and_what_it_waits_for() -> None:
    first, second = launch().job, launch().job
    urgent = launch({"command": ["true"], "priority": 5}).job
    held = ContainerJobFactory.create(not_before=timezone.now() + timedelta(minutes=1))

    def why(job: Job) -> tuple[str, int]:
        answer = jobs.waiting(job) or {}
        return answer["code"], answer["position"]

    assert why(urgent) == ("executor", 1)
    assert why(first) == ("queue", 2)
    assert why(second) == ("queue", 3)
    assert why(held)[0] == "backoff"
    assert jobs.waiting(ContainerJobFactory.build(active=True)) is None

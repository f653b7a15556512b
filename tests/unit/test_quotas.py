"""What an operator sets for a namespace, and what a launch is told of it."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from container_manager import jobs, lifecycle, namespaces
from container_manager.exceptions import InvalidJob, QueueFull
from container_manager.ledger import DatabaseLedger
from container_manager.models import Job, Namespace
from container_manager.resources import Limits, Resources
from container_manager.spec import JobRequest
from container_manager.states import JobState, Reason
from tests.factories import ContainerJobFactory
from tests.unit.test_ledger import in_threads


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("namespace", *arguments, stdout=out)
    return out.getvalue()


def launch(**request: Any) -> Job:
    body = JobRequest.model_validate({"command": ["x"], **request})
    return jobs.launch("mock", body, namespace="a", describe=lambda job: {}).job


@pytest.mark.django_db
def test_quotas_are_set_listed_and_lifted() -> None:
    command("set", "a", "--max-jobs", "3", "--max-cpu-cores", "2.5", "--max-queued", "10")
    command("set", "a", "--max-memory-mib", "512", "--max-jobs", "none")

    assert command("list") == "a  jobs 0/unlimited  memory_mib 0/512  cpu_cores 0/2.5  queued at most 10\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a", "--max-jobs", "0"], "'0' is neither a whole number"),
        (["a", "--max-cpu-cores", "0.0"], "neither a number of cores"),
        (["A b"], "lower-case letters"),
    ],
)
def test_a_wrong_quota_is_one_line(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        command("set", *arguments)


@pytest.mark.django_db
def test_what_is_over_the_quota_itself_is_refused_with_the_numbers() -> None:
    namespaces.set_quotas("a", max_memory_mib=100, max_cpu_millis=500)

    with pytest.raises(InvalidJob) as caught:
        launch(memory_mib=101, cpu_cores=0.6)

    assert [(error.field, error.detail) for error in caught.value.errors] == [
        ("memory_mib", "101 MiB is asked; the quota of the namespace is 100 MiB"),
        ("cpu_cores", "0.6 cores is asked; the quota of the namespace is 0.5 cores"),
    ]


@pytest.mark.django_db
def test_a_full_queue_of_a_namespace_is_its_own() -> None:
    namespaces.set_quotas("a", max_queued=1)
    waiting = launch()

    with pytest.raises(QueueFull, match="1 jobs of namespace 'a' wait"):
        launch()
    jobs.launch("mock", JobRequest(command=["x"]), namespace="b", describe=lambda job: {})
    jobs.cancel(waiting)
    launch()


@pytest.mark.django_db
def test_a_retry_is_never_refused_for_a_full_queue() -> None:
    job = ContainerJobFactory.create(namespace="a", active=True)
    namespaces.set_quotas("a", max_queued=1)
    launch()

    outcome = lifecycle.Outcome(JobState.FAILED, Reason.ENGINE_LOST)
    assert lifecycle.retry(job.pk, outcome, fence=0, not_before=job.created_at)


@pytest.mark.django_db(transaction=True)
def test_fifty_racing_for_ten_slots_of_an_executor_are_exactly_ten() -> None:
    ledger = DatabaseLedger("mock")
    racing = [str(ContainerJobFactory.create().pk) for _ in range(50)]

    won = in_threads([lambda job=job: ledger.reserve(job, Resources(1), Limits(total_jobs=10)) for job in racing])  # type: ignore[misc]

    assert (won.count(True), ledger.count()) == (10, 10)


@pytest.mark.django_db(transaction=True)
def test_jobs_racing_on_two_executors_for_a_quota_of_ten_are_exactly_ten() -> None:
    namespaces.set_quotas("default", max_jobs=10)
    racing = [ContainerJobFactory.create(executor=("mock", "other")[number % 2]) for number in range(30)]

    won = in_threads(
        [
            lambda job=job: DatabaseLedger(job.executor).reserve(str(job.pk), Resources(1), Limits())  # type: ignore[misc]
            for job in racing
        ]
    )

    assert (won.count(True), Namespace.objects.get().jobs_used) == (10, 10)
    assert sum(DatabaseLedger(name).count() for name in ("mock", "other")) == 10


@pytest.mark.django_db(transaction=True)
def test_launches_racing_for_the_last_place_in_a_namespaces_queue_are_one() -> None:
    namespaces.set_quotas("a", max_queued=1)

    assert in_threads([is_accepted] * 8).count(True) == 1


@pytest.mark.django_db(transaction=True)
def test_launches_racing_for_the_last_places_in_an_executors_queue_are_as_many(settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"max_queued": 2})

    assert in_threads([is_accepted] * 8).count(True) == 2


def is_accepted() -> bool:
    try:
        launch()
    except QueueFull:
        return False
    return True

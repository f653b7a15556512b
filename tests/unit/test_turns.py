"""Whose turn it is, claim by claim: priority, fair shares, age; nobody starves, and no quota holds back others."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from container_manager import jobs, lifecycle, namespaces, turns
from container_manager.dispatcher.claim import claim
from container_manager.executors.mock import MockExecutor
from container_manager.identifiers import uuid7
from container_manager.ledger import DatabaseLedger
from container_manager.lifecycle import Outcome
from container_manager.models import Capacity, Job, Share
from container_manager.spec import JobRequest
from container_manager.states import JobState, Reason
from tests.factories import ContainerJobFactory

pytestmark = pytest.mark.django_db

OWNER = uuid7()


def executor(**options: Any) -> MockExecutor:
    made = MockExecutor({"default_cpu": 0.1, **options}, name="mock", ledger=DatabaseLedger("mock"))
    DatabaseLedger("mock").set_total(made.limits)
    return made


def launch(namespace: str = "a", **request: Any) -> Job:
    body = JobRequest.model_validate({"command": ["x"], "cpu_cores": 0.1, "memory_mib": 1, **request})
    return jobs.launch("mock", body, namespace=namespace, describe=lambda job: {}).job


def end(job: Job) -> None:
    assert lifecycle.end(job.pk, Outcome(JobState.SUCCEEDED, Reason.COMPLETED))


def take(mock: MockExecutor, most: int = 1) -> list[Job]:
    return list(claim(mock, OWNER, most))


def names(claimed: list[Job]) -> str:
    return "".join(job.namespace for job in claimed)


def test_a_single_job_beside_a_flood_of_another_namespace_is_among_the_next() -> None:
    mock = executor(max_jobs=4)
    for _ in range(200):
        launch("a")
    assert names(take(mock, 4)) == "aaaa"
    single = launch("b")

    end(Job.objects.filter(state="launching").first() or single)

    assert [job.pk for job in take(mock)] == [single.pk]


def test_with_one_slot_namespaces_take_turns_though_one_has_older_jobs() -> None:
    mock = executor(max_jobs=1)
    for namespace in "aaabb":
        launch(namespace)

    order = ""
    while claimed := take(mock):
        order += names(claimed)
        end(claimed[0])

    assert order == "ababa"


def test_slots_are_shared_by_who_holds_the_fewest() -> None:
    mock = executor(max_jobs=6)
    for namespace in "aaaaaabbc":
        launch(namespace)

    assert sorted(names(take(mock, 6))) == list("aaabbc")


def test_priority_comes_before_fairness() -> None:
    mock = executor()
    launch("a", priority=1), launch("a", priority=1), launch("b")

    assert names(take(mock, 3)) == "aab"


def test_a_big_job_gets_its_turn_under_a_stream_of_small_ones() -> None:
    mock = executor(total_memory=100)
    running = [launch("b", memory_mib=50), launch("b", memory_mib=50)]
    assert len(take(mock, 2)) == 2
    big = launch("a", memory_mib=100)
    claimed: list[Job] = []
    for _ in range(2):
        launch("c", memory_mib=1), launch("b", memory_mib=1)
        end(running.pop())
        claimed += take(mock, 4)

    assert [job.pk for job in claimed] == [big.pk]


def test_a_namespace_that_runs_less_does_not_pass_a_job_whose_turn_has_come() -> None:
    mock = executor(total_memory=100)
    launch("a", memory_mib=10)
    assert names(take(mock)) == "a"
    big = launch("a", memory_mib=100)
    assert take(mock) == []
    launch("b", memory_mib=10)

    assert take(mock) == []
    assert Capacity.objects.get().turn == big.pk


def test_an_urgent_job_passes_one_whose_turn_has_come() -> None:
    mock = executor(total_memory=100)
    launch("a", memory_mib=10)
    take(mock)
    launch("a", memory_mib=100)
    take(mock)
    urgent = launch("b", memory_mib=10, priority=1)

    assert [job.pk for job in take(mock)] == [urgent.pk]


def test_a_turn_of_a_job_that_is_cancelled_goes_to_the_next() -> None:
    mock = executor(total_memory=100)
    launch("a", memory_mib=10)
    take(mock)
    big = launch("a", memory_mib=100)
    take(mock)
    small = launch("b", memory_mib=10)
    jobs.cancel(big)

    assert [job.pk for job in take(mock)] == [small.pk]


def test_a_namespace_at_its_quota_does_not_hold_back_others() -> None:
    namespaces.set_quotas("a", max_jobs=1)
    mock = executor()
    first, second = launch("a"), launch("a")
    other = launch("b")

    assert {job.pk for job in take(mock, 5)} == {first.pk, other.pk}
    assert (jobs.waiting(second) or {})["code"] == "quota"
    end(first)
    assert [job.pk for job in take(mock)] == [second.pk]


def test_a_quota_counts_what_runs_on_every_executor() -> None:
    namespaces.set_quotas("a", max_memory_mib=100)
    elsewhere = ContainerJobFactory.create(namespace="a", executor="other")
    MockExecutor({}, name="other", ledger=DatabaseLedger("other")).allocate_resources(str(elsewhere.pk), {"memory": 60})
    held_back = launch("a", memory_mib=50)

    assert take(executor()) == []
    assert (jobs.waiting(held_back) or {})["memory_mib"] == {"asked": 50, "free": 40}


def test_a_job_that_waits_for_a_slot_says_so() -> None:
    mock = executor(max_jobs=1)
    launch("a"), take(mock)

    assert jobs.waiting(launch("a")) == {
        "code": "capacity",
        "detail": "the executor has no room for it now",
        "position": 1,
        "jobs": {"asked": 1, "free": 0},
    }


def test_positions_are_the_order_in_which_jobs_are_claimed() -> None:
    mock = executor()
    waiting = [launch("a"), launch("a"), launch("a", priority=1), launch("a"), launch("b"), launch("b"), launch("c")]

    promised = sorted(waiting, key=lambda job: turns.position(job) or 0)

    assert sorted(turns.position(job) or 0 for job in waiting) == list(range(1, 8))
    assert [job.pk for job in take(mock, 7)] == [job.pk for job in promised]


def queue_up(count: int) -> None:
    now = timezone.now()
    Share.objects.bulk_create(Share(executor="mock", namespace=f"n{number}") for number in range(100))
    limits = {"memory_mib": 1, "cpu_millis": 1, "timeout_seconds": 1, "grace_seconds": 1, "max_retries": 0}
    rows = ({"namespace": f"n{number % 100}", "priority": number % 3} for number in range(count))
    Job.objects.bulk_create(
        Job(executor="mock", request={"command": ["x"]}, created_at=now, queued_at=now, **limits, **row) for row in rows
    )


@pytest.mark.parametrize("count", [100, 10_000])
def test_a_claim_costs_the_same_few_queries_however_long_the_queue_is(count: int) -> None:
    queue_up(count)
    mock = executor()
    take(mock)

    with CaptureQueriesContext(connection) as queries:
        assert len(take(mock)) == 1

    statements = [query for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 25


def test_a_job_that_is_taken_while_it_is_asked_about_waits_for_nothing() -> None:
    job = ContainerJobFactory.create()
    Job.objects.filter(pk=job.pk).update(state="cancelled", reason="cancelled", finished_at=timezone.now())

    assert turns.why(job) is None


def test_a_job_that_no_longer_can_fit_ends_with_the_numbers_and_holds_back_nobody() -> None:
    big, small = launch(memory_mib=300, cpu_cores=3), launch(memory_mib=10)
    mock = executor(total_memory=100, max_cpu=2)

    assert [job.pk for job in take(mock, 2)] == [small.pk]
    big = Job.objects.get(pk=big.pk)
    assert (big.state, big.reason, big.attempt) == ("failed", "policy_denied", 0)
    memory, cpu = "300 MiB is asked; at most 100 MiB is allowed", "3 cores is asked; at most 2 cores is allowed"
    assert big.evidence == {"error": f"memory_mib: {memory}; cpu_cores: {cpu}"}

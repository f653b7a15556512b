"""The books in the database: reserved once, released once, never over the total."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections

from container_manager.exceptions import InvalidResources
from container_manager.executors.mock import MockExecutor
from container_manager.ledger import DatabaseLedger
from container_manager.models import Allocation, Capacity
from container_manager.resources import InMemoryLedger, Ledger, Limits, Resources
from tests.factories import ContainerJobFactory

TEN = Limits(total_memory=640, total_cpu=5)
WANTED = Resources(64, 0.5)


def job_id() -> str:
    return str(ContainerJobFactory.create().pk)


@pytest.mark.django_db
def test_a_reservation_is_held_and_released_once() -> None:
    ledger, job = DatabaseLedger("mock"), job_id()

    assert ledger.reserve(job, WANTED, TEN)
    assert ledger.held_by(job) == WANTED
    assert ledger.used() == WANTED
    assert ledger.release(job)
    assert not ledger.release(job)
    assert ledger.used() == Resources()
    assert ledger.held_by(job) is None


@pytest.mark.django_db
def test_the_same_reservation_again_counts_once_and_another_amount_is_refused() -> None:
    ledger, job = DatabaseLedger("mock"), job_id()

    assert ledger.reserve(job, WANTED, TEN)
    assert ledger.reserve(job, WANTED, TEN)
    assert not ledger.reserve(job, Resources(65, 0.5), TEN)
    assert ledger.used() == WANTED


@pytest.mark.django_db
@pytest.mark.parametrize(
    "limits", [Limits(max_memory=63), Limits(total_memory=63), Limits(max_cpu=0.4), Limits(total_cpu=0.4)]
)
def test_what_is_over_a_limit_is_refused_and_leaves_no_trace(limits: Limits) -> None:
    ledger, job = DatabaseLedger("mock"), job_id()

    assert not ledger.reserve(job, WANTED, limits)
    assert ledger.used() == Resources()
    assert not Allocation.objects.exists()


@pytest.mark.django_db
def test_fractions_of_a_core_add_up_to_exactly_nothing() -> None:
    ledger = DatabaseLedger("mock")
    jobs = [job_id() for _ in range(10)]
    for job in jobs:
        assert ledger.reserve(job, Resources(1, 0.1), TEN)

    assert ledger.used().cpu == 1.0
    for job in jobs:
        ledger.release(job)
    assert Capacity.objects.get().cpu_millis_used == 0


@pytest.mark.django_db
def test_executors_have_books_of_their_own() -> None:
    DatabaseLedger("mock").reserve(job_id(), WANTED, TEN)

    assert DatabaseLedger("docker").used() == Resources()


@pytest.mark.django_db
def test_an_executor_with_the_ledger_of_the_database_keeps_its_contract() -> None:
    executor = MockExecutor({"total_memory": 128}, ledger=DatabaseLedger("mock"))
    first, second = job_id(), job_id()

    assert executor.allocate_resources(first, {"memory": 100, "cpu": 1})
    assert not executor.can_allocate_resources({"memory": 100, "cpu": 1})
    assert not executor.allocate_resources(second, {"memory": 100, "cpu": 1})
    assert executor.get_resource_utilization()["memory_percent"] == 78.125
    with pytest.raises(InvalidResources, match="memory"):
        executor.allocate_resources(second, {"memory": -1})
    assert executor.cleanup_resources(first)


def in_threads(tasks: list[Callable[[], object]]) -> list[object]:
    results: list[object] = []
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        start.wait()
        try:
            results.append(task())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_fifty_racing_for_ten_places_are_exactly_ten() -> None:
    ledger = DatabaseLedger("mock")
    jobs = [job_id() for _ in range(50)]

    won = in_threads([lambda job=job: ledger.reserve(job, WANTED, TEN) for job in jobs])  # type: ignore[misc]

    assert won.count(True) == 10
    assert ledger.used() == Resources(640, 5)
    assert Allocation.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_release_that_races_itself_gives_back_once() -> None:
    ledger, job = DatabaseLedger("mock"), job_id()
    ledger.reserve(job, WANTED, TEN)
    ledger.reserve(job_id(), WANTED, TEN)

    released = in_threads([lambda: ledger.release(job)] * 8)

    assert released.count(True) == 1
    assert ledger.used() == WANTED


# What is set aside


@pytest.mark.django_db
@pytest.mark.parametrize("make", [lambda: DatabaseLedger("mock"), InMemoryLedger])
def test_what_is_set_aside_counts_once_and_takes_the_place_of_what_was_before(make: Callable[[], Ledger]) -> None:
    ledger, job = make(), job_id()
    ledger.reserve(job, WANTED, TEN)

    assert ledger.set_aside(16, TEN)
    assert ledger.set_aside(16, TEN)
    assert (ledger.used(), ledger.count()) == (Resources(80, 0.5), 1)
    assert ledger.set_aside(8, TEN)
    assert ledger.release(job)
    assert ledger.used() == Resources(8, 0)
    assert ledger.set_aside(0, TEN)
    assert ledger.used() == Resources()


@pytest.mark.django_db
@pytest.mark.parametrize("make", [lambda: DatabaseLedger("mock"), InMemoryLedger])
def test_what_has_no_room_is_not_set_aside_and_less_always_is(make: Callable[[], Ledger]) -> None:
    ledger, small = make(), Limits(total_memory=100)
    assert ledger.set_aside(30, small)
    assert ledger.reserve(job_id(), WANTED, small)

    assert not ledger.set_aside(37, small)
    assert ledger.used() == Resources(94, 0.5)
    assert ledger.set_aside(36, small)
    assert not ledger.reserve(job_id(), Resources(1, 0), small)
    assert ledger.set_aside(20, Limits(total_memory=10))


@pytest.mark.django_db(transaction=True)
def test_processes_that_set_the_same_aside_at_once_count_it_once() -> None:
    ledger = DatabaseLedger("mock")

    assert all(in_threads([lambda: DatabaseLedger("mock").set_aside(16, TEN)] * 8))
    assert ledger.used() == Resources(16, 0)

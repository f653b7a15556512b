import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container_manager.exceptions import InvalidResources
from container_manager.resources import InMemoryLedger, Limits, Resources
from tests.unit.bare import BareExecutor

ONE = {"memory": 100, "cpu": 1.0}


@pytest.fixture
def executor() -> BareExecutor:
    return BareExecutor({"max_memory": 200, "max_cpu": 2, "total_memory": 300, "total_cpu": 3})


def test_fifty_threads_racing_for_ten_slots_get_exactly_ten() -> None:
    executor, start = BareExecutor({"total_memory": 1000, "total_cpu": 10}), threading.Barrier(50)

    def race(number: int) -> bool:
        start.wait(10)
        return executor.allocate_resources(f"job-{number}", ONE)

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(race, range(50))) == 10
    assert executor.get_resource_utilization()["memory_used"] == 1000


def test_the_same_job_and_amount_counts_once(executor: BareExecutor) -> None:
    assert executor.allocate_resources("a", ONE)
    assert executor.allocate_resources("a", ONE)
    assert executor.get_resource_utilization()["cpu_used"] == 1.0


def test_the_same_job_with_another_amount_is_refused(executor: BareExecutor) -> None:
    executor.allocate_resources("a", ONE)
    assert not executor.allocate_resources("a", {"memory": 50})
    assert executor.get_allocated_resources("a") == ONE


@pytest.mark.parametrize("wanted", [{"memory": 201}, {"cpu": 2.5}])
def test_one_job_may_not_ask_for_more_than_the_maximum(executor: BareExecutor, wanted: dict[str, float]) -> None:
    assert not executor.can_allocate_resources(wanted)
    assert not executor.allocate_resources("a", wanted)
    assert executor.get_allocated_resources("a") is None


def test_all_jobs_together_stay_within_the_total(executor: BareExecutor) -> None:
    assert executor.allocate_resources("a", {"memory": 200})
    assert not executor.allocate_resources("b", {"memory": 200})
    assert executor.cleanup_resources("a")
    assert executor.allocate_resources("b", {"memory": 200})


def test_what_fits_exactly_is_allowed(executor: BareExecutor) -> None:
    executor.allocate_resources("a", {"memory": 200, "cpu": 2})
    assert executor.allocate_resources("b", {"memory": 100, "cpu": 1})
    assert executor.get_resource_utilization() == {
        "memory_used": 300, "memory_total": 300, "memory_percent": 100,
        "cpu_used": 3, "cpu_total": 3, "cpu_percent": 100,
        "jobs_used": 2, "jobs_total": None, "jobs_percent": None,
    }  # fmt: skip


def test_without_limits_everything_fits_and_no_percentage_is_made_up() -> None:
    executor = BareExecutor()
    assert executor.can_allocate_resources({"memory": 1e12, "cpu": 1e6})
    assert executor.get_resource_utilization()["memory_percent"] is None


def test_giving_back_what_is_not_held_is_false(executor: BareExecutor) -> None:
    assert not executor.cleanup_resources("nobody")


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"gpu": 1}, "'gpu' is unknown"),
        ({"memory": -1}, "memory is -1"),
        ({"cpu": "2"}, "cpu is '2'"),
        ({"cpu": True}, "cpu is True"),
        ({"memory": float("nan")}, "memory is nan"),
        ({"memory": float("inf")}, "memory is inf"),
    ],
)
def test_wrong_amounts_are_refused_by_name(executor: BareExecutor, wanted: dict[str, float], named: str) -> None:
    with pytest.raises(InvalidResources, match=named):
        executor.allocate_resources("a", wanted)
    with pytest.raises(ValueError, match=named):
        executor.can_allocate_resources(wanted)


@given(st.lists(st.floats(0.001, 64), min_size=1, max_size=30))
def test_when_all_is_given_back_exactly_nothing_is_used(amounts: list[float]) -> None:
    ledger = InMemoryLedger()
    for number, cpu in enumerate(amounts):
        assert ledger.reserve(str(number), Resources(cpu=cpu), Limits())
    for number in range(len(amounts)):
        assert ledger.release(str(number))
    assert ledger.used() == Resources(0, 0)

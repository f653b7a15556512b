"""The thread that keeps ready what launches use."""

import threading
from collections.abc import Callable, Iterator

import pytest

from container_manager.exceptions import EngineUnavailable
from container_manager.executors.docker_engine import upkeep
from container_manager.executors.docker_engine.upkeep import Pool, Upkeep
from tests.engine import DEADLINE, until


class Counted:
    """A pool that has so many things to make."""

    def __init__(self, missing: int = 0) -> None:
        self.missing = missing
        self.steps = self.emptied = 0
        self.before_step: Callable[[], object] = lambda: None

    def step(self) -> bool:
        self.steps += 1
        self.before_step()
        self.missing = max(self.missing - 1, 0)
        return self.missing > 0

    def empty(self) -> None:
        self.emptied += 1


@pytest.fixture
def begun() -> Iterator[Callable[..., Upkeep]]:
    made: list[Upkeep] = []

    def begin(*pools: Pool) -> Upkeep:
        made.append(Upkeep("docker", pools))
        made[-1].start()
        return made[-1]

    yield begin
    for each in made:
        each.close()


def refuse() -> None:
    raise EngineUnavailable("no engine answers")


def break_down() -> None:
    raise RuntimeError("a fault of our own")


def test_every_pool_is_filled(begun: Callable[..., Upkeep]) -> None:
    pools = Counted(3), Counted(5)
    begun(*pools)
    until(lambda: not any(pool.missing for pool in pools), "the end of what was missing")


def test_a_full_pool_is_left_alone_until_it_is_woken(begun: Callable[..., Upkeep]) -> None:
    pool = Counted()
    kept = begun(pool)
    until(lambda: pool.steps == 1, "the first look")
    pool.missing = 2
    kept.wake()
    until(lambda: pool.missing == 0, "the end of what was missing")


def test_no_step_begins_while_a_launch_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PATIENCE_SECONDS", DEADLINE)
    pool, launched = Counted(1), threading.Event()
    begun_early: list[bool] = []
    pool.before_step = lambda: begun_early.append(not launched.is_set())
    kept = Upkeep("docker", [pool])
    with kept.launching():
        kept.start()
        launched.set()
    until(lambda: pool.missing == 0, "the end of what was missing")
    kept.close()
    assert not any(begun_early)


def test_launches_without_end_do_not_keep_a_pool_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PATIENCE_SECONDS", 0.01)
    pool = Counted(2)
    kept = Upkeep("docker", [pool])
    with kept.launching():
        kept.start()
        until(lambda: pool.missing == 0, "the end of what was missing")
    kept.close()


@pytest.mark.parametrize("fault", [refuse, break_down])
def test_a_pool_that_fails_holds_up_no_other_and_is_tried_again(
    begun: Callable[..., Upkeep], monkeypatch: pytest.MonkeyPatch, fault: Callable[[], None]
) -> None:
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0.01)
    failing, well = Counted(2), Counted(2)
    failing.before_step = fault
    begun(failing, well)
    until(lambda: well.missing == 0 and failing.steps > 2, "the other pool")
    failing.before_step = lambda: None
    until(lambda: failing.missing == 0, "the end of the outage")


def test_a_failure_is_told_once_and_not_again_at_each_try(
    begun: Callable[..., Upkeep], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0.01)
    pool = Counted(1)
    pool.before_step = refuse
    begun(pool)
    until(lambda: pool.steps > 3, "more tries")
    assert [record.message for record in caplog.records] == ["upkeep fails"]


def test_what_is_closed_ends_its_thread_and_empties_its_pools_once() -> None:
    pool = Counted()
    kept = Upkeep("docker", [pool])
    kept.start()
    kept.start()
    for _ in range(2):
        kept.close()
    assert pool.emptied == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "upkeep docker"]


def test_what_was_never_started_removes_nothing() -> None:
    pool = Counted()
    Upkeep("docker", [pool]).close()
    assert pool.emptied == 0

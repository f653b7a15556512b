"""What the base does for an executor that answers only the five."""

import threading

import pytest

from container_manager.executors import base
from container_manager.executors.results import Execution, LogFrame, Logs
from container_manager.resources import Resources
from container_manager.states import ExecutionStatus
from tests.unit.bare import BareExecutor


class StepByStep(BareExecutor):
    """Runs for two looks, then has ended."""

    looks = 0

    def check_status(self, execution_id: str) -> str:
        self.looks += 1
        return "running" if self.looks < 3 else "exited"

    def get_logs(self, execution_id: str) -> str:
        return Logs("out", "err")  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def _quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "POLL_SECONDS", 0.001)


def test_inspect_tells_the_status() -> None:
    assert BareExecutor().inspect("one") == Execution(ExecutionStatus.RUNNING)


def test_the_watch_stands_and_then_tells_who_ended() -> None:
    stop = threading.Event()
    watch = StepByStep().watch(lambda: ["one"], stop)
    assert [next(watch), next(watch)] == [None, "one"]
    stop.set()
    assert list(watch) == []


def test_the_watch_tells_what_is_gone() -> None:
    executor = BareExecutor()
    executor.status = "not-found"
    watch = executor.watch(lambda: ["one"], threading.Event())
    assert [next(watch), next(watch)] == [None, "one"]


def test_logs_are_followed_to_the_end_and_apart() -> None:
    frames = list(StepByStep().follow_logs("one", threading.Event()))
    assert frames == [LogFrame("stdout", b"out", None), LogFrame("stderr", b"err", None)]


def test_following_logs_that_are_plain_text_gives_stdout() -> None:
    executor = BareExecutor()
    executor.status, executor.logs = "exited", "all"
    assert list(executor.follow_logs("one", threading.Event())) == [LogFrame("stdout", b"all", None)]


def test_following_stops_when_asked() -> None:
    stop = threading.Event()
    stop.set()
    assert list(BareExecutor().follow_logs("one", stop)) == []


def test_totals_that_the_config_leaves_open_are_learnt_from_the_engine() -> None:
    class Knows(BareExecutor):
        def capacity(self) -> Resources:
            return Resources(4096, 8)

    executor = Knows({"total_memory": 1024})
    executor.learn_capacity()
    assert (executor.total_memory, executor.total_cpu) == (1024, 8)
    executor = Knows({"total_cpu": 2})
    executor.learn_capacity()
    assert (executor.total_memory, executor.total_cpu) == (4096, 2)


def test_an_engine_that_says_nothing_of_its_size_sets_no_totals() -> None:
    executor = BareExecutor()
    executor.learn_capacity()
    assert (executor.total_memory, executor.total_cpu) == (None, None)

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_django import Settings

from container_manager.exceptions import InvalidConfig, UnknownExecutor
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.registry import executors
from container_manager.resources import InMemoryLedger
from tests.unit.bare import BareExecutor

BARE = "tests.unit.bare.BareExecutor"


class Closes(BareExecutor):
    closed = False

    def close(self) -> None:
        self.closed = True


class Incomplete(ContainerExecutor):
    def cleanup(self, execution_id: str) -> bool:
        return True


@pytest.fixture(autouse=True)
def _entries(settings: Settings) -> None:
    settings.EXECUTORS = {"a": {"BACKEND": BARE, "OPTIONS": {"timeout": 7}}, "b": {"BACKEND": f"{__name__}.Closes"}}


def test_the_registry_is_a_mapping_of_the_settings() -> None:
    assert (list(executors), len(executors), "a" in executors, "c" in executors) == (["a", "b"], 2, True, False)
    assert (executors["a"].name, executors["a"].timeout) == ("a", 7)


def test_all_threads_share_one_instance() -> None:
    start = threading.Barrier(20)

    def get(_: int) -> ContainerExecutor:
        start.wait(10)
        return executors["a"]

    with ThreadPoolExecutor(20) as pool:
        assert len({id(executor) for executor in pool.map(get, range(20))}) == 1


def test_an_unknown_executor_is_refused_with_the_registered_named() -> None:
    with pytest.raises(UnknownExecutor, match="'c' is not registered; registered are: a, b"):
        executors["c"]


def test_an_unknown_executor_among_none_is_refused(settings: Settings) -> None:
    settings.EXECUTORS = {}
    with pytest.raises(UnknownExecutor, match="registered are: none"):
        executors["a"]


def test_a_changed_setting_closes_the_old_and_makes_new_ones(settings: Settings) -> None:
    before: Any = executors["b"]
    settings.EXECUTORS = {"b": {"BACKEND": f"{__name__}.Closes"}}
    assert before.closed
    assert executors["b"] is not before


def test_another_setting_changes_nothing(settings: Settings) -> None:
    before = executors["a"]
    settings.TIME_ZONE = "UTC"
    assert executors["a"] is before


def test_an_executor_gets_the_ledger_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    ledgers = {"a": InMemoryLedger(), "b": InMemoryLedger()}
    monkeypatch.setattr(executors, "make_ledger", ledgers.__getitem__)
    assert (executors["a"].ledger, executors["b"].ledger) == (ledgers["a"], ledgers["b"])


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (BARE, "BACKEND is missing"),
        ({}, "BACKEND is missing"),
        ({"BACKEND": 3}, "BACKEND is missing"),
        ({"BACKEND": BARE, "OPTION": {}}, r"unknown keys \['OPTION'\]"),
        ({"BACKEND": BARE, "OPTIONS": []}, r"OPTIONS is \[\]"),
        ({"BACKEND": BARE, "OPTIONS": {"timeout": -1}}, "timeout is -1"),
        ({"BACKEND": "nowhere.Executor"}, "cannot be imported"),
        ({"BACKEND": "nodots"}, "cannot be imported"),
        ({"BACKEND": "tests.unit.bare.Missing"}, "cannot be imported"),
        ({"BACKEND": "container_manager.spec.JobSpec"}, "is not a ContainerExecutor"),
        ({"BACKEND": "container_manager.spec.execution_id"}, "is not a ContainerExecutor"),
        ({"BACKEND": f"{__name__}.Incomplete"}, "lacks check_status, get_logs, health_check, launch_job"),
    ],
)
def test_a_bad_entry_is_refused_with_what_is_wrong(settings: Settings, entry: Any, named: str) -> None:
    settings.EXECUTORS = {"bad": entry}
    with pytest.raises(InvalidConfig, match=f"executor 'bad': .*{named}"):
        executors["bad"]

from typing import Any

import pytest

from container_manager.exceptions import InvalidConfig, Unsupported
from container_manager.executors.config import ExecutorOptions
from container_manager.executors.mock import MockExecutor
from container_manager.spec import JobRequest
from tests.unit.bare import BareExecutor

WRONG: dict[str, list[Any]] = {
    "timeout": [0, -1, "5", True, float("nan"), float("inf"), []],
    "max_retries": [-1, 1.5, "3", True],
    "debug_mode": ["yes", 1, 0, "invalid"],
    "max_memory": [0, -1, "much"],
    "max_cpu": [0, -1, "much"],
    "total_memory": [0, -1, "much"],
    "total_cpu": [0, -1, "much"],
    "default_memory": [0, 1.5],
    "default_cpu": [0],
    "grace_seconds": [-1],
    "launch_concurrency": [0, 65],
    "failure_threshold": [0],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_with_key_and_value_named(key: str, value: object) -> None:
    with pytest.raises(InvalidConfig) as caught:
        BareExecutor({key: value})
    assert f"{key} is {value!r}: " in str(caught.value)


def test_a_refused_config_is_a_value_error_that_names_every_wrong_key() -> None:
    with pytest.raises(ValueError, match=r"timeout is -1: .*; max_retries is -2: "):
        BareExecutor({"timeout": -1, "max_retries": -2})


def test_what_is_allowed_is_said() -> None:
    with pytest.raises(InvalidConfig, match="greater than 0"):
        BareExecutor({"timeout": 0})


def test_a_bare_executor_keeps_keys_of_its_own() -> None:
    assert BareExecutor({"their_own": 1}).config == {"their_own": 1}


def test_an_executor_without_config_has_the_defaults() -> None:
    executor = BareExecutor()
    assert (executor.config, executor.timeout, executor.max_retries, executor.debug_mode) == ({}, 300, 3, False)


def test_the_config_is_a_copy() -> None:
    given = {"timeout": 5}
    executor = BareExecutor(given)
    given["timeout"] = 6
    assert executor.config == {"timeout": 5}


def test_a_shipped_executor_refuses_an_unknown_key_with_the_nearest_named() -> None:
    with pytest.raises(InvalidConfig, match="executor 'ci': unknown key 'state_dirs'; did you mean 'state_dir'"):
        MockExecutor({"state_dirs": "/tmp"}, name="ci")


def test_an_unknown_key_that_is_near_to_none_gets_the_list() -> None:
    with pytest.raises(InvalidConfig, match=r"unknown key 'qqq'; known are .*default_memory.*timeout"):
        MockExecutor({"qqq": 1})


def test_an_unknown_key_inside_another_is_named_by_its_path() -> None:
    with pytest.raises(InvalidConfig, match=r"unknown key 'health\.0\.helthy'; did you mean 'healthy'"):
        MockExecutor({"health": [{"helthy": True, "healthy": True}]})


def test_a_key_that_is_missing_is_named_and_what_is_beside_it_is_not_shown() -> None:
    with pytest.raises(InvalidConfig, match=r"^executor 'mock': health\.0\.healthy is required$"):
        MockExecutor({"health": [{"detail": "hidden"}]}, name="mock")


def test_every_key_is_described() -> None:
    assert all(field.description for field in ExecutorOptions.model_fields.values())


def test_the_repr_shows_identity_and_counts_but_no_config() -> None:
    assert repr(BareExecutor({"password": "secret"}, name="lab")) == "<BareExecutor 'lab': 0 launched, 0 errors>"


def test_an_executor_is_named_after_its_class_when_it_has_no_name() -> None:
    assert BareExecutor().name == "BareExecutor"


POWERLESS: list[tuple[str, tuple[Any, ...]]] = [("stop", ("one", 0)), ("list_executions", ())]


@pytest.mark.parametrize(("verb", "arguments"), POWERLESS)
def test_a_power_that_is_not_there_is_refused_in_a_sentence(verb: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Unsupported, match="the lab executor cannot"):
        getattr(BareExecutor(name="lab"), verb)(*arguments)


def test_a_bare_executor_refuses_every_field_by_name() -> None:
    request = JobRequest(command=["true"], env={"A": "1"}, labels={"team": "a"})
    assert [error.field for error in BareExecutor().refusals(request)] == ["command", "env"]


def test_a_bare_executor_knows_no_capacity_and_has_nothing_to_prepare_or_close() -> None:
    executor = BareExecutor()
    executor.prepare()
    executor.close()
    assert executor.capacity() is None

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from container_manager.checks import check_executors

BARE = "tests.unit.bare.BareExecutor"
MOCK = "container_manager.executors.mock.MockExecutor"


def test_good_entries_give_no_message(settings: Settings) -> None:
    settings.EXECUTORS = {"a": {"BACKEND": BARE}, "b": {"BACKEND": MOCK, "OPTIONS": {"run_seconds": 1}}}
    assert check_executors() == []


def test_every_bad_entry_is_an_error_of_its_own(settings: Settings) -> None:
    settings.EXECUTORS = {
        "a": {"BACKEND": MOCK, "OPTIONS": {"tiemout": 5}},
        "b": {"BACKEND": BARE},
        "c": {"BACKEND": "nowhere.At"},
    }
    errors = check_executors()
    assert [error.id for error in errors] == ["container_manager.E001"] * 2
    assert "executor 'a': unknown key 'tiemout'; did you mean 'timeout'?" in errors[0].msg
    assert "executor 'c'" in errors[1].msg


def test_manage_py_check_refuses_a_wrong_config_with_the_key_named(settings: Settings) -> None:
    settings.EXECUTORS = {"a": {"BACKEND": MOCK, "OPTIONS": {"run_seconds": -1}}}
    with pytest.raises(SystemCheckError, match="run_seconds is -1"):
        call_command("check")

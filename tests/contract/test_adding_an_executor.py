"""A third party's executor is one class and one line of settings."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from container_manager.checks import check_executors
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.registry import executors
from container_manager.resources import InMemoryLedger
from container_manager.spec import JobSpec

pytest_plugins = ["pytester"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "adding-an-executor.md"


class ThirdParty(ContainerExecutor):
    """Only the five methods, and a constructor that knows of nothing but the config."""

    def __init__(self, config: dict[str, object]) -> None:
        super().__init__(config)

    def launch_job(self, job: JobSpec) -> tuple[bool, str]:
        return True, "theirs"

    def check_status(self, execution_id: str) -> str:
        return "running"

    def get_logs(self, execution_id: str) -> str:
        return ""

    def cleanup(self, execution_id: str) -> bool:
        return True

    def health_check(self) -> bool:
        return True


@pytest.fixture
def one_line(settings: Settings) -> None:
    settings.EXECUTORS = {"theirs": {"BACKEND": f"{__name__}.ThirdParty", "OPTIONS": {"timeout": 5, "their_own": 1}}}


@pytest.mark.usefixtures("one_line")
def test_a_line_of_settings_registers_a_third_party_class() -> None:
    executor = executors["theirs"]
    assert isinstance(executor, ThirdParty)
    assert (executor.name, executor.timeout, executor.config["their_own"]) == ("theirs", 5, 1)
    assert list(executors) == ["theirs"]


@pytest.mark.usefixtures("one_line")
def test_a_third_party_class_is_given_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = InMemoryLedger()
    monkeypatch.setattr(executors, "make_ledger", lambda name: ledger)
    assert executors["theirs"].ledger is ledger


@pytest.mark.usefixtures("one_line")
def test_a_third_party_class_passes_the_system_check() -> None:
    assert check_executors() == []


def test_a_wrong_line_stops_the_start_and_names_what_is_wrong(settings: Settings) -> None:
    settings.EXECUTORS = {"theirs": {"BACKEND": f"{__name__}.ThirdParty", "OPTIONS": {"timeout": "soon"}}}
    with pytest.raises(SystemCheckError, match="timeout is 'soon'"):
        call_command("check")


def test_the_documented_executor_keeps_every_promise(pytester: pytest.Pytester) -> None:
    module, settings_line, suite = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    pytester.makepyfile(directory=module, test_directory=suite)
    pytester.syspathinsert()
    plugins = [f"-pno:{name}" for name in ("django", "randomly", "xdist", "cacheprovider", "cov")]
    run = pytester.inline_run(*plugins, "-q")
    passed, skipped, failed = run.listoutcomes()
    assert [report.nodeid for report in failed] == []
    assert len(passed) > 70
    assert skipped == []
    assert "directory.DirectoryExecutor" in settings_line

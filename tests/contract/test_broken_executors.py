"""The suite catches executors that break a promise: each is the mock with one thing wrong."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from container_manager.exceptions import ExecutionNotFound, FieldError
from container_manager.executors.mock import MockExecutor
from container_manager.executors.results import Execution, LaunchResult, LogFrame, Logs
from container_manager.identifiers import uuid7
from container_manager.spec import JobRequest, JobSpec
from container_manager.states import ExecutionStatus

pytest_plugins = ["pytester"]

SUITE = """
import pytest
from tests.contract import test_broken_executors
from tests.contract.test_mock import TestMock as Contract

class TestBroken(Contract):
    DEADLINE = 1.0

    @pytest.fixture
    def executor(self, tmp_path):
        return test_broken_executors.{name}({{"state_dir": str(tmp_path)}})
"""


class LaunchesTwice(MockExecutor):
    """Names an execution by chance, so a repeated launch is another execution."""

    def launch_job(self, job: JobSpec) -> LaunchResult:
        return super().launch_job(job.model_copy(update={"id": uuid7()}))


class MergesTheStreams(MockExecutor):
    """Gives what was written to stderr as stdout."""

    def get_logs(self, execution_id: str) -> Logs:
        return Logs("".join(super().get_logs(execution_id)), "")

    def follow_logs(self, execution_id: str, stop: threading.Event) -> Iterator[LogFrame]:
        return (frame._replace(stream="stdout") for frame in super().follow_logs(execution_id, stop))


class TakesSilenceForFailure(MockExecutor):
    """Says that a job has failed when its engine does not answer."""

    def inspect(self, execution_id: str) -> Execution:
        found = super().inspect(execution_id)
        return Execution(ExecutionStatus.FAILED) if found.status == ExecutionStatus.UNKNOWN else found


class LeavesThingsBehind(MockExecutor):
    """Says that it has cleaned up, and has not."""

    def cleanup(self, execution_id: str) -> bool:
        self.stop(execution_id, 0)
        return True


class ComplainsOfWhatIsGone(MockExecutor):
    """Takes the cleanup of a gone thing for an error."""

    def cleanup(self, execution_id: str) -> bool:
        if self.check_status(execution_id) == ExecutionStatus.NOT_FOUND:
            raise ExecutionNotFound
        return super().cleanup(execution_id)


class DropsWhatItCannotDo(MockExecutor):
    """Accepts every request, whatever it can honour."""

    def refusals(self, request: JobRequest) -> Sequence[FieldError]:
        return []


CAUGHT = {
    LaunchesTwice: {
        "test_a_launch_answers_true_and_the_execution_id",
        "test_another_instance_knows_the_execution",
        "test_launching_an_attempt_twice_gives_one_execution",
        "test_launching_an_attempt_from_many_threads_gives_one_execution",
        "test_another_attempt_is_another_execution",
    },
    MergesTheStreams: {
        "test_stdout_and_stderr_are_what_was_written",
        "test_followed_logs_are_byte_exact_and_end_by_themselves",
    },
    TakesSilenceForFailure: {"test_without_an_answer_the_status_is_unknown"},
    LeavesThingsBehind: {"test_cleanup_leaves_nothing"},
    ComplainsOfWhatIsGone: {
        "test_a_command_that_is_not_there_is_command_not_found",
        "test_cleanup_twice_is_success",
        "test_cleanup_of_an_unknown_execution_is_success",
        "test_no_control_group_is_left_after_the_cleanup",
    },
    DropsWhatItCannotDo: {"test_a_field_is_honoured_or_refused_by_name", "test_standard_input_arrives_whole"},
}


@pytest.mark.parametrize("broken", CAUGHT, ids=lambda broken: broken.__name__)
def test_the_suite_catches_exactly_the_broken_promise(pytester: pytest.Pytester, broken: type[MockExecutor]) -> None:
    path = pytester.makepyfile(SUITE.format(name=broken.__name__))
    plugins = [f"-pno:{name}" for name in ("django", "randomly", "xdist", "cacheprovider", "cov")]
    run = pytester.inline_run(*plugins, "-q", path)
    passed, _, failed = run.listoutcomes()
    assert passed
    assert {report.nodeid.rpartition("::")[2].partition("[")[0] for report in failed} == CAUGHT[broken]

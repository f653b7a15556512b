"""The Python client that openapi-python-client writes, on a live service."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Live

pytestmark = pytest.mark.usefixtures("python_client")


_clients: dict[tuple[str, str], Any] = {}


def client(live: Live, token: str = "") -> Any:
    """The client of a token."""
    from purser_client import AuthenticatedClient

    key = live.address, token or live.token
    if key not in _clients:
        _clients[key] = AuthenticatedClient(base_url=key[0], token=key[1], timeout=60)
        _clients[key].__enter__()
    return _clients[key]


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    for opened in _clients.values():
        opened.__exit__()
    _clients.clear()


def request(**fields: Any) -> Any:
    from purser_client.models import JobRequest

    return JobRequest(command=["true"], **fields)


def scenario(**plays: Any) -> Any:
    from purser_client.models import Scenario

    return Scenario.from_dict(plays)


def launch(live: Live, *, token: str = "", key: Any = None, **fields: Any) -> Any:
    from purser_client.api.jobs import launch_job
    from purser_client.types import UNSET

    body = request(**fields)
    return launch_job.sync("mock", client=client(live, token), body=body, idempotency_key=key or UNSET)


def test_a_job_is_launched_waited_for_and_read(live: Live) -> None:
    from purser_client.api.jobs import get_job, get_job_logs, launch_job, list_job_events
    from purser_client.models import JobState, LogStream, Reason

    purser = client(live)
    output = [{"text": "hello\n"}, {"stream": "stderr", "text": "oh\n"}]
    body = request(scenario=scenario(output=output, exit_code=3))
    job = launch_job.sync("mock", client=purser, body=body, prefer="wait=30")
    logs = get_job_logs.sync(job.id, client=purser)
    events = list_job_events.sync(job.id, client=purser)

    assert (job.state, job.reason, job.exit_code) == (JobState.FAILED, Reason.EXIT_NONZERO, 3)
    assert [(line.stream, line.text) for line in logs.lines] == [
        (LogStream.STDOUT, "hello"),
        (LogStream.STDERR, "oh"),
    ]
    assert [event.state.value for event in events.results][:4] == ["queued", "launching", "running", "failed"]
    assert get_job.sync(job.id, client=purser, wait=30).finished_at == job.finished_at


def test_a_job_is_cancelled_cleaned_up_and_listed(live: Live) -> None:
    from purser_client.api.jobs import cancel_job, cleanup_job, get_job, list_jobs
    from purser_client.models import JobState, Labels

    purser, label = client(live), uuid.uuid4().hex
    job = launch(live, scenario=scenario(run_seconds=600), labels=Labels.from_dict({"test": label}))
    cancel_job.sync(job.id, client=purser)
    while get_job.sync(job.id, client=purser, wait=30).finished_at is None:
        pass
    cleaned = cleanup_job.sync_detailed(job.id, client=purser)
    page = list_jobs.sync(client=purser, label=[f"test:{label}"], state=[JobState.CANCELLED])

    assert cleaned.status_code == 204
    assert [found.id for found in page.results] == [job.id]
    assert page.results[0].cleaned_at is not None
    assert page.next_cursor is None


def _cancel_what_has_ended(live: Live) -> Any:
    from purser_client.api.jobs import cancel_job, launch_job

    job = launch_job.sync("mock", client=client(live), body=request(), prefer="wait=30")
    return cancel_job.sync(job.id, client=client(live))


def _read(live: Live, **options: Any) -> Any:
    from purser_client.api.jobs import get_job

    return get_job.sync(uuid.uuid4(), client=client(live, **options))


def _launch_until_full(live: Live) -> Any:
    for _ in range(4):
        found = launch(live, token=live.crowded, scenario=scenario(run_seconds=600))
        if hasattr(found, "status"):
            return found
    raise AssertionError("the queue never was full")


ERRORS: dict[tuple[int, str], Callable[[Live], Any]] = {
    (400, "invalid_idempotency_key"): lambda live: launch(live, key="not visible"),
    (401, "unusable_token"): lambda live: _read(live, token="purser_nobody"),
    (403, "insufficient_scope"): lambda live: launch(live, token=live.reader),
    (404, "unknown_job"): _read,
    (409, "illegal_transition"): _cancel_what_has_ended,
    (413, "body_too_large"): lambda live: launch(live, stdin="x" * 70_000),
    (422, "invalid_job"): lambda live: launch(live, memory_mib=0),
    (429, "queue_full"): _launch_until_full,
}


@pytest.mark.parametrize("expected", ERRORS, ids=str)
def test_an_error_of_each_kind_is_a_problem(live: Live, expected: tuple[int, str]) -> None:
    from purser_client.models import Problem

    problem = ERRORS[expected](live)

    assert isinstance(problem, Problem)
    assert (problem.status, problem.code) == expected


def test_the_field_that_is_wrong_is_named(live: Live) -> None:
    problem = launch(live, memory_mib=0)

    assert [place.pointer for place in problem.errors] == ["/memory_mib"]


def test_its_names_read_as_if_a_person_had_written_them(python_client: Path) -> None:
    names = {path.stem for folder in ("models", "api/jobs") for path in (python_client / folder).glob("*.py")}

    assert [
        name for name in names if any(part in name for part in ("type_", "_item", "additional", "inline", "200"))
    ] == []
    assert {"launch_job", "get_job", "get_job_logs", "cancel_job", "cleanup_job", "list_jobs"} <= names

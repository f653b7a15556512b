"""`purser.Client` against the service itself: what the generated half reads is what the service writes."""

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from container_manager import lifecycle
from container_manager.lifecycle import Outcome
from container_manager.logs import LogWriter
from container_manager.models import Job
from container_manager.states import JobState, Reason
from purser import Client, Refused
from purser.cli.progress import sentence_of
from purser.client import JobRequest
from tests.api.conftest import Server
from tests.factories import AttemptFactory, ContainerJobFactory

Write = Callable[..., LogWriter]


@pytest.fixture
def client(server: Server, token: str) -> Iterator[Client]:
    with Client(server.url, token, retry_seconds=1) as client:
        yield client


def test_a_launch_is_accepted_as_a_mapping_and_as_a_type(client: Client) -> None:
    fields = {"command": ["true"], "env": {"A": "b"}, "labels": {"team": "a"}, "timeout_seconds": 5.0}
    first = client.launch("mock", fields, key="one")
    again = client.launch("mock", JobRequest.from_dict(fields), key="one")

    assert first.id == again.id
    assert (first.state, first.timeout_seconds, first.request.to_dict()) == ("queued", 5.0, fields)
    assert client.launch("mock", fields).id != first.id


def test_a_wrong_field_is_the_service_s_to_name(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        client.launch("mock", {"command": ["true"], "memory": 5, "pull_policy": "sometimes"})

    assert refused.value.status == 422
    assert "memory: 'memory' is unknown; did you mean memory_mib?" in str(refused.value)
    assert "pull_policy: " in str(refused.value)


def test_a_list_is_walked_through_all_its_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purser.client._PAGE_JOBS", 2)
    made = [str(ContainerJobFactory.create().pk) for _ in range(5)]
    ContainerJobFactory.create(ended=True)

    assert {str(job.id) for job in client.jobs(states=("queued",), executor="mock")} == set(made)
    assert list(client.jobs(labels={"team": "a"}, created_before=timezone.now())) == []


def test_an_end_is_waited_for(client: Client) -> None:
    job = AttemptFactory.create().job
    lifecycle.end(job.pk, Outcome(JobState.FAILED, Reason.OOM, {"memory_mib": 64}, 137))

    ended = client.wait(str(job.pk))

    assert (ended.state, ended.reason, ended.exit_code, ended.evidence["memory_mib"]) == ("failed", "oom", 137, 64)
    with pytest.raises(Refused) as refused:
        client.cancel(str(job.pk))
    assert refused.value.code == "illegal_transition"


def test_what_a_job_wrote_comes_in_chunks_or_in_lines(client: Client, write_log: Write) -> None:
    job = ContainerJobFactory.create(ended=True)
    write_log(job, ("stdout", b"one\ntwo"), ("stderr", b"\xff\n"))

    chunks = list(client.logs(str(job.pk), cursor="start"))
    assert [message.event for message in chunks] == ["attempt", "chunk", "chunk", "end"]
    assert [(message.stream, message.data) for message in chunks[1:3]] == [
        ("stdout", b"one\ntwo"), ("stderr", b"\xff\n"),
    ]  # fmt: skip
    lines = list(client.logs(str(job.pk), follow=False, unit="line", tail="2"))
    assert [message.data for message in lines] == [b"two", b"\xff\n"]


def test_why_a_job_does_not_run_yet_is_a_sentence(client: Client) -> None:
    waiting = client.job(str(ContainerJobFactory.create().pk))
    pulling = AttemptFactory.create(job__state="launching", pulling_at=timezone.now()).job
    launching = AttemptFactory.create(job__state="launching").job
    running = AttemptFactory.create().job

    def sentence(job: Job) -> str:
        return sentence_of(client.job(str(job.pk)), "an-image")

    assert sentence_of(waiting, "").startswith("waiting in the queue at position 1: ")
    assert [sentence(job) for job in (pulling, launching, running)] == ["pulling the image an-image", "launching", ""]


def test_executors_are_typed(client: Client) -> None:
    (mock,) = [executor for executor in client.executors() if executor.name == "mock"]

    assert mock.capabilities.isolation == "simulated"
    assert mock.utilization.jobs_used == 0

"""GET …/jobs/{job}/events."""

import httpx
import pytest
from django.test import Client

from container_manager import lifecycle
from container_manager.identifiers import uuid7
from container_manager.lifecycle import Outcome
from container_manager.models import Job
from container_manager.states import JobState, Reason
from tests.api.conftest import launch
from tests.api.test_logs import SSE, Sse, events

CANCELLED = Outcome(JobState.CANCELLED, Reason.CANCELLED)


@pytest.fixture
def ended(client: Client) -> str:
    job_id: str = launch(client, {"command": ["true"]}).json()["id"]
    client.post(f"/api/v1/jobs/{job_id}/cancel", content_type="application/json")
    return job_id


def test_the_history_is_told_from_its_first_event(client: Client, ended: str) -> None:
    document = client.get(f"/api/v1/jobs/{ended}/events").json()

    assert [event["seq"] for event in document["results"]] == [1, 2, 3]
    assert [event["state"] for event in document["results"]] == ["queued", "cancelled", "cancelled"]
    assert document["last_seq"] == 3


def test_the_history_goes_on_after_a_place(client: Client, ended: str) -> None:
    document = client.get(f"/api/v1/jobs/{ended}/events?after=1&limit=1").json()

    assert [event["seq"] for event in document["results"]] == [2]
    assert client.get(f"/api/v1/jobs/{ended}/events?after=3").json() == {"results": [], "last_seq": 3}


def test_the_stream_of_a_job_that_ended_is_its_history_and_the_outcome(client: Client, ended: str) -> None:
    found = events(client.get(f"/api/v1/jobs/{ended}/events", headers={"Accept": SSE}))

    assert [(event["event"], event.get("id")) for event in found] == [
        ("state", "1"), ("state", "2"), ("cleaned", "3"), ("end", None),
    ]  # fmt: skip
    assert found[-1]["data"] == {"state": "cancelled", "reason": "cancelled", "exit_code": None}


def test_the_stream_goes_on_behind_the_last_event_that_was_seen(client: Client, ended: str) -> None:
    found = events(client.get(f"/api/v1/jobs/{ended}/events", headers={"Accept": SSE, "Last-Event-ID": "2"}))

    assert [event["event"] for event in found] == ["cleaned", "end"]


def test_a_wrong_last_event_id_is_a_problem(client: Client, ended: str) -> None:
    answer = client.get(f"/api/v1/jobs/{ended}/events", headers={"Accept": SSE, "Last-Event-ID": "-1"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")
    assert [error["header"] for error in answer.json()["errors"]] == ["Last-Event-ID"]


def test_a_follower_is_told_each_change_as_it_happens(http: httpx.Client) -> None:
    job_id = http.post("/api/v1/executors/mock/jobs", json={"command": ["true"]}).json()["id"]
    with http.stream("GET", f"/api/v1/jobs/{job_id}/events", headers={"Accept": SSE}) as answer:
        stream = iter(Sse(answer.iter_lines()))
        assert next(stream)["data"]["state"] == "queued"
        lifecycle.claim(Job.objects.get(pk=job_id), uuid7())
        assert next(stream)["data"]["state"] == "launching"
        lifecycle.end(job_id, CANCELLED)

        assert [event["event"] for event in stream][-1] == "end"


def test_a_follower_of_a_job_that_is_deleted_is_told_so(http: httpx.Client) -> None:
    job_id = http.post("/api/v1/executors/mock/jobs", json={"command": ["true"]}).json()["id"]
    with http.stream("GET", f"/api/v1/jobs/{job_id}/events", headers={"Accept": SSE}) as answer:
        stream = iter(Sse(answer.iter_lines()))
        assert next(stream)["data"]["state"] == "queued"
        Job.objects.filter(pk=job_id).delete()

        (last,) = stream
        assert (last["event"], last["data"]["code"]) == ("error", "unknown_job")

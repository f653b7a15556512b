"""GET …/jobs/{job}/logs, in every form."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from container_manager import lifecycle
from container_manager.identifiers import uuid7
from container_manager.lifecycle import Outcome
from container_manager.logs import LogWriter
from container_manager.models import Job
from container_manager.states import JobState, Reason
from tests.api.conftest import LOG_BYTES
from tests.factories import AttemptFactory, ContainerJobFactory

Write = Callable[..., LogWriter]
SSE, NDJSON, PLAIN = "text/event-stream", "application/x-ndjson", "text/plain"
LOST = Outcome(JobState.FAILED, Reason.ENGINE_LOST)
FRAMES = (("stdout", b"one\ntwo\n"), ("stderr", b"oops\n"), ("stdout", b"three\n"))


@pytest.fixture
def job(db: None) -> Job:
    return ContainerJobFactory.create(ended=True)


def read(client: Client, job: Job, query: str = "", accept: str = "application/json") -> Any:
    return client.get(f"/api/v1/jobs/{job.pk}/logs{query}", headers={"Accept": accept})


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def texts(answer: Any) -> list[str]:
    return [line["text"] for line in answer.json()["lines"]]


class Sse:
    """Server-sent events as a browser reads them."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[dict[str, Any]]:
        event: dict[str, Any] = {}
        for line in self._lines:
            if not line and event:
                yield {**event, "data": json.loads(event["data"])}
                event = {}
            name, _, value = line.partition(": ")
            if name:
                event[name] = value


def events(answer: Any) -> list[dict[str, Any]]:
    return list(Sse(iter(body(answer).decode().split("\n"))))


def test_lines_are_in_order_each_with_its_stream(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *FRAMES)
    document = read(client, job).json()

    shown = [(line["seq"], line["stream"], line["text"]) for line in document["lines"]]
    assert shown == [(0, "stdout", "one"), (1, "stdout", "two"), (2, "stderr", "oops"), (3, "stdout", "three")]
    assert (document["attempt"], document["complete"], document["truncated"]) == (1, True, False)


def test_one_stream_is_read_alone(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *FRAMES)

    assert texts(read(client, job, "?stream=stderr")) == ["oops"]
    assert body(read(client, job, "?stream=stdout", PLAIN)) == b"one\ntwo\nthree\n"


def test_bytes_that_are_no_text_come_as_base64(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, ("stdout", b"\xff\x00"))
    line = read(client, job).json()["lines"][0]

    assert (line["text"], line["partial"]) == (None, True)
    assert base64.b64decode(line["data_base64"]) == b"\xff\x00"


@pytest.mark.parametrize("query", ["", "?limit=1000", "?tail=1000"])
def test_plain_text_is_the_bytes_exactly(client: Client, job: Job, write_log: Write, query: str) -> None:
    written = b"a\r\n\n\xff\x00 \xe2\x82" + b"\xac\nno newline"
    write_log(job, ("stdout", written[:7]), ("stdout", written[7:]))

    assert body(read(client, job, query, PLAIN)) == written


def test_the_tail_is_the_last_lines(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *FRAMES)

    assert texts(read(client, job, "?tail=2")) == ["oops", "three"]


def test_pages_together_hold_every_line_once(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *FRAMES)
    seen: list[str] = []
    query, complete = "?limit=1", False
    while not complete:
        document = read(client, job, query).json()
        seen += [line["text"] for line in document["lines"]]
        query, complete = f"?limit=1&cursor={document['next_cursor']}", document["complete"]

    assert seen == ["one", "two", "oops", "three"]


def test_what_was_written_before_since_is_left_out(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *FRAMES)

    assert texts(read(client, job, "?since=2999-01-01T00:00:00Z")) == []


def test_what_was_not_kept_is_said(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, ("stdout", b"x" * LOG_BYTES + b"\nlost\n"))

    document = read(client, job).json()
    assert (document["truncated"], document["dropped_bytes"]) == (True, {"stdout": 6})
    assert read(client, job, "", PLAIN)["Purser-Dropped-Bytes"] == "6"
    assert events(read(client, job, "?tail=0", SSE))[-1]["data"]["dropped_bytes"] == {"stdout": 6}


def test_a_job_that_has_not_started_has_written_nothing(client: Client) -> None:
    document = read(client, ContainerJobFactory.create()).json()

    assert (document["attempt"], document["lines"], document["complete"]) == (0, [], False)


def test_a_cursor_taken_before_the_first_launch_leads_to_its_lines(client: Client, write_log: Write) -> None:
    job = ContainerJobFactory.create()
    before = read(client, job).json()["next_cursor"]
    Job.objects.filter(pk=job.pk).update(state="running", attempt=1)
    write_log(job, ("stdout", b"one\n"), finish=False)

    between = read(client, job, f"?cursor={before}").json()
    assert texts(read(client, job, f"?cursor={between['next_cursor']}")) == ["one"]


def test_each_attempt_has_its_own_logs(client: Client, write_log: Write) -> None:
    job = ContainerJobFactory.create(active=True, attempt=2)
    write_log(job, ("stdout", b"first\n"), attempt=1)
    write_log(job, ("stdout", b"second\n"), attempt=2, finish=False)

    assert texts(read(client, job)) == ["second"]
    assert texts(read(client, job, "?attempt=1")) == ["first"]


def test_json_lines_end_with_the_outcome_when_followed(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *FRAMES)
    lines = [json.loads(line) for line in body(read(client, job, "?follow=true", NDJSON)).splitlines()]

    assert [line.get("text") for line in lines[:-1]] == ["one", "two", "oops", "three"]
    assert lines[-1]["end"] == {"state": "succeeded", "reason": "completed", "exit_code": 0, "dropped_bytes": {}}


def test_server_sent_events_end_with_the_outcome(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *FRAMES)
    found = events(read(client, job, "", SSE))

    assert [event["event"] for event in found] == ["log", "log", "log", "log", "end"]
    assert found[-1]["data"]["exit_code"] == 0


@pytest.mark.parametrize("limit", ["", "?limit=1"])
def test_every_event_can_be_resumed_behind(client: Client, job: Job, write_log: Write, limit: str) -> None:
    write_log(job, *FRAMES)
    everything = [event for event in events(read(client, job, "", SSE)) if event["event"] == "log"]
    for number, event in enumerate(everything[:-1]):
        headers = {"Accept": SSE, "Last-Event-ID": event["id"]}
        resumed = events(client.get(f"/api/v1/jobs/{job.pk}/logs{limit}", headers=headers))
        assert resumed[0]["data"] == everything[number + 1]["data"]


def in_chunks(client: Client, job: Job, query: str = "", **headers: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/jobs/{job.pk}/logs?unit=chunk{query}", headers={"Accept": SSE, **headers})
    return [event for event in events(answer) if event["event"] == "chunk"]


def of(chunks: list[dict[str, Any]], stream: str) -> bytes:
    documents = [chunk["data"] for chunk in chunks if chunk["data"]["stream"] == stream]
    return b"".join(
        base64.b64decode(each["data_base64"]) if each["text"] is None else each["text"].encode() for each in documents
    )


def test_chunks_are_the_bytes_of_each_stream_in_the_order_they_came(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *FRAMES, ("stdout", b"\xff no newline"))
    found = in_chunks(client, job)

    assert [chunk["data"]["stream"] for chunk in found] == ["stdout", "stderr", "stdout"]
    assert (of(found, "stdout"), of(found, "stderr")) == (b"one\ntwo\nthree\n\xff no newline", b"oops\n")
    assert of(in_chunks(client, job, "&stream=stderr"), "stderr") == b"oops\n"


@pytest.mark.parametrize("unit", ["line", "chunk"])
def test_chunks_are_resumed_to_the_byte_behind_every_line_and_every_chunk(
    client: Client, job: Job, write_log: Write, unit: str
) -> None:
    write_log(job, *FRAMES)
    before = b""
    for event in events(read(client, job, f"?unit={unit}", SSE))[:-1]:
        before += (event["data"]["text"] + ("\n" if unit == "line" else "")).encode()
        rest = in_chunks(client, job, **{"Last-Event-ID": event["id"]})
        assert before + b"".join(chunk["data"]["text"].encode() for chunk in rest) == b"one\ntwo\noops\nthree\n"


def test_much_that_was_written_in_little_comes_in_few_chunks(client: Client, job: Job, write_log: Write) -> None:
    write_log(job, *[("stdout", f"{number}\n".encode()) for number in range(500)])
    found = in_chunks(client, job)

    assert len(found) == 1
    assert of(found, "stdout") == "".join(f"{number}\n" for number in range(500)).encode()


def test_from_the_start_is_from_the_first_attempt(client: Client, job: Job, write_log: Write) -> None:
    Job.objects.filter(pk=job.pk).update(attempt=2)
    write_log(job, ("stdout", b"first\n"), attempt=1)
    write_log(job, ("stdout", b"second\n"), attempt=2)

    found = events(read(client, job, "?unit=chunk&cursor=start", SSE))
    assert [event["event"] for event in found] == ["attempt", "chunk", "attempt", "chunk", "end"]
    assert b"".join(of([event], "stdout") for event in found if event["event"] == "chunk") == b"first\nsecond\n"


@pytest.mark.parametrize("query", ["&tail=1", "&limit=1", "&since=2026-01-01T00:00:00Z"])
def test_chunks_cannot_be_counted_in_lines(client: Client, job: Job, query: str) -> None:
    answer = read(client, job, f"?unit=chunk{query}", SSE)

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "unit")


@pytest.mark.parametrize("form", ["application/json", PLAIN, NDJSON])
def test_chunks_come_as_server_sent_events_only(client: Client, job: Job, form: str) -> None:
    answer = read(client, job, "?unit=chunk", form)

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "unit")


def test_following_json_is_refused_with_what_can_be_followed(client: Client, job: Job) -> None:
    answer = read(client, job, "?follow=true")

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "follow")


@pytest.mark.parametrize("cursor", ["x", "1", "1.0-0.x", "2.0-0", "1.999-0", "1.0-0.1.1", "1.a-b"])
def test_a_cursor_of_another_log_is_refused(client: Client, job: Job, write_log: Write, cursor: str) -> None:
    write_log(job, *FRAMES)
    answer = read(client, job, f"?cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize("last", ["nonsense", "1.999-0", "1.a-b"])
def test_a_wrong_last_event_id_is_a_problem_and_no_stream(
    client: Client, job: Job, write_log: Write, last: str
) -> None:
    write_log(job, *FRAMES)
    answer = client.get(f"/api/v1/jobs/{job.pk}/logs", headers={"Accept": SSE, "Last-Event-ID": last})

    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert [error["header"] for error in answer.json()["errors"]] == ["Last-Event-ID"]


def test_a_form_that_there_is_not_is_refused(client: Client, job: Job) -> None:
    answer = read(client, job, "", "image/png")

    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")


def test_a_follower_gets_each_line_as_it_is_written_and_the_end(http: httpx.Client, write_log: Write) -> None:
    job = AttemptFactory.create().job
    writer = write_log(job, ("stdout", b"one\n"), finish=False)
    with http.stream("GET", f"/api/v1/jobs/{job.pk}/logs", headers={"Accept": SSE}) as answer:
        stream = iter(Sse(answer.iter_lines()))
        assert next(stream)["data"]["text"] == "one"
        writer.write("stderr", b"two\n", None)
        assert next(stream)["data"]["text"] == "two"
        writer.finish()
        lifecycle.end(job.pk, Outcome(JobState.FAILED, Reason.EXIT_NONZERO, exit_code=3))
        last = next(stream)

    assert (last["event"], last["data"]["reason"], last["data"]["exit_code"]) == ("end", "exit_nonzero", 3)


def test_a_follower_of_one_stream_gets_its_chunks_past_those_of_the_other(http: httpx.Client, write_log: Write) -> None:
    job = AttemptFactory.create().job
    writer = write_log(job, ("stderr", b"one\n"), finish=False)
    path = f"/api/v1/jobs/{job.pk}/logs?unit=chunk&stream=stderr"
    with http.stream("GET", path, headers={"Accept": SSE}) as answer:
        stream = iter(Sse(answer.iter_lines()))
        assert next(stream)["data"]["text"] == "one\n"
        writer.write("stdout", b"x" * 100, None)
        writer.write("stderr", b"two\n", None)
        assert next(stream)["data"]["text"] == "two\n"
        writer.finish()
        lifecycle.end(job.pk, Outcome(JobState.SUCCEEDED, Reason.COMPLETED, exit_code=0))
        assert next(stream)["event"] == "end"


def test_a_follower_goes_on_with_the_next_attempt(http: httpx.Client, write_log: Write) -> None:
    attempt = AttemptFactory.create()
    write_log(attempt.job, ("stdout", b"first\n"))
    with http.stream("GET", f"/api/v1/jobs/{attempt.job.pk}/logs", headers={"Accept": SSE}) as answer:
        stream = iter(Sse(answer.iter_lines()))
        assert next(stream)["data"]["text"] == "first"
        write_log(attempt.job, ("stdout", b"second\n"), attempt=2)
        lifecycle.retry(attempt.job.pk, LOST, fence=0, not_before=timezone.now())
        lifecycle.claim(Job.objects.get(pk=attempt.job.pk), uuid7())

        assert next(stream)["event"] == "attempt"
        assert next(stream)["data"]["text"] == "second"


def test_a_follower_of_a_job_that_never_started_is_told_its_end(http: httpx.Client) -> None:
    job = ContainerJobFactory.create()
    with http.stream("GET", f"/api/v1/jobs/{job.pk}/logs", headers={"Accept": SSE}) as answer:
        lifecycle.end(job.pk, Outcome(JobState.CANCELLED, Reason.CANCELLED))
        last = next(iter(Sse(answer.iter_lines())))

    assert (last["event"], last["data"]["state"]) == ("end", "cancelled")


@pytest.mark.parametrize("form", [SSE, NDJSON])
def test_a_follower_of_logs_that_are_deleted_is_told_so(http: httpx.Client, write_log: Write, form: str) -> None:
    job = AttemptFactory.create().job
    write_log(job, *FRAMES, finish=False)
    with http.stream("GET", f"/api/v1/jobs/{job.pk}/logs?follow=true", headers={"Accept": form}) as answer:
        lines = answer.iter_lines()
        assert "three" in next(line for line in lines if "three" in line)
        Job.objects.filter(pk=job.pk).update(logs_deleted_at=timezone.now())

        assert '"code":"logs_gone"' in [line for line in lines if line][-1]


def test_plain_text_is_followed_to_its_last_byte(http: httpx.Client, write_log: Write) -> None:
    job = AttemptFactory.create().job
    written = bytes(range(256)) * 3000
    writer = write_log(job, ("stdout", written[:100_000]), finish=False)
    with http.stream("GET", f"/api/v1/jobs/{job.pk}/logs?follow=true", headers={"Accept": PLAIN}) as answer:
        chunks = answer.iter_raw()
        received = next(chunks)
        writer.write("stdout", written[100_000:], None)
        writer.finish()
        lifecycle.end(job.pk, Outcome(JobState.SUCCEEDED, Reason.COMPLETED, exit_code=0))
        received += b"".join(chunks)

    assert received == written

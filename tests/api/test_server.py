"""The ASGI server around the API: bodies, disconnects, streams and shutdown, over real sockets."""

import json
import select
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.backends.signals import connection_created

from api import background, quickstart, streaming
from api.client import Client
from api.schemas.process import Problem
from api.waiting import begin_shutdown
from container_manager.bell import bell, job_topic, logs_topic
from tests.api.conftest import Server, until
from tests.api.test_logs import SSE, Sse, Write
from tests.factories import AttemptFactory, ContainerJobFactory


@pytest.fixture
def raw(server: Server) -> Iterator[socket.socket]:
    """A plain connection to the server."""
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
        yield connection


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(raw: socket.socket) -> None:
    raw.sendall(
        b"POST /api/v1/executors/mock/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n"
        b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
    )
    head = raw.recv(65536)

    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in head
    assert b"connection: close" in head.lower()


def test_a_body_that_grows_too_large_is_refused_while_it_is_sent(raw: socket.socket) -> None:
    raw.sendall(
        b"POST /api/v1/executors/mock/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/json\r\n\r\n"
    )
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    for _ in range(5):
        raw.sendall(chunk)

    assert raw.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_query_that_is_no_utf8_is_a_problem(raw: socket.socket) -> None:
    raw.sendall(b"GET /api/v1/jobs?a=\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    head = raw.recv(65536)

    assert head.startswith(b"HTTP/1.1 400 ")


def test_a_request_without_a_host_is_a_problem(raw: socket.socket) -> None:
    raw.sendall(b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")
    answer = b"".join(iter(lambda: raw.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"no Host header" in answer


def test_an_old_client_that_knows_no_host_is_for_the_address_that_it_called(raw: socket.socket) -> None:
    raw.sendall(b"GET /livez HTTP/1.0\r\n\r\n")

    assert raw.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_headers_over_64_kib_are_refused_before_anything_is_looked_at(raw: socket.socket) -> None:
    line = b"X-A: " + b"x" * 8000 + b"\r\n"
    raw.sendall(b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n" + line * 9 + b"\r\n")
    answer = b"".join(iter(lambda: raw.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"headers_too_large" in answer


@pytest.mark.parametrize(
    "sent",
    [
        b"BREW /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: \x01\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_is_no_http_is_a_problem(raw: socket.socket, sent: bytes) -> None:
    raw.sendall(sent)
    head, _, body = b"".join(iter(lambda: raw.recv(65536), b"")).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["detail"] == "what was sent cannot be read as a request of HTTP/1.1"


def test_headers_that_do_not_end_are_refused_with_a_whole_problem(raw: socket.socket) -> None:
    raw.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ")
    while not select.select([raw], [], [], 0.1)[0]:
        raw.sendall(b"x" * 4000)
    head, _, body = b"".join(iter(lambda: raw.recv(65536), b"")).partition(b"\r\n\r\n")
    problem = Problem.model_validate_json(body)

    assert head.startswith(b"HTTP/1.1 431 ")
    assert f"x-request-id: {problem.request_id}".encode() in head


def test_headers_that_never_end_are_cut_off(raw: socket.socket) -> None:
    raw.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ")
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        for _ in range(2000):
            raw.sendall(b"x" * 10_000)


def test_a_body_behind_pieces_of_a_head_does_not_count_as_headers(raw: socket.socket) -> None:
    raw.sendall(b"POST /livez HTTP/1.1\r\nHost: localhost\r\n")
    raw.sendall(b"Content-Length: 200000\r\nConnection: close\r\n\r\n" + b" " * 200_000)

    assert raw.recv(65536).startswith(b"HTTP/1.1 405 ")


def test_make_up_says_why_its_job_waits(server: Server, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickstart, "_QUIET_SECONDS", 0.01)
    monkeypatch.setattr(quickstart, "_JOB_SECONDS", 0.01)
    said: list[str] = []
    outcome = quickstart.run(Client(server.url, token), "mock", {"command": ["true"]}, said.append)

    assert outcome.job["state"] == "queued"
    assert said == [f"Job {outcome.job['id']} waits: {outcome.job['waiting']['detail']}"]


def test_make_down_says_how_many_jobs_run_on(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(background, "stop", lambda *_: True)
    ContainerJobFactory.create(active=True)
    ContainerJobFactory.create()
    call_command("down")

    assert capsys.readouterr().out == "Purser is down. 1 job runs on, and will be taken up at the next start.\n"


def test_a_path_with_a_nul_is_a_problem(http: httpx.Client) -> None:
    answer = http.get("/api/v1/jobs/%00")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_client_that_goes_away_ends_its_wait(server: Server, http: httpx.Client) -> None:
    job = ContainerJobFactory.create()
    with pytest.raises(httpx.ReadTimeout):
        http.get(f"/api/v1/jobs/{job.pk}?wait=60", timeout=0.5)

    until(lambda: job_topic(job.pk) not in bell._callbacks)


def test_a_follower_that_goes_away_leaves_nothing(http: httpx.Client, write_log: Write) -> None:
    job = AttemptFactory.create().job
    write_log(job, ("stdout", b"one\n"), finish=False)
    with http.stream("GET", f"/api/v1/jobs/{job.pk}/logs", headers={"Accept": SSE}) as answer:
        stream = iter(Sse(answer.iter_lines()))  # kept: what nobody holds is closed, and the connection with it
        next(stream)
        assert logs_topic(job.pk) in bell._callbacks

    until(lambda: logs_topic(job.pk) not in bell._callbacks)


def test_many_followers_hold_no_thread(http: httpx.Client, server: Server, write_log: Write) -> None:
    job = AttemptFactory.create().job
    write_log(job, finish=False)
    followers = [
        http.send(http.build_request("GET", f"/api/v1/jobs/{job.pk}/logs", headers={"Accept": SSE}), stream=True)
        for _ in range(30)
    ]
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("api_")]

    assert len(threads) <= server.handler._pool._max_workers
    assert http.get("/livez").elapsed.total_seconds() < 5
    for follower in followers:
        follower.close()


def test_a_silent_stream_sends_comments(http: httpx.Client, write_log: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "PING_SECONDS", 0.1)
    monkeypatch.setattr(streaming, "LOOK_SECONDS", 0.1)
    job = AttemptFactory.create().job
    write_log(job, finish=False)
    with http.stream("GET", f"/api/v1/jobs/{job.pk}/logs", headers={"Accept": SSE}) as answer:
        assert next(answer.iter_lines()) == ": ping"


def test_a_shutdown_answers_waits_and_ends_streams_at_once(http: httpx.Client, write_log: Write) -> None:
    job = AttemptFactory.create().job
    write_log(job, ("stdout", b"one\n"), finish=False)
    with http.stream("GET", f"/api/v1/jobs/{job.pk}/logs", headers={"Accept": SSE}) as answer:
        stream = iter(Sse(answer.iter_lines()))
        next(stream)
        began = time.monotonic()
        begin_shutdown()

        assert list(stream) == []
        assert http.get(f"/api/v1/jobs/{job.pk}?wait=60").json()["state"] == "running"
    assert time.monotonic() - began < 5


def test_connections_to_the_database_are_kept_between_requests(http: httpx.Client) -> None:
    opened: list[int] = []
    connection_created.connect(note := lambda **_: opened.append(1))
    for _ in range(50):
        http.get("/api/v1/jobs")
    connection_created.disconnect(note)

    assert len(opened) <= settings.PURSER.api_threads

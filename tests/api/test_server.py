"""The ASGI server around the API: bodies, disconnects, streams and shutdown, over real sockets."""

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings
from django.db.backends.signals import connection_created

from api import waiting
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
        next(iter(Sse(answer.iter_lines())))
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
    monkeypatch.setattr(waiting, "PING_SECONDS", 0.1)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.1)
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

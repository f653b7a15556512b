"""The client's thin layer: what is not answered is asked again, and a stream that breaks off is taken up."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purser import Client, Misunderstood, Refused, Unreachable
from purser.following import Message, messages
from tests.e2e.service import free_port

Answer = Callable[[BaseHTTPRequestHandler], None]
JOB_ID = "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"
CHUNKS = (b'id: 1.9-0\nevent: chunk\ndata: {"stream":"stdout","text":"one\\n","data_base64":null}\n\n',
          b'id: 1.18-0\nevent: chunk\ndata: {"stream":"stderr","text":null,"data_base64":"/w=="}\n\n')  # fmt: skip
END = b'event: end\ndata: {"state":"succeeded","reason":"completed","exit_code":0,"dropped_bytes":{}}\n\n'


class Stub:
    """A service that gives one prepared answer a request, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                stub.asked.append((self.command, self.path, dict(self.headers)))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.answers.pop(0)(self)
                self.close_connection = True

            def log_request(self, code: Any = "-", size: Any = "-") -> None:
                """It is kept in `asked` instead."""

        for method in ("GET", "POST", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.answer)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def says(status: int, body: Any = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def streams(*pieces: bytes) -> Answer:
    return says(200, b"".join(pieces), Content_Type="text/event-stream")


def cuts(handler: BaseHTTPRequestHandler) -> None:
    """The connection ends without an answer."""


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def client(stub: Stub, said: list[str]) -> Iterator[Client]:
    with Client(stub.url, "purser_a_b", retry_seconds=20, say=said.append) as client:
        yield client


def test_a_launch_that_is_not_answered_is_asked_again_with_the_same_key(stub: Stub, client: Client) -> None:
    stub.answers += [cuts, cuts, says(401, {"code": "unusable_token", "detail": "no"})]
    with pytest.raises(Refused):
        client.launch("docker", {"command": ["true"]})

    keys = [headers["Idempotency-Key"] for _, _, headers in stub.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(429, "rate_limited"), (503, "unavailable"), (409, "idempotency_in_progress")]
)
def test_later_is_taken_at_its_word(stub: Stub, client: Client, status: int, code: str) -> None:
    stub.answers += [says(status, {"code": code, "detail": "later"}, Retry_After="1"), says(200, {"results": []})]
    began = time.monotonic()

    assert client.executors() == []
    assert time.monotonic() - began >= 1


def test_what_would_be_later_than_its_patience_is_told_at_once(stub: Stub, client: Client) -> None:
    stub.answers += [says(429, {"code": "rate_limited", "detail": "too many requests"}, Retry_After="3600")]

    with pytest.raises(Refused, match="too many requests"):
        client.executors()


def test_a_refusal_is_one_line_that_names_every_place(stub: Stub, client: Client) -> None:
    places = [
        {"pointer": "/memory_mib", "code": "x", "detail": "must be\n1 or more"},
        {"parameter": "limit", "code": "x", "detail": "limit is given 2 times"},
    ]
    stub.answers += [says(422, {"code": "invalid_job", "detail": "all of it", "errors": places})]

    with pytest.raises(Refused) as refused:
        client.job(JOB_ID)
    assert str(refused.value) == "memory_mib: must be 1 or more; limit is given 2 times"
    assert (refused.value.status, refused.value.code, len(stub.asked)) == (422, "invalid_job", 1)


def test_what_stands_before_the_service_may_answer_as_it_likes(stub: Stub, client: Client) -> None:
    stub.answers += [says(404, b"<html>"), says(502, b"<html>"), says(200, {"results": []})]

    with pytest.raises(Refused, match=r"127\.0\.0\.1 answered 404 Not Found"):
        client.executors()
    assert client.executors() == []


def test_nobody_there_is_said_with_the_address_when_the_patience_is_over(said: list[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url, "purser_a_b", retry_seconds=0.6, say=said.append) as client, pytest.raises(Unreachable, match=url):
        client.executors()

    assert len(said) == 1
    assert said[0].endswith(("trying again for 0 s", "trying again for 1 s"))


def test_an_answer_that_is_none_is_not_taken_for_one(stub: Stub, client: Client) -> None:
    stub.answers += [says(200, {"something": "else"})]

    with pytest.raises(Misunderstood, match="does not understand"):
        client.job(JOB_ID)


def test_the_address_may_name_the_api_itself() -> None:
    with Client("https://purser.example/base/api/v1/", "t") as client:
        assert client.url == "https://purser.example/base"


@pytest.mark.parametrize("cut", range(1, len(CHUNKS[1]), 9))
def test_a_stream_that_breaks_off_anywhere_is_taken_up_behind_its_last_whole_message(
    stub: Stub, client: Client, cut: int
) -> None:
    stub.answers += [streams(CHUNKS[0], CHUNKS[1][:cut]), cuts, streams(b": ping\n\n", CHUNKS[1], END)]

    found = list(client.logs(JOB_ID, cursor="start"))

    assert [(each.stream, each.data) for each in found[:-1]] == [("stdout", b"one\n"), ("stderr", b"\xff")]
    assert [headers.get("Last-Event-ID") for _, _, headers in stub.asked] == [None, "1.9-0", "1.9-0"]


def test_a_log_that_is_not_followed_ends_where_it_ends(stub: Stub, client: Client) -> None:
    stub.answers += [streams(CHUNKS[0])]

    assert [each.data for each in client.logs(JOB_ID, follow=False, stream="stdout")] == [b"one\n"]
    assert stub.asked[0][1] == f"/api/v1/jobs/{JOB_ID}/logs?unit=chunk&stream=stdout&follow=false"


def test_a_log_that_is_deleted_while_it_is_followed_is_no_end(stub: Stub, client: Client) -> None:
    stub.answers += [streams(CHUNKS[0], b'event: error\ndata: {"code":"logs_gone","detail":"they were deleted"}\n\n')]
    found = client.logs(JOB_ID)

    assert next(found).data == b"one\n"
    with pytest.raises(Refused, match="they were deleted") as refused:
        next(found)
    assert (refused.value.status, refused.value.code) == (410, "logs_gone")


def test_a_stream_of_something_else_is_not_understood(stub: Stub, client: Client) -> None:
    stub.answers += [streams(b"event: chunk\ndata: {no\n\n")]

    with pytest.raises(Misunderstood):
        list(client.logs(JOB_ID))


def test_a_line_has_its_newline_but_where_it_had_none() -> None:
    line = {"seq": 1, "stream": "stdout", "text": "one", "data_base64": None, "partial": False}

    assert Message("log", line).data == b"one\n"
    assert Message("log", {**line, "partial": True}).data == b"one"


@given(st.lists(st.integers(1, 40), max_size=40))
def test_messages_are_the_same_however_the_stream_is_cut_into_pieces(sizes: list[int]) -> None:
    whole = b": ping\n\n".join((*CHUNKS, END)) + b"event: chunk\ndata: {"
    pieces, rest = [], whole
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]

    assert list(messages([*pieces, rest])) == list(messages([whole]))
    assert [each.event for each in messages([whole])] == ["chunk", "chunk", "end"]

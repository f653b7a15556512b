"""A client of the API with a token, in process or over a socket."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from django.test import Client

from api import limits, waiting
from api.handler import Handler
from api.protocol import BoundedProtocol
from container_manager import audit, tokens
from container_manager.bell import bell
from container_manager.executors.registry import executors
from container_manager.logs import LogWriter
from container_manager.models import Job
from container_manager.tokens import Scope

MOCK = {"BACKEND": "container_manager.executors.mock.MockExecutor"}
DEADLINE_SECONDS = 10.0
LOG_BYTES = 1_000_000


@pytest.fixture(autouse=True)
def _service(settings: Any, tmp_path: Path) -> Iterator[None]:
    options = {"max_memory": 1024, "max_cpu": 2, "state_dir": str(tmp_path / "mock")}
    settings.EXECUTORS = {"mock": {**MOCK, "OPTIONS": options}, "other": MOCK}
    location = {"location": str(tmp_path / "logs")}
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": location}
    settings.STORAGES = {**settings.STORAGES, "logs": backend}
    limits.reset()
    audit.reset()
    yield
    executors.reset()
    bell.close()


@pytest.fixture
def token(db: None) -> str:
    """A token of the namespace `default` with every scope."""
    return tokens.create(namespace="default", name="test", scopes=tuple(Scope))[1]


@pytest.fixture
def client(token: str) -> Client:
    """Calls the API in process, with the token."""
    return client_with(token)


def client_with(token: str) -> Client:
    """Calls the API in process with a token; a bug is answered as it would be, not raised."""
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})


def launch(client: Client, body: Any, executor: str = "mock", **headers: str) -> Any:
    """POST a launch request; what is no text or bytes is sent as JSON."""
    path = f"/api/v1/executors/{executor}/jobs"
    return client.post(path, data=body, content_type="application/json", headers=headers)


@pytest.fixture
def write_log() -> Iterator[Callable[..., LogWriter]]:
    """Stores what a job has written: pairs of stream and bytes; `finish=False` leaves the log open."""
    writers: list[LogWriter] = []

    def write(job: Job, *frames: tuple[str, bytes], attempt: int = 1, finish: bool = True) -> LogWriter:
        writers.append(LogWriter(job.pk, attempt, max_bytes=LOG_BYTES))
        for stream, data in frames:
            writers[-1].write(stream, data, None)
        if finish:
            writers[-1].finish()
        return writers[-1]

    yield write
    for writer in writers:
        writer.close()


class Server:
    """A real server on a free loopback port, in this process."""

    def __init__(self) -> None:
        self.handler = Handler()
        config = uvicorn.Config(
            self.handler, http=BoundedProtocol, lifespan="on", log_config=None, timeout_graceful_shutdown=5
        )
        self._server = uvicorn.Server(config)
        # asyncio turns Nagle's delay off only where the protocol is named.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def start(self) -> None:
        self._thread.start()
        until(lambda: self._server.started)

    def stop(self) -> None:
        waiting.begin_shutdown()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    """A server that runs for the test."""
    running = Server()
    running.start()
    yield running
    running.stop()
    waiting._closing.clear()


@pytest.fixture
def http(server: Server, token: str) -> Iterator[httpx.Client]:
    """Calls the server over its socket, with the token."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=DEADLINE_SECONDS) as client:
        yield client


def until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition to be true, and return what it gave; fails after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
    return found

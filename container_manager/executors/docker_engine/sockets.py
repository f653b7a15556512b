"""Short requests to an engine on a unix socket: each is one exchange over a connection that is kept.

An HTTP client for everything spends five times as long on one, in the interpreter, as the engine takes to answer.
"""

import http.client
import socket
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any

import orjson
import requests
import urllib3.util

UNIX = "unix://"


class Answer(requests.Response):
    """An answer that has been read to its end."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        super().__init__()
        self._content = answer.read()
        self.status_code, self.reason, self.encoding = answer.status, answer.reason, "utf-8"

    def json(self, **_: Any) -> Any:
        return orjson.loads(self.content)


class UnixConnection(http.client.HTTPConnection):
    """One that leaves no socket behind when nobody listens."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.close()
            raise

    @property
    def is_dropped(self) -> bool:
        """Whether the engine has closed it meanwhile, as one that was stopped has."""
        return self.sock is None or urllib3.util.wait_for_read(self.sock, timeout=0)


class Connections:
    """Kept connections to one socket, used from many threads."""

    def __init__(self, path: str, most: int) -> None:
        self._path = path
        self._most = most
        self._idle: deque[UnixConnection] = deque()
        self._closed = False
        weakref.finalize(self, _close_all, self._idle)  # whoever forgets to close leaves no sockets either

    def ask(
        self, method: str, target: str, body: str | bytes | None, headers: Mapping[str, str], timeout: float
    ) -> Answer:
        """Raises OSError or HTTPException when there is no answer."""
        connection = self._take(timeout)
        try:
            answer = exchange(connection, method, target, body, headers)
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return answer

    def close(self) -> None:
        """Keep none any more, neither those that are in use now."""
        self._closed = True
        _close_all(self._idle)

    def _keep(self, connection: UnixConnection) -> None:
        if connection.sock is None or len(self._idle) >= self._most:
            connection.close()
            return
        self._idle.append(connection)
        if self._closed:
            self.close()

    def _take(self, timeout: float) -> UnixConnection:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return UnixConnection(self._path, timeout)
            if not connection.is_dropped:
                connection.sock.settimeout(timeout)
                return connection
            connection.close()


def _close_all(idle: deque[UnixConnection]) -> None:
    while idle:
        with suppress(IndexError):  # somebody has taken it in between
            idle.pop().close()


def exchange(
    connection: UnixConnection, method: str, target: str, body: str | bytes | None, headers: Mapping[str, str]
) -> Answer:
    """Ask, and read the whole answer."""
    connection.request(method, target, body, headers)
    return Answer(connection.getresponse())


def ping(path: str, timeout: float) -> None:
    """Have an answer over a new connection. Raises OSError or HTTPException."""
    with closing(UnixConnection(path, timeout)) as connection:
        exchange(connection, "GET", "/_ping", None, {})

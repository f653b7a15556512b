"""Clients that are cheap, so that it is the server that is measured."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness.statistics import Quantiles

_TIMEOUT_SECONDS = 120
_KEPT_SECONDS = 3  # servers close what has been silent for a little longer
_LUA = """
done = function(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write
                 + summary.errors.status + summary.errors.timeout
  io.write(string.format('JSON{"requests":%d,"seconds":%f,"failed":%d,"median":%f,"p95":%f,"p99":%f}\\n',
    summary.requests, summary.duration / 1e6, failed,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


class Refused(RuntimeError):
    """The service answered, but not with what was asked for."""


class Connection:
    """One connection that is kept and speaks with a token. Close it."""

    def __init__(self, address: str, token: str) -> None:
        where = urlsplit(address)
        self._http = HTTPConnection(str(where.hostname), where.port or 80, timeout=_TIMEOUT_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._used = 0.0

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: object, **headers: str) -> Any:
        return self.ask("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer. Raises Refused when it is an error."""
        response = self.send(method, path, body, headers)
        return json.loads(response.read() or b"null")

    def text(self, path: str) -> str:
        return self.send("GET", path, headers={"Accept": "text/plain"}).read().decode()

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        """The answer, whose body is still to be read. Raises Refused when it is an error."""
        if time.monotonic() > self._used + _KEPT_SECONDS:
            self._http.close()
            self._http.connect()
        self._http.request(method, path, body, {**self._headers, **(headers or {})})
        response = self._http.getresponse()
        self._used = time.monotonic()
        if response.status >= 400:
            raise Refused(f"{method} {path}: {response.status} {response.read().decode(errors='replace')}")
        return response


@contextmanager
def connection(address: str, token: str) -> Iterator[Connection]:
    with closing(Connection(address, token)) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Burst:
    """What wrk found: requests in a second, and their latencies in milliseconds."""

    rate: float
    latency_ms: Quantiles


def wrk(url: str, token: str, *, connections: int, seconds: float) -> Burst:
    """Ask as fast as the answers come, over so many connections. Raises Refused when one answer was an error."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", script.name]
        done = subprocess.run(
            [*command, "-H", f"Authorization: Bearer {token}", url], check=True, capture_output=True, text=True
        )
    told = json.loads(done.stdout.rpartition("JSON")[2])
    if told["failed"]:
        raise Refused(f"{url}: {told['failed']} of {told['requests']} requests failed")
    latency = (told[name] / 1000 for name in ("median", "p95", "p99"))
    return Burst(told["requests"] / told["seconds"], Quantiles(told["requests"], *latency))

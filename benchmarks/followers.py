"""How soon many followers get each line of many jobs, and what memory that costs the server.

    .venv/bin/python -m benchmarks.followers
    .venv/bin/python -m benchmarks.followers --apart --database postgres://…   # API and dispatcher as two processes

Starts a service of its own in a scratch directory, with jobs on the process executor. Every line carries the time of
its writing, so a line's delay goes from the job's `print` to the arrival of its last byte at the follower. The clients
run in this process, on the same machine: what they cost is in the figures.
"""

import argparse
import asyncio
import json
import os
import pwd
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.harness.processes import Meter
from benchmarks.harness.statistics import quantile
from tests.e2e.service import Service, until

START_SECONDS = 90.0
_LINE = re.compile(rb'"text":"(\d+) (\d+) x*"')
_PADDING = 60  # a line is as long as a usual line of a log
_JOB = """
import sys, time
time.sleep(max(float(sys.argv[1]) - time.time(), 0))
for number in range(int(sys.argv[2])):
    print(number, time.time_ns(), "x" * int(sys.argv[4]), flush=True)
    time.sleep(float(sys.argv[3]))
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the service."""

    jobs: int = 50
    followers: int = 500
    lines: int = 200
    pause_seconds: float = 0.1
    settle_seconds: float = 15.0


@dataclass(slots=True)
class Heard:
    """What one follower has received: the pieces as they came, each with when that was."""

    job: str
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    ended: bool = False

    def lines(self) -> list[tuple[int, float]]:
        """The number of each line in the order they came, and how many seconds after its writing it was here."""
        body = b"".join(data for _, data in self.pieces)
        found: list[tuple[int, float]] = []
        pieces, end, at = iter(self.pieces), 0, 0
        for match in _LINE.finditer(body):
            while end < match.end():
                at, data = next(pieces)
                end += len(data)
            found.append((int(match[1]), (at - int(match[2])) / 1e9))
        self.ended = b"event: end\n" in body
        return found


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. Delays are in seconds, memory in MiB, summed over the server's processes."""

    incomplete: list[str]
    delays: list[float]
    peak_memory_mib: float
    cpu_seconds: float

    def __str__(self) -> str:
        figures = {f"p{part * 100:g}": f"{quantile(self.delays, part) * 1000:.0f} ms" for part in (0.5, 0.95, 0.99)}
        return json.dumps(
            {
                "lines": len(self.delays),
                "incomplete_followers": len(self.incomplete),
                **figures,
                "worst": f"{max(self.delays) * 1000:.0f} ms",
                "peak_memory": f"{self.peak_memory_mib:.0f} MiB",
                "server_cpu": f"{self.cpu_seconds:.1f} s",
            }
        )


class _Follower(asyncio.Protocol):
    """One connection that follows one job's logs; as cheap as it can be, so that it is the server that is measured."""

    def __init__(self, heard: Heard, request: bytes) -> None:
        self._heard, self._request = heard, request
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._heard.pieces.append((time.time_ns(), data))

    def connection_lost(self, _: Exception | None) -> None:
        with suppress(asyncio.InvalidStateError):
            self.over.set_result(None)


async def _follow(address: str, token: str, heard: Sequence[Heard], seconds: float) -> None:
    loop, where = asyncio.get_running_loop(), urlsplit(address)
    followers = []
    for one in heard:
        request = (
            f"GET /api/v1/jobs/{one.job}/logs HTTP/1.1\r\nHost: {where.netloc}\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        ).encode()
        _, protocol = await loop.create_connection(
            lambda one=one, request=request: _Follower(one, request),  # type: ignore[misc]
            str(where.hostname),
            where.port or 80,
        )
        followers.append(protocol.over)
    await asyncio.wait(followers, timeout=seconds)


def measure(service: Service, load: Load, pids: Sequence[int]) -> Report:
    """Launch the jobs, follow them to their ends, and compare what was heard with what was written."""
    token = (service.data_dir / "token").read_text().strip()
    begin = time.time() + load.settle_seconds
    client = service.client()
    jobs = [_launch(client, begin, load) for _ in range(load.jobs)]
    for job in jobs:
        until(lambda job=job: _runs(client, job), f"the start of {job}", START_SECONDS)  # type: ignore[misc]
    heard = [Heard(jobs[number % load.jobs]) for number in range(load.followers)]
    with Meter(pids) as meter:
        left = begin - time.time() + load.lines * load.pause_seconds
        if left < load.lines * load.pause_seconds:
            raise RuntimeError("the jobs began before they were followed: give a longer settle_seconds")
        asyncio.run(_follow(service.address, token, heard, left + START_SECONDS))
    return _report(heard, load, meter.peak_mib, meter.cpu_seconds)


def _launch(client: httpx.Client, begin: float, load: Load) -> str:
    arguments = [str(begin), str(load.lines), str(load.pause_seconds), str(_PADDING)]
    body = {"command": [sys.executable, "-I", "-S", "-c", _JOB, *arguments], "memory_mib": 64, "cpu_cores": 0.1}
    answer = client.post("/api/v1/executors/process/jobs", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _runs(client: httpx.Client, job: str) -> bool:
    found = client.get(f"/api/v1/jobs/{job}").json()
    if found["finished_at"]:
        raise RuntimeError(f"a job ended before it was followed: {found['reason']} {found['evidence']}")
    return bool(found["state"] == "running")


def _report(heard: Sequence[Heard], load: Load, peak_mib: float, cpu_seconds: float) -> Report:
    delays: list[float] = []
    incomplete: list[str] = []
    for number, one in enumerate(heard):
        lines = one.lines()
        if [line for line, _ in lines] != list(range(load.lines)) or not one.ended:
            incomplete.append(f"follower {number} of job {one.job}: {len(lines)} lines, ended: {one.ended}")
        delays += [delay for _, delay in lines]
    return Report(incomplete, delays or [0.0, 0.0], peak_mib, cpu_seconds)


def service_for(data_dir: Path, database: str = "") -> Service:
    """A service whose process executor has room for all jobs of a load."""
    # Without a sandbox a job finds the Python that this runs with, wherever it is.
    alone = {"sandbox": "none", "default_user": pwd.getpwuid(os.geteuid()).pw_name}
    options = {"max_jobs": 1000, "total_memory": 1_000_000, "total_cpu": 1000, **alone}
    executors = json.dumps({"process": {"OPTIONS": options}})
    return Service(data_dir, database, PURSER_EXECUTORS=executors, PURSER_LOG_LEVEL="warning")


def main() -> None:
    usual = Load()
    parser = argparse.ArgumentParser(description="Measure the delay of followed log lines.")
    parser.add_argument("--jobs", type=int, default=usual.jobs)
    parser.add_argument("--followers", type=int, default=usual.followers)
    parser.add_argument("--lines", type=int, default=usual.lines, help="lines of each job")
    parser.add_argument("--pause", type=float, default=usual.pause_seconds, help="seconds between two lines of a job")
    parser.add_argument(
        "--settle", type=float, default=usual.settle_seconds, help="seconds for launching and connecting"
    )
    parser.add_argument("--apart", action="store_true", help="API and dispatcher in processes of their own")
    parser.add_argument("--database", default="", help="PURSER_DATABASE_URL of an empty database; default: SQLite")
    asked = parser.parse_args()
    load = Load(asked.jobs, asked.followers, asked.lines, asked.pause, asked.settle)
    with tempfile.TemporaryDirectory(prefix="purser-bench-") as scratch:
        Path(scratch).chmod(0o711)
        with service_for(Path(scratch), asked.database) as service:
            server = service.serve(*(["--no-dispatcher"] if asked.apart else []))
            if asked.apart:
                service.start("dispatch")
            print(measure(service, load, [server.pid]))


if __name__ == "__main__":
    main()

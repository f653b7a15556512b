"""Reads of an ended job's status from one API process on one core, beside a bare handler of the same bytes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import httpx

from benchmarks import bare
from benchmarks.harness import jobs, svg
from benchmarks.harness.findings import Findings, Goal, Line, Table, number
from benchmarks.harness.http import Burst, Refused, wrk
from benchmarks.harness.processes import pinned
from benchmarks.harness.statistics import interleaved, median
from benchmarks.harness.world import ROOM, Purser, World, started
from tests import services
from tests.e2e.service import free_port

_SERVER_CORE, _CLIENT_CORE = {0}, {1}
_CONNECTIONS = (1, 16)
_PURSER, _BARE = "Purser", "bare Starlette + orjson + sqlite3"


def run(world: World) -> Findings:
    """One and many connections, each in turns with the bare handler."""
    services.require({"wrk": "wrk"})
    seconds, rounds = (2.0, 1) if world.small else (8.0, 4)
    with _purser(world) as (purser, job):
        path = f"/api/v1/jobs/{job}"
        with _bare(world, purser, path) as address, pinned(_CLIENT_CORE):
            found = {}
            for connections in _CONNECTIONS:
                ask = partial(wrk, connections=connections, seconds=seconds)
                ways: dict[str, Callable[[], Burst]] = {
                    _PURSER: partial(ask, purser.address + path, purser.token),
                    _BARE: partial(ask, address + path, "none"),
                }
                found[connections] = interleaved(ways, rounds)
    return _findings(found, seconds, rounds)


@contextmanager
def _purser(world: World) -> Iterator[tuple[Purser, str]]:
    """One API process on the server's core, and a job that has ended."""
    if world.url:
        purser = Purser(world.url, world.token)
        yield purser, _ended_job(purser, world.executor_of("mock"))
        return
    with world.installation({"mock": {"OPTIONS": dict(ROOM)}}) as service, pinned(_SERVER_CORE):
        service.serve("--no-dispatcher")
        purser = started(service)
        dispatcher = service.start("dispatch")
        job = _ended_job(purser, "mock")
        dispatcher.terminate()
        dispatcher.wait()
        yield purser, job


def _ended_job(purser: Purser, executor: str) -> str:
    with purser.connection() as asked:
        job = jobs.launch(asked, executor, {"command": ["true"], "memory_mib": 64, "cpu_cores": 0.5})
        return str(jobs.cleaned(asked, job["id"])["id"])


@contextmanager
def _bare(world: World, purser: Purser, path: str) -> Iterator[str]:
    """The bare handler on the server's core. Raises Refused when its bytes are others than the service's."""
    with purser.connection() as asked:
        expected = asked.send("GET", path).read()
        bare.make_books(str(world.folder / "bare.sqlite3"), asked.get(path))
    port = free_port()
    environment = {**os.environ, bare.BOOKS: str(world.folder / "bare.sqlite3")}
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.bare:application", "--port", str(port)]
    with pinned(_SERVER_CORE):
        server = subprocess.Popen([*command, "--no-access-log", "--log-level", "warning"], env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        jobs.until(lambda: _answers(address + path), "an answer of the bare handler")
        if httpx.get(address + path).content != expected:
            raise Refused("the bare handler returns other bytes than the service")
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def _findings(found: Mapping[int, Mapping[str, list[Burst]]], seconds: float, rounds: int) -> Findings:
    bursts = {(name, count): each for count, ways in found.items() for name, each in ways.items()}
    rates = {
        f"{name}, {count} conn.": _median(each, lambda burst: burst.rate) for (name, count), each in bursts.items()
    }
    return Findings(
        "Reading a status",
        [
            f"`wrk -t1` on core 1 for {seconds:g} s, {rounds} turns; both servers on core 0, SQLite",
            "the handler returns the same bytes",
        ],
        [*(_rate(count, ways) for count, ways in found.items()), _slowest(found[_CONNECTIONS[-1]])],
        [_table(bursts)],
        {"reads": svg.bars("Reading a status, one process on one core", "requests/s", rates)},
    )


def _rate(connections: int, ways: Mapping[str, list[Burst]]) -> Line:
    own, other = (_median(ways[name], lambda burst: burst.rate) for name in (_PURSER, _BARE))
    return Line(f"status reads, {connections} conn.", "requests/s", own, other, Goal(0.25, at_least=True))


def _slowest(ways: Mapping[str, list[Burst]]) -> Line:
    own, other = (_median(ways[name], lambda burst: burst.latency_ms.p99) for name in (_PURSER, _BARE))
    return Line(f"p99 at {_CONNECTIONS[-1]} conn.", "ms", own, other, Goal(15, "figure"))


def _table(found: Mapping[tuple[str, int], list[Burst]]) -> Table:
    figures: dict[str, Callable[[Burst], float]] = {
        "requests/s": lambda burst: burst.rate,
        "median, ms": lambda burst: burst.latency_ms.median,
        "p95, ms": lambda burst: burst.latency_ms.p95,
        "p99, ms": lambda burst: burst.latency_ms.p99,
    }
    rows = [
        [name, str(count), *(number(_median(bursts, figure)) for figure in figures.values())]
        for (name, count), bursts in found.items()
    ]
    return Table(["", "connections", *figures], rows)


def _median(bursts: Sequence[Burst], figure: Callable[[Burst], float]) -> float:
    return median([figure(burst) for burst in bursts])

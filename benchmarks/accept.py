"""Accepting launches: an open loop of so many a second, on the mock executor, with commits that are on disk."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg

from api.database_url import django_settings
from benchmarks.harness import jobs, svg
from benchmarks.harness.crowd import crowd
from benchmarks.harness.findings import Findings, Goal, Line, number, spread
from benchmarks.harness.http import Connection, Refused
from benchmarks.harness.processes import Meter
from benchmarks.harness.statistics import interleaved, median, quantile
from benchmarks.harness.world import ROOM, Purser, World

_CLIENTS = 16
_CREATE = "CREATE TABLE books (id INTEGER PRIMARY KEY, line TEXT NOT NULL)"
_JOB = {"command": ["true"], "memory_mib": 64, "cpu_cores": 0.5}
_POST, _FLOOR = "POST", "one durable INSERT"
_CONNECT_SECONDS, _FLOOR_SECONDS = 0.5, 10


@dataclass(frozen=True, slots=True)
class Load:
    """How many launches a second for how long, in how many turns with the baseline."""

    rate: float = 50
    seconds: float = 60
    rounds: int = 1
    databases: tuple[str, ...] = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Taken:
    """What one open loop found: the milliseconds of each answer from the instant when it was due, and its cost.

    `refused` are the requests that were answered with an error.
    """

    took: list[float]
    cpu_ms: float = 0
    refused: int = 0


def run(world: World) -> Findings:
    return measure(world, Load(seconds=5) if world.small else Load())


def measure(world: World, load: Load) -> Findings:
    """The load on each database, each beside the smallest thing that is as durable."""
    kinds = ("the service's",) if world.url else load.databases
    taken = {f"{kind}: {way}": found for kind in kinds for way, found in _on(world, kind, load).items()}
    took = {name: [ms for one in found for ms in one.took] for name, found in taken.items()}
    cpu = {name: number(median([one.cpu_ms for one in found])) for name, found in taken.items() if _POST in name}
    opened = django_settings("sqlite:///x")["OPTIONS"]["init_command"]
    return Findings(
        "Accepting a launch",
        [
            f"`POST` at {load.rate:g}/s for {load.seconds:g} s on the mock executor, API and dispatcher at work",
            "a time counts from when the request was due",
            f"SQLite as the service opens it: `{opened}`",
        ],
        [line for kind in kinds for line in _lines(kind, took, taken)],
        [spread(took, "ms", cpu_ms_per_job=cpu)],
        {"accept": svg.curves(f"Accepting a launch at {load.rate:g}/s", "ms", took)},
    )


def _on(world: World, kind: str, load: Load) -> dict[str, list[Taken]]:
    executors = {"mock": {"OPTIONS": dict(ROOM)}}
    with ExitStack() as resources:
        database = "" if world.url else world.database(kind)
        purser = resources.enter_context(world.purser(executors, database, apart=kind == "postgresql"))
        ways: dict[str, Callable[[], Taken]] = {_POST: partial(_launches, purser, world.executor_of("mock"), load)}
        if not world.url:
            insert = resources.enter_context(_floor(world, kind))
            ways[_FLOOR] = partial(_inserts, insert, load)
        return interleaved(ways, load.rounds)


def _launches(purser: Purser, executor: str, load: Load) -> Taken:
    """Each client has a connection, and takes the next launch that is due."""
    took: list[float] = []
    refused: list[Refused] = []

    def launch(asked: Connection, due: float) -> None:
        time.sleep(max(due - time.perf_counter(), 0))
        try:
            jobs.launch(asked, executor, _JOB)
        except Refused as error:
            refused.append(error)
        took.append((time.perf_counter() - due) * 1000)

    begin = time.perf_counter() + _CONNECT_SECONDS
    dues = [begin + place / load.rate for place in range(round(load.rate * load.seconds))]
    with Meter(purser.pids) as meter:
        crowd(_CLIENTS, purser.connection, dues, launch)
    return Taken(took, meter.cpu_seconds / len(took) * 1000, len(refused))


def _inserts(insert: Callable[[], object], load: Load) -> Taken:
    took = []
    for _ in range(round(min(load.seconds, _FLOOR_SECONDS) * load.rate)):
        began = time.perf_counter()
        insert()
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(1 / load.rate)
    return Taken(took)


@contextmanager
def _floor(world: World, kind: str) -> Iterator[Callable[[], object]]:
    """Gives what commits one row so that it outlives a loss of power."""
    if kind == "postgresql":
        with psycopg.connect(world.database(kind), autocommit=True) as server:
            server.execute("CREATE TABLE books (id SERIAL PRIMARY KEY, line TEXT NOT NULL)")
            yield lambda: server.execute("INSERT INTO books (line) VALUES ('a job')")
        return
    books = sqlite3.connect(world.folder / "floor.sqlite3", isolation_level=None)
    books.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_CREATE};")
    yield lambda: books.execute("INSERT INTO books (line) VALUES ('a job')")
    books.close()


def _lines(kind: str, took: Mapping[str, list[float]], taken: Mapping[str, list[Taken]]) -> list[Line]:
    post, floor = (took.get(f"{kind}: {way}") for way in (_POST, _FLOOR))
    refused = sum(one.refused for one in taken[f"{kind}: {_POST}"])
    lines = [Line(f"{kind}, refused", "requests", refused, None, Goal(0, "figure"))]
    for name, part, limit in (("p50", 0.5, 6), ("p99", 0.99, 30)):
        figure, least = (quantile(ms, part) if ms else None for ms in (post, floor))
        lines.append(Line(f"{kind}, {name}", "ms", figure, least, Goal(limit, "figure")))
    return lines

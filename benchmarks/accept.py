"""Accepting launches: an open loop of so many a second, on the mock executor, with commits that are on disk."""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg

from api.database_url import django_settings
from benchmarks.harness import svg
from benchmarks.harness.findings import Findings, Goal, Line, number, spread
from benchmarks.harness.processes import Meter
from benchmarks.harness.statistics import interleaved, quantiles
from benchmarks.harness.world import ROOM, Purser, World

_CLIENTS = 16
_CREATE = "CREATE TABLE books (id INTEGER PRIMARY KEY, line TEXT NOT NULL)"
_JOB = {"command": ["true"], "memory_mib": 64, "cpu_cores": 0.5}
_FLOOR = "one durable INSERT"


@dataclass(frozen=True, slots=True)
class Load:
    """How many launches a second for how long, in how many turns with the baseline."""

    rate: float = 50
    seconds: float = 60
    rounds: int = 1
    databases: tuple[str, ...] = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Taken:
    """What one open loop found: the milliseconds of each answer from the instant when it was due, and its cost."""

    took: list[float]
    cpu_ms: float = 0
    peak_mib: float = 0


def run(world: World) -> Findings:
    return measure(world, Load(seconds=5) if world.small else Load())


def measure(world: World, load: Load) -> Findings:
    """The load on each database, each beside the smallest thing that is as durable."""
    kinds = ("the service's",) if world.url else load.databases
    found = {kind: _on(world, kind, load) for kind in kinds}
    took = {f"{kind}: {name}": [ms for one in taken for ms in one.took] for kind, both in found.items() for name, taken in both.items()}  # fmt: skip
    cpu = {name: _mean([one.cpu_ms for one in found[name.partition(": ")[0]][name.partition(": ")[2]]]) for name in took}
    return Findings(
        "Accepting a launch",
        [
            f"`POST` at {load.rate:g}/s for {load.seconds:g} s on the mock executor, API and dispatcher at work; a time"
            " counts from when the request was due",
            f"SQLite as the service opens it: `{django_settings('sqlite:///x')['OPTIONS']['init_command']}`",
        ],
        [line for kind, both in found.items() for line in _lines(kind, both)],
        [spread(took, "ms", cpu_ms_per_job=cpu)],
        {"accept": svg.curves(f"Accepting a launch at {load.rate:g}/s", "ms", took)},
    )


def _on(world: World, kind: str, load: Load) -> dict[str, list[Taken]]:
    with ExitStack() as resources:
        database = "" if world.url else world.database(kind)
        executors = {"mock": {"OPTIONS": dict(ROOM)}}
        purser = resources.enter_context(world.purser(executors, database, apart=kind == "postgresql"))
        ways: dict[str, Callable[[], Taken]] = {"POST": lambda: _launches(purser, world.executor_of("mock"), load)}
        if not world.url:
            insert = resources.enter_context(_floor(world, kind))
            ways[_FLOOR] = lambda: Taken(_inserts(insert, load))
        return interleaved(ways, load.rounds)


def _launches(purser: Purser, executor: str, load: Load) -> Taken:
    """Each client has a connection, and takes the next launch that is due."""
    due = _schedule(load)
    took: list[float] = []
    failures: list[Exception] = []

    def client() -> None:
        try:
            with purser.connection() as asked:
                asked.get("/api/v1/executors")
                for at in iter(due.get_nowait, None):
                    time.sleep(max(at - time.perf_counter(), 0))
                    asked.post(f"/api/v1/executors/{executor}/jobs", _JOB)
                    took.append((time.perf_counter() - at) * 1000)
        except queue.Empty:
            return
        except Exception as error:  # noqa: BLE001  (told by who waits for it)
            failures.append(error)

    with Meter(purser.pids) as meter:
        threads = [threading.Thread(target=client) for _ in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return Taken(took, meter.cpu_seconds / len(took) * 1000, meter.peak_mib)


def _schedule(load: Load) -> queue.SimpleQueue[float]:
    due: queue.SimpleQueue[float] = queue.SimpleQueue()
    begin = time.perf_counter() + 0.5
    for number_ in range(round(load.rate * load.seconds)):
        due.put(begin + number_ / load.rate)
    return due


def _inserts(insert: Callable[[], object], load: Load) -> list[float]:
    took = []
    for _ in range(round(min(load.seconds, 10) * load.rate)):
        began = time.perf_counter()
        insert()
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(1 / load.rate)
    return took


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


def _lines(kind: str, found: dict[str, list[Taken]]) -> list[Line]:
    told = {name: quantiles([ms for one in taken for ms in one.took]) for name, taken in found.items()}
    floor = told.get(_FLOOR)
    post = told["POST"]
    return [
        Line(f"{kind}, p50", "ms", post.median, floor and floor.median, Goal(6, "figure")),
        Line(f"{kind}, p99", "ms", post.p99, floor and floor.p99, Goal(30, "figure")),
    ]


def _mean(values: list[float]) -> str:
    return number(sum(values) / len(values)) if any(values) else ""

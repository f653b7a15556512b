"""After a SIGKILL with 200 jobs running: how long from the restart until all are watched again."""

import time
from functools import partial
from uuid import UUID

from docker import APIClient

from benchmarks.harness import jobs
from benchmarks.harness.books import Books, number, opened
from benchmarks.harness.findings import Findings, Goal, Line
from benchmarks.harness.sleepers import sleeping
from benchmarks.harness.statistics import interleaved, median
from benchmarks.harness.world import World, docker_executor, started
from container_manager.spec import execution_id
from tests.e2e.service import Service, stop

_KILLED = 5
_WATCHED = """
    SELECT COUNT(*) FROM container_manager_job
    WHERE state = 'running' AND stale_since IS NULL AND owner IN (SELECT id FROM container_manager_dispatcherlease)
"""


def run(world: World) -> Findings:
    """Kill and restart in turns, the baseline is the restart of a service that has no job."""
    world.require_own("recovery")
    count, rounds = (20, 1) if world.small else (200, 5)
    executors = {"docker": docker_executor(world.engine)}
    full_url, empty_url = world.database("sqlite"), world.database("sqlite")
    with (
        world.installation(executors, full_url) as full,
        world.installation(executors, empty_url) as empty,
        jobs.raw_client(world.engine) as engine,
        opened(full_url) as books,
    ):
        full.serve()
        empty.serve()
        with started(full).connection() as asked, sleeping(asked, engine, count) as made:
            ways = {"200": partial(_recovered, full, books, count), "none": partial(_restarted, empty)}
            took = interleaved(ways, rounds)
            noticed = _noticed(full, engine, made[:_KILLED])
        stop(empty.processes[-1])
    return _findings(took["200"], took["none"], noticed, count, rounds)


def _recovered(service: Service, books: Books, count: int) -> float:
    """Kill the service as it is, start it anew, and wait until a living dispatcher owns every job."""
    _kill(service)
    began = time.monotonic()
    # Its lease stands in the books until another dispatcher has looked: only what was taken over since counts.
    fences = _fences(books)
    service.start("serve")
    jobs.until(lambda: _fences(books) >= fences + count and _watched(books) == count, "the watch over all")
    return time.monotonic() - began


def _restarted(service: Service) -> float:
    _kill(service)
    began = time.monotonic()
    service.serve()
    return time.monotonic() - began


def _kill(service: Service) -> None:
    service.processes[-1].kill()
    service.processes[-1].wait()


def _watched(books: Books) -> int:
    return number(books, _WATCHED)


def _fences(books: Books) -> int:
    """Grows by one with each job that is taken over."""
    return number(books, "SELECT COALESCE(SUM(fence), 0) FROM container_manager_job")


def _noticed(service: Service, engine: APIClient, some: list[str]) -> float:
    """Kill a few of them on the engine: how long until the last end is known, the proof that they are watched."""
    with started(service).connection() as asked:
        names = [execution_id(UUID(job), 1) for job in some]
        began = time.monotonic()
        for name in names:
            engine.kill(name)
        for job in some:
            jobs.ended(asked, job)
        return time.monotonic() - began


def _findings(full: list[float], empty: list[float], noticed: float, count: int, rounds: int) -> Findings:
    return Findings(
        f"SIGKILL with {count} running jobs",
        [
            f"`kill -9` of `manage.py serve` on SQLite and a start, {rounds} turns, from the start of the process",
            "watched is owned by the living dispatcher and not stale",
            "the baseline is the first answer of a service without a job",
            f"then {_KILLED} of the containers are killed on the engine",
        ],
        [
            Line("all watched again, worst", "s", max(full), max(empty), Goal(3, "figure")),
            Line("all watched again, median", "s", median(full), median(empty)),
            Line(f"the ends of {_KILLED} killed ones are known", "s", noticed),
        ],
    )

"""What 200 containers that run and do nothing cost the service."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness import jobs
from benchmarks.harness.findings import Findings, Goal, Line, Table, number
from benchmarks.harness.processes import cpu_seconds, listener, resident_mib, threads
from benchmarks.harness.sleepers import sleeping
from benchmarks.harness.world import World, docker_executor

_SETTLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Over a while: the part of one core in percent, ours and the engine's, and at its end our memory and threads."""

    cpu: float
    engine_cpu: float
    memory_mib: float
    threads: int


def run(world: World) -> Findings:
    """The service with nothing to do, then with so many idle jobs."""
    world.require_own("idle")
    count, seconds = (20, 10.0) if world.small else (200, 60.0)
    with (
        world.purser({"docker": docker_executor(world.engine)}) as purser,
        purser.connection() as asked,
        jobs.raw_client(world.engine) as engine,
    ):
        empty = _cost(purser.pids, world.engine, seconds)
        with sleeping(asked, engine, count):
            full = _cost(purser.pids, world.engine, seconds)
    return _findings(empty, full, count, seconds)


def _cost(pids: Sequence[int], url: str, seconds: float) -> Cost:
    pid = listener(url)
    engine = [pid] if pid else []
    time.sleep(_SETTLE_SECONDS)
    began, used, engine_used = time.monotonic(), cpu_seconds(pids), cpu_seconds(engine)
    time.sleep(seconds)
    passed = time.monotonic() - began
    own, engines = cpu_seconds(pids) - used, cpu_seconds(engine) - engine_used
    return Cost(own / passed * 100, engines / passed * 100, resident_mib(pids), threads(pids))


def _findings(empty: Cost, full: Cost, count: int, seconds: float) -> Findings:
    rows = [
        [name, number(cost.cpu), number(cost.engine_cpu), number(cost.memory_mib), str(cost.threads)]
        for name, cost in (("no job", empty), (f"{count} idle jobs", full))
    ]
    return Findings(
        f"{count} idle containers",
        [
            f"API and dispatcher in one process on SQLite, {seconds:g} s each",
            "the baseline is the same service without a job",
        ],
        [
            Line("cpu", "% of a core", full.cpu, empty.cpu, Goal(3, "figure")),
            Line("resident memory", "MB", _megabytes(full), _megabytes(empty), Goal(250, "figure")),
        ],
        [Table(["", "% of a core", "engine, % of a core", "memory, MiB", "threads"], rows)],
    )


def _megabytes(cost: Cost) -> float:
    return cost.memory_mib * 1.048576

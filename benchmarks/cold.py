"""One job at a time: `POST` with wait to its answer, beside `docker run --rm` of the same image and limits."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from docker import APIClient

from benchmarks.harness import jobs, prometheus, svg
from benchmarks.harness.findings import Findings, Goal, Line, Table, number, spread
from benchmarks.harness.http import Connection
from benchmarks.harness.processes import cpu_seconds, listener
from benchmarks.harness.statistics import interleaved, median
from benchmarks.harness.world import Purser, World, docker_executor
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.spec import parse_execution_id

ROUNDS, SMALL_ROUNDS, WARM_UP = 200, 12, 3
_BASELINE = "docker run --rm"
_STAGES = {
    "accept": "accepted", "wake": "woken", "claim": "claimed", "reserve": "reserved", "create": "created",
    "start": "started", "run": "ended", "notice": "noticed", "release": "recorded",
}  # fmt: skip
"""What each span of the way from `POST` to the visible end leads to, in their order."""
_WARM_SIZE = 2


@dataclass(frozen=True, slots=True)
class Way:
    """One way to launch: what its executor is configured with, and how much of it must be ready before a launch."""

    executor: str
    goal: float
    options: Mapping[str, Any] = field(default_factory=dict)
    role: str = ""
    ready: int = 0

    @property
    def lacks(self) -> list[str]:
        """The options that the executor does not have."""
        return sorted(self.options.keys() - DockerOptions.model_fields.keys())


WAYS = {
    "cold": Way("docker", 1.0),
    "prepared network": Way("docker-prepared", 0.65, {"prepared_networks": 2}, "network", 1),
    "warm": Way(
        "docker-warm",
        0.25,
        {"warm_pools": [{"image": jobs.IMAGE, "size": _WARM_SIZE, "memory_mib": 64, "cpu_cores": 1.0}]},
        "warm",
        _WARM_SIZE,
    ),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one job: how long until its answer, and the cpu time of who runs it and of the engine, in milliseconds.

    `path` is the way that the launch took, where that is told.
    """

    took: float
    cpu: float
    engine_cpu: float
    path: str


def run(world: World) -> Findings:
    """Measure each way that there is, in turns with the baseline."""
    there = {name: way for name, way in WAYS.items() if not way.lacks}
    if world.url:
        there = {"cold": Way(world.executor_of("docker"), 1.0)}
    executors = {way.executor: docker_executor(world.engine, **way.options) for way in there.values()}
    rounds = SMALL_ROUNDS if world.small else ROUNDS
    with world.purser(executors) as purser, purser.connection() as asked, jobs.raw_client(world.engine) as engine:
        for way in there.values():
            _post(asked, way.executor)  # what is prepared for a tenant begins with its first job
        ways = _ways(purser, asked, engine, there, world.engine)
        interleaved(ways, WARM_UP)
        before = prometheus.spans(asked)
        costs = interleaved(ways, rounds)
        spans = {name: prometheus.between(before, prometheus.spans(asked), way.executor) for name, way in there.items()}
    return _findings(costs, spans)


def _ways(
    purser: Purser, asked: Connection, engine: APIClient, there: Mapping[str, Way], url: str
) -> dict[str, Callable[[], Cost]]:
    pid = listener(url)
    engine_pids = [pid] if pid else []
    ready = partial(_is_ready, engine, list(there.values()))

    def measured(act: Callable[[], str], cpu: Callable[[], float]) -> Cost:
        jobs.until(ready, "a rest of the engine")
        used, engine_used, began = cpu(), cpu_seconds(engine_pids), time.perf_counter()
        path = act()
        took = time.perf_counter() - began
        jobs.until(ready, "a rest of the engine")
        return Cost(took * 1000, (cpu() - used) * 1000, (cpu_seconds(engine_pids) - engine_used) * 1000, path)

    ways: dict[str, Callable[[], Cost]] = {_BASELINE: partial(measured, partial(_docker_run, url), _children_seconds)}
    for name, way in there.items():
        ways[name] = partial(measured, partial(_post, asked, way.executor), partial(cpu_seconds, purser.pids))
    return ways


def _is_ready(engine: APIClient, ways: Iterable[Way]) -> bool:
    """Whether nothing of a job is left on the engine, and what is prepared ahead is prepared."""
    if any(map(parse_execution_id, jobs.containers(engine, "purser.executor"))):
        return False
    return all(len(jobs.containers(engine, f"purser.role={way.role}")) >= way.ready for way in ways if way.ready)


def _post(asked: Connection, executor: str) -> str:
    job = jobs.succeeded(jobs.launch(asked, executor, jobs.body("true"), wait=60))
    return str(job["attempts"][-1].get("launch_path") or "")


def _docker_run(url: str) -> str:
    subprocess.run(jobs.docker_run("true"), check=True, env={**os.environ, "DOCKER_HOST": url})
    return ""


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _findings(costs: Mapping[str, list[Cost]], spans: Mapping[str, Mapping[str, tuple[float, int]]]) -> Findings:
    took = {name: [cost.took for cost in found] for name, found in costs.items()}
    lines = [_line(name, way, took) for name, way in WAYS.items()]
    cpu = {name: _mean(cost.cpu for cost in found) for name, found in costs.items()}
    engine_cpu = {name: _mean(cost.engine_cpu for cost in found) for name, found in costs.items()}
    paths = {name: _counted(cost.path for cost in found) for name, found in costs.items()}
    return Findings(
        "One job at a time",
        [f"`POST` with `Prefer: wait=60` of `true` in turns with `{' '.join(jobs.docker_run('true'))}`"],
        lines,
        [
            spread(took, "ms", cpu_ms_per_job=cpu, engine_cpu_ms_per_job=engine_cpu, launch_path=paths),
            _span_table(spans),
        ],
        {"cold": svg.curves("One job at a time, POST to its answer", "ms", took)},
    )


def _line(name: str, way: Way, took: Mapping[str, list[float]]) -> Line:
    figure = median(took[name]) if name in took else None
    absent = f"not available: no option {', '.join(way.lacks)}" if way.lacks else "not measured"
    return Line(f"{name}, p50", "ms", figure, median(took[_BASELINE]), Goal(way.goal), absent)


def _span_table(spans: Mapping[str, Mapping[str, tuple[float, int]]]) -> Table:
    named = {span for found in spans.values() for span in found}
    order = [*_STAGES, *sorted(named - _STAGES.keys())]
    rows = [
        [span, _STAGES.get(span, ""), *(_mean_of(found, span) for found in spans.values())]
        for span in order
        if span in named
    ]
    return Table(["span", "leads to", *(f"{name}, mean ms" for name in spans)], rows)


def _mean_of(found: Mapping[str, tuple[float, int]], span: str) -> str:
    return number(found[span][0]) if span in found else ""


def _mean(values: Iterable[float]) -> str:
    found = list(values)
    return number(sum(found) / len(found))


def _counted(paths: Iterable[str]) -> str:
    return ", ".join(f"{count} {path}" for path, count in Counter(paths).most_common() if path)

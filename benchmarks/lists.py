"""Lists of 50 jobs, of a million and of a thousand, on both databases."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import quote

from benchmarks.harness import books, jobs, svg
from benchmarks.harness.findings import Findings, Goal, Line, spread
from benchmarks.harness.http import Connection
from benchmarks.harness.statistics import interleaved, median
from benchmarks.harness.world import ROOM, World, started

_FEW, _LIMIT = 1000, 50
_NAMES = ("first page", "page in the middle", "by state", "by label")
_JOB = {"command": ["true"], "memory_mib": 64, "cpu_cores": 0.5, "labels": {"team": "b"}}


def run(world: World) -> Findings:
    """Each list of the many in turns with the same list of the few."""
    world.require_own("lists")
    many, rounds = (20_000, 20) if world.small else (1_000_000, 200)
    found = {kind: _on(world, kind, many, rounds) for kind in ("sqlite", "postgresql")}
    took = {f"{kind}: {name}": values for kind, lists in found.items() for name, values in lists.items()}
    return Findings(
        f"Lists of {_LIMIT} of {many:,} jobs",
        [
            f"`GET /api/v1/jobs?limit={_LIMIT}` over one connection, {rounds} turns",
            f"the baseline is the same of {_FEW:,} jobs",
        ],
        [line for kind, lists in found.items() for line in _lines(kind, lists, many)],
        [spread(took, "ms")],
        {"lists": svg.bars(f"Lists of {_LIMIT}, median", "ms", {name: median(ms) for name, ms in took.items()})},
    )


def _on(world: World, kind: str, many: int, rounds: int) -> dict[str, list[float]]:
    with ExitStack() as resources:
        asked = {size: _filled(world, resources, kind, size) for size in (_FEW, many)}
        ways: dict[str, Callable[[], float]] = {}
        for size, connection in asked.items():
            for name, path in _paths(connection, size).items():
                ways[_named(name, size)] = partial(_took, connection, path)
        interleaved(ways, 3)
        return interleaved(ways, rounds)


def _filled(world: World, resources: ExitStack, kind: str, size: int) -> Connection:
    """A connection to an API process whose books hold so many jobs."""
    database = world.database(kind)
    service = resources.enter_context(world.installation({"mock": {"OPTIONS": dict(ROOM)}}, database))
    service.serve("--no-dispatcher")
    dispatcher = service.start("dispatch")
    asked = resources.enter_context(started(service).connection())
    job = jobs.cleaned(asked, jobs.launch(asked, "mock", _JOB)["id"])
    dispatcher.terminate()
    dispatcher.wait()
    books.copy_job(database, job["id"], size - 1)
    return asked


def _paths(asked: Connection, size: int) -> Mapping[str, str]:
    base = f"/api/v1/jobs?limit={_LIMIT}"
    middle = datetime.now(UTC) - timedelta(days=20) + timedelta(seconds=size / 2)
    cursor = asked.get(f"{base}&created_before={quote(middle.isoformat())}")["next_cursor"]
    paths = (base, f"{base}&cursor={cursor}", f"{base}&state=failed", f"{base}&label=team:a")
    return dict(zip(_NAMES, paths, strict=True))


def _took(asked: Connection, path: str) -> float:
    began = time.perf_counter()
    found = asked.send("GET", path).read()
    took = time.perf_counter() - began
    if found.count(b'"reason"') < _LIMIT:
        raise RuntimeError(f"{path} shows fewer than {_LIMIT} jobs")
    return took * 1000


def _named(name: str, size: int) -> str:
    return f"{name}, {size:,} jobs"


def _lines(kind: str, lists: Mapping[str, list[float]], many: int) -> list[Line]:
    lines = []
    for name in _NAMES:
        figure, baseline = (median(lists[_named(name, size)]) for size in (many, _FEW))
        lines.append(Line(f"{kind}, {name}, p50", "ms", figure, baseline, Goal(1.5)))
    return lines

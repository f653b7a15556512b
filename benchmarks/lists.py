"""Lists of 50 jobs, of a million and of a thousand, on both databases."""

import time
from collections.abc import Mapping
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
_JOB = {"command": ["true"], "memory_mib": 64, "cpu_cores": 0.5, "labels": {"team": "b"}}


def run(world: World) -> Findings:
    """Each list of the many in turns with the same list of the few."""
    world.require_own("lists")
    many, rounds = (20_000, 20) if world.small else (1_000_000, 200)
    found = {kind: _on(world, kind, many, rounds) for kind in ("sqlite", "postgresql")}
    took = {f"{kind}: {name}, {size:,} jobs": values for kind, lists in found.items() for (name, size), values in lists.items()}  # fmt: skip
    return Findings(
        f"Lists of {_LIMIT} of {many:,} jobs",
        [f"`GET /api/v1/jobs?limit={_LIMIT}` over one connection, {rounds} turns; the baseline is the same of {_FEW:,} jobs"],
        [line for kind, lists in found.items() for line in _lines(kind, lists, many)],
        [spread(took, "ms")],
        {"lists": svg.bars(f"Lists of {_LIMIT}", "ms", {name: median(values) for name, values in took.items()})},
    )


def _on(world: World, kind: str, many: int, rounds: int) -> dict[tuple[str, int], list[float]]:
    with ExitStack() as resources:
        asked = {size: _filled(world, resources, kind, size) for size in (_FEW, many)}
        ways = {}
        for size, connection in asked.items():
            for name, path in _paths(connection, size).items():
                ways[name, size] = partial(_took, connection, path)
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
    return {
        "first page": base,
        "page in the middle": f"{base}&cursor={cursor}",
        "by state": f"{base}&state=failed",
        "by label": f"{base}&label=team:a",
    }


def _took(asked: Connection, path: str) -> float:
    began = time.perf_counter()
    found = asked.send("GET", path).read()
    took = time.perf_counter() - began
    if found.count(b'"reason"') < _LIMIT:
        raise RuntimeError(f"{path} shows fewer than {_LIMIT} jobs")
    return took * 1000


def _lines(kind: str, lists: Mapping[tuple[str, int], list[float]], many: int) -> list[Line]:
    names = [name for name, size in lists if size == many]
    return [
        Line(f"{kind}, {name}, p50", "ms", median(lists[name, many]), median(lists[name, _FEW]), Goal(1.5))
        for name in names
    ]

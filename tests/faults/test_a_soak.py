"""Many jobs under two dispatchers that are killed again and again, while engine and database are stopped and started.

Nothing is lost, nothing doubled, nothing leaked. Doubled means: two executions of one attempt. An engine that goes down
without live-restore takes its containers with it, and one with it takes those that it is just starting: such an attempt
ends as `engine_lost` or `launch_error`, and the job gets another one.
"""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from container_manager.states import TERMINAL
from tests.engine import PrivateEngine
from tests.faults.world import Dispatchers, World
from tests.services import Postgres

JOBS = int(os.environ.get("PURSER_SOAK_JOBS", "24"))
DISPATCHERS = 2
LONGEST_LIFE_SECONDS = 4.0
LONGEST_OUTAGE_SECONDS = 3.0


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("PURSER_SOAK_SEED", str(time.time_ns() % 10_000)))
    print(f"\nseed {seed}")  # noqa: T201
    return random.Random(seed)


@pytest.fixture(params=[True, False], ids=["live-restore", "no live-restore"])
def private(request: pytest.FixtureRequest) -> Iterator[PrivateEngine]:
    with PrivateEngine(live_restore=request.param) as private:
        yield private


@pytest.fixture
def durable() -> Iterator[Postgres]:
    """A PostgreSQL of which no commit is lost, however it ends."""
    with Postgres(synchronous_commit="on") as server:
        yield server


def test_killed_dispatchers_lose_nothing_and_double_nothing(world: World, chance: random.Random) -> None:
    world.accept(JOBS, world.request(seconds="0.2", memory_mib=16, cpu_cores=0.1))
    told = soak(world, JOBS, chance, {})

    assert told["ends"]["killed"] > DISPATCHERS
    assert told["jobs"] == {"succeeded at attempt 1": JOBS}


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_neither_an_engine_nor_a_database_that_goes_and_comes_loses_or_doubles_anything(
    private: PrivateEngine, kind: str, chance: random.Random, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def stop_the_engine() -> None:
        private.stop()
        time.sleep(chance.uniform(0, LONGEST_OUTAGE_SECONDS))
        private.start()

    troubles = {"engine stopped": stop_the_engine}
    database_url = f"sqlite:///{tmp_path}/purser.sqlite3"
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("durable")
        database_url = server.url

        def stop_the_database() -> None:
            server.stop(chance.choice([signal.SIGINT, signal.SIGQUIT]))  # at once, and as a crash
            time.sleep(chance.uniform(0, LONGEST_OUTAGE_SECONDS))
            server.start()

        troubles["database stopped"] = stop_the_database
    world = World(database_url, private.base_url, tmp_path)
    # The pause between retries is short, so that a lost attempt is made good while all goes on.
    patience = {"max_retries": 50, "retry_backoff_seconds": 0.1, "retry_backoff_cap_seconds": 1}
    world.accept(JOBS, world.request(seconds="0.5", memory_mib=16, cpu_cores=0.1, **patience))
    told = soak(world, JOBS, chance, troubles)

    assert set(told["troubles"]) >= set(troubles)
    assert sum(told["jobs"].values()) == JOBS
    assert all(ended.startswith("succeeded ") for ended in told["jobs"])
    assert {ended.split()[0] for ended in told["ends of other attempts"]} <= {"engine_lost", "launch_error"}


def soak(world: World, count: int, chance: random.Random, troubles: Mapping[str, Callable[[], None]]) -> dict[str, Any]:
    """Trouble the dispatchers until every job has run; then the books must balance, and are told in short."""
    dispatchers, made = Dispatchers(world, DISPATCHERS), Counter[str]()
    give_up = time.monotonic() + 10 * count
    try:
        while (len(world.runs()) < count or set(made) < set(troubles)) and time.monotonic() < give_up:
            dispatchers.revive()
            dispatchers.kill(chance.randrange(DISPATCHERS), chance.uniform(0, LONGEST_LIFE_SECONDS))
            for name in chance.sample(sorted(troubles), k=min(len(troubles), chance.randint(0, 1))):
                troubles[name]()
                made[name] += 1
    finally:
        dispatchers.close()
    books, runs = world.books(), world.runs()
    attempts = [job["attempts"] for job in books["jobs"]]
    told = {
        "terminal": sum(job["state"] in TERMINAL for job in books["jobs"]),
        "lost": count - len(runs),
        "doubled": sum(doubled(containers, attempts) for containers in runs.values()),
        "leaked": len(world.left(books)),
        "jobs": Counter(f"{job['state']} at attempt {job['attempt']}" for job in books["jobs"]),
        "ends of other attempts": Counter(
            f"{attempt['reason']} {attempt['evidence']}"
            for job in books["jobs"]
            for attempt in job["attempts"]
            if attempt["reason"] != "completed"
        ),
        "executions": sum(len(containers) for containers in runs.values()),
        "troubles": made,
        "ends": dispatchers.ends,
    }
    print(f"soak of {count} jobs: {json.dumps(told)}")  # noqa: T201
    assert (told["terminal"], told["lost"], told["doubled"], told["leaked"]) == (count, 0, 0, 0)
    check(books)
    return told


def doubled(containers: list[str], attempts: list[list[dict[str, Any]]]) -> int:
    """How often a job has run more than once in an attempt. The log of its last attempt says whose these were."""
    mine = next((own for own in attempts if own[-1]["stdout"].split("\n")[0] in containers), [])
    return max(len(containers) - len(mine), len(containers) - len(set(containers)))


def check(books: dict[str, Any]) -> None:
    """Every log is whole, and no two attempts have had one container."""
    for job in books["jobs"]:
        assert job["cleaned"]
        last = job["attempts"][-1]
        assert (last["stdout"].split()[1:], last["stderr"], last["complete"]) == (["out", "last"], "err\n", True)
    logged = [attempt["stdout"].split("\n")[0] for job in books["jobs"] for attempt in job["attempts"]]
    assert Counter(container for container in logged if container).most_common(1)[0][1] == 1

"""Many jobs under two dispatchers that are killed again and again: none lost, none doubled, nothing leaked."""

import os
import random
import signal
import time
from collections import Counter

from tests.faults.world import World

JOBS = int(os.environ.get("PURSER_SOAK_JOBS", "24"))
DISPATCHERS = 2
LONGEST_LIFE_SECONDS = 4.0


def test_killed_dispatchers_lose_nothing_and_double_nothing(world: World) -> None:
    seed = int(os.environ.get("PURSER_SOAK_SEED", str(time.time_ns() % 10_000)))
    chance = random.Random(seed)
    request = world.request(seconds="0.2", memory_mib=16, cpu_cores=0.1)
    accepted = world.run("accept", str(JOBS), request)
    assert accepted.returncode == 0, accepted.stderr

    kills = _kill_until_all_have_run(world, chance)
    books = world.books()

    ended = Counter(f"{job['state']} at attempt {job['attempt']}" for job in books["jobs"])
    print(f"soak: seed {seed}, {JOBS} jobs, {kills} kills, {dict(ended)}, runs {Counter(world.runs().values())}")  # noqa: T201
    assert ended == {"succeeded at attempt 1": JOBS}
    assert world.runs() == {str(number): 1 for number in range(JOBS)}
    assert all(job["logs"] == {"stdout": "out\nlast\n", "stderr": "err\n"} for job in books["jobs"])
    assert (books["allocations"], books["used"], books["executions"]) == (0, [[0, 0]], [])
    assert kills >= DISPATCHERS


def _kill_until_all_have_run(world: World, chance: random.Random) -> int:
    """Each dispatcher lives for a random while and is then replaced; the last ones are killed as well."""
    kills, give_up = 0, time.monotonic() + 10 * JOBS
    living = [world.start("dispatch_on") for _ in range(DISPATCHERS)]
    try:
        while len(world.runs()) < JOBS and time.monotonic() < give_up:
            time.sleep(chance.uniform(0.5, LONGEST_LIFE_SECONDS))
            doomed = chance.randrange(DISPATCHERS)
            living[doomed].kill()
            assert living[doomed].wait() == -signal.SIGKILL
            living[doomed] = world.start("dispatch_on")
            kills += 1
    finally:
        for process in living:
            process.kill()
            process.wait()
    return kills + DISPATCHERS

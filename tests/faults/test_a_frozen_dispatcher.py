"""SIGSTOP until others have taken over: the old owner that wakes up runs nothing again and changes nothing.

On PostgreSQL: the one lock of SQLite may be held by whoever stops, and then all others wait for him.
"""

import signal
from pathlib import Path

import pytest

from tests.faults.world import World

PLACES = ("launch", "create", "start", "record", "release", "cleanup")


@pytest.fixture
def world(postgres_database_url: str, docker_url: str, tmp_path: Path) -> World:
    return World(postgres_database_url, docker_url, tmp_path, PURSER_DISPATCHER_LEASE_SECONDS="2")


@pytest.mark.parametrize("place", PLACES)
def test_an_old_owner_that_wakes_up_finds_the_job_over_and_does_not_run_it_again(world: World, place: str) -> None:
    with world.frozen(f"{place}:begin", world.request()) as old:
        before = world.books()
        after = old.wakes()

    assert {**after, "found": None} == {**before, "found": None}
    assert [len(containers) for containers in world.runs().values()] == [1]
    assert world.left(after) == []


def test_an_old_owner_that_wakes_up_does_not_start_again_what_has_ended_and_is_not_cleaned(world: World) -> None:
    with world.frozen("start:begin", world.request()) as old:
        assert world.run("die_at", "cleanup:begin").returncode == -signal.SIGKILL
        books = old.wakes()

    assert [len(containers) for containers in world.runs().values()] == [1]
    assert ([job["attempt"] for job in books["jobs"]], world.left(books)) == ([1], [])

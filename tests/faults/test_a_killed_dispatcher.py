"""SIGKILL at every boundary of a launch and of an end: the next dispatcher makes it exactly one execution."""

import signal
from typing import Any

import pytest

from tests.faults.world import World

# Where it dies, and what it leaves there: the job's state, what the job holds, and its execution.
PLACES = {
    "claim:begin": ("queued", 0, "none"),
    "reserve:begin": ("queued", 0, "none"),
    "reserve:end": ("queued", 0, "none"),  # a claim and its reservation are one transaction
    "claim:end": ("launching", 1, "none"),
    "launch:begin": ("launching", 1, "none"),
    "create:begin": ("launching", 1, "none"),
    "create:end": ("launching", 1, "created"),
    "start:begin": ("launching", 1, "created"),
    "start:end": ("launching", 1, "begun"),
    "launch:end": ("launching", 1, "begun"),
    "record:begin": ("launching", 1, "begun"),
    "record:end": ("running", 1, "begun"),
    "harvest:begin": ("running", 1, "begun"),
    "harvest:end": ("running", 1, "begun"),
    "release:begin": ("running", 1, "begun"),
    "release:end": ("succeeded", 0, "begun"),
    "cleanup:begin": ("succeeded", 0, "begun"),
    "cleanup:end": ("succeeded", 0, "none"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_dispatcher_killed_at_any_boundary_leaves_one_execution_and_balanced_books(world: World, place: str) -> None:
    killed = world.run("die_at", place, "1", world.request())
    books = world.books()

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert left(books["found"]) == PLACES[place]
    ((container,),) = world.runs().values()
    assert books["jobs"] == [
        {
            "id": books["jobs"][0]["id"],
            "state": "succeeded",
            "attempt": 1,
            "cleaned": True,
            "events": ["queued", "launching", "running", "succeeded"],
            "attempts": [
                {
                    "reason": "completed",
                    "evidence": {"exit_code": 0},
                    "stdout": f"{container}\nout\nlast\n",
                    "stderr": "err\n",
                    "complete": True,
                }
            ],
        }
    ]
    assert world.left(books) == []


def left(found: dict[str, Any]) -> tuple[str, int, str]:
    """What a dispatcher that died has left of its one job."""
    (state,) = found["jobs"]
    executions = [status if status == "created" else "begun" for status in found["executions"]]
    return state, found["allocations"], *(executions or ["none"])

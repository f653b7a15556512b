"""SIGKILL at every boundary of a launch and of an end: the next dispatcher makes it exactly one execution."""

import signal

import pytest

from tests.faults.world import World

SPANS = ("claim", "launch", "create", "start", "record", "harvest", "release", "cleanup")


@pytest.mark.parametrize("place", [f"{name}:{edge}" for name in SPANS for edge in ("begin", "end")])
def test_a_dispatcher_killed_at_any_boundary_leaves_one_execution_and_balanced_books(world: World, place: str) -> None:
    killed = world.run("die_at", place, "1", world.request())
    books = world.books()

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    ((container,),) = world.runs().values()
    assert books["jobs"] == [
        {
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
    assert (books["allocations"], books["used"], books["executions"]) == (0, [[0, 0]], [])

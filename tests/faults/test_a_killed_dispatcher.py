"""SIGKILL at every boundary of a launch and of an end: the next dispatcher makes it exactly one execution."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SPANS = ("claim", "launch", "create", "start", "record", "harvest", "release", "cleanup")
PLACES = [f"{name}:{edge}" for name in SPANS for edge in ("begin", "end")]
SCRIPT = "echo ran >> {out}/ran; echo out; echo err >&2; sleep 0.3; echo last"


class World:
    """One database, one executor, and the processes that use them."""

    def __init__(self, database_url: str, executors: dict[str, Any], folder: Path) -> None:
        self.out = folder / "out"
        self.out.mkdir(mode=0o777)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PURSER_")},
            "DJANGO_SETTINGS_MODULE": "api.settings",
            "PURSER_DATABASE_URL": database_url,
            "PURSER_DATA_DIR": str(folder / "data"),
            "PURSER_EXECUTORS": json.dumps(executors),
            "PURSER_REPORT_SECONDS": "0.2",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tests.faults.doomed", *arguments],
            env=self._environment, capture_output=True, text=True, timeout=90,
        )  # fmt: skip


@pytest.fixture
def docker_world(database_url: str, docker_url: str, tmp_path: Path) -> World:
    # The name of the instance keeps what an earlier, failed run has left out of this one's sight.
    options = {"base_url": docker_url, "mount_roots": [str(tmp_path)], "instance": f"faults-{os.getpid()}"}
    return World(database_url, {"docker": {"OPTIONS": options}}, tmp_path)


def request(world: World) -> str:
    return json.dumps(
        {
            "image": "busybox:local",
            "command": ["sh", "-c", SCRIPT.format(out="/out")],
            "mounts": [{"type": "bind", "source": str(world.out), "target": "/out", "read_only": False}],
        }
    )


@pytest.mark.parametrize("place", PLACES)
def test_a_dispatcher_killed_at_any_boundary_leaves_one_execution_and_balanced_books(
    docker_world: World, place: str
) -> None:
    killed = docker_world.run("launch", "docker", request(docker_world), place)
    after = docker_world.run("dispatch")

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert after.returncode == 0, after.stderr
    books = json.loads(after.stdout)
    assert (docker_world.out / "ran").read_text() == "ran\n"
    assert (books["state"], books["attempt"], books["cleaned"]) == ("succeeded", 1, True)
    assert books["events"] == ["queued", "launching", "running", "succeeded"]
    assert (books["logs"], books["complete"]) == ({"stdout": "out\nlast\n", "stderr": "err\n"}, True)
    assert (books["allocations"], books["used"], books["executions"]) == (0, [[0, 0]], [])

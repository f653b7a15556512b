"""What tests of warm pools see of an engine."""

import os
import time
from typing import Any

import docker

from container_manager.executors.docker import DockerExecutor


def ours(client: docker.APIClient, executor: DockerExecutor) -> dict[str, dict[str, Any]]:
    """The containers of an executor by name."""
    label = f"purser.instance={executor.options.instance}"
    listed = client.containers(all=True, filters={"label": [label]})
    return {each["Names"][0].removeprefix("/"): each for each in listed}


def waiting(client: docker.APIClient, executor: DockerExecutor) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in ours(client, executor).items() if name.startswith("purser-warm-")}


def runs(client: docker.APIClient, executor: DockerExecutor, code: int) -> int:
    """How many of its containers have ever ended with this code."""
    filters = {"label": f"purser.instance={executor.options.instance}", "event": "die"}
    told = client.events(since=1, until=f"{time.time():.6f}", filters=filters, decode=True)
    return sum(event["Actor"]["Attributes"]["exitCode"] == str(code) for event in told)


def groups() -> set[str]:
    """The control groups of executions and of what waits, of whomever."""
    with open("/proc/self/mounts") as lines:
        mounts = [line.split()[1] for line in lines if line.split()[2] in ("cgroup", "cgroup2")]
    return {name for where in mounts for name in os.listdir(where) if name.startswith("purser-")}

"""The job that is measured, in the words of each way to run it, and what is asked about jobs of the service."""

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, TypeVar

from docker import APIClient

from benchmarks.harness.http import Connection, Refused
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.executors.docker_engine.request import container_request
from tests import engine

IMAGE = engine.IMAGE
GIVE_UP_SECONDS = 120.0
_LIMITS: dict[str, Any] = {"memory_mib": 64, "cpu_cores": 1.0}
T = TypeVar("T")


def body(*command: str, **fields: Any) -> dict[str, Any]:
    """What a launch posts."""
    return {"image": IMAGE, "command": list(command), **_LIMITS, **fields}


def engine_request(*command: str, **fields: Any) -> dict[str, Any]:
    """The same job as `POST /containers/create` is asked for it."""
    spec = engine.spec(command=list(command), **{**_LIMITS, **fields})
    return container_request(spec, DockerOptions(), "benchmark")


def docker_run(*command: str) -> list[str]:
    """The same job as a command of the docker CLI."""
    host = engine_request(*command)["HostConfig"]
    flags = {
        "--network": host["NetworkMode"],
        "--memory": str(host["Memory"]),
        "--memory-swap": str(host["MemorySwap"]),
        "--cpus": str(host["NanoCpus"] / 1e9),
        "--pids-limit": str(host["PidsLimit"]),
        "--ipc": host["IpcMode"],
        "--cap-drop": host["CapDrop"][0],
        "--security-opt": host["SecurityOpt"][0],
        "--tmpfs": ",".join(f"{target}:{options}" for target, options in host["Tmpfs"].items()),
        "--log-driver": host["LogConfig"]["Type"],
    }
    log_options = [f"--log-opt={name}={value}" for name, value in host["LogConfig"]["Config"].items()]
    return ["docker", "run", "--rm", "--init", *itertools.chain(*flags.items()), *log_options, IMAGE, *command]


def launch(asked: Connection, executor: str, job: dict[str, Any], *, wait: float = 0) -> dict[str, Any]:
    """Post it, and hold for its end up to `wait` seconds. Gives the job."""
    headers = {"Prefer": f"wait={wait:g}"} if wait else {}
    return dict(asked.post(f"/api/v1/executors/{executor}/jobs", job, **headers))


def ended(asked: Connection, job: str) -> dict[str, Any]:
    """Wait for its end."""
    while not (found := asked.get(f"/api/v1/jobs/{job}?wait=60"))["finished_at"]:
        continue
    return dict(found)


def cleaned(asked: Connection, job: str) -> dict[str, Any]:
    """Wait until it has ended and nothing of it is left on the engine."""
    ended(asked, job)
    return until(lambda: _if_cleaned(asked, job), f"the cleanup of {job}")


def _if_cleaned(asked: Connection, job: str) -> dict[str, Any]:
    found: dict[str, Any] = asked.get(f"/api/v1/jobs/{job}")
    return found if found["cleaned_at"] else {}


def succeeded(job: dict[str, Any]) -> dict[str, Any]:
    """The job itself. Raises Refused when it did not succeed: then its time says nothing."""
    if job["state"] != "succeeded":
        raise Refused(f"job {job['id']} is {job['state']}: {job['reason']} {job['evidence']}")
    return job


def each_runs(asked: Connection, jobs: Sequence[str]) -> None:
    """Wait until all of them run."""
    for job in jobs:
        until(lambda job=job: asked.get(f"/api/v1/jobs/{job}")["state"] == "running", f"the start of {job}")  # type: ignore[misc]


def until(look: Callable[[], T], what: str, pause: float = 0.01) -> T:
    """Look again until it is truthy. Raises TimeoutError."""
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while not (seen := look()):
        if time.monotonic() > give_up:
            raise TimeoutError(f"{what} did not come within {GIVE_UP_SECONDS:g} s")
        time.sleep(pause)
    return seen


def containers(client: APIClient, label: str) -> list[str]:
    """The names of all containers with this label."""
    return [found["Names"][0].lstrip("/") for found in client.containers(all=True, filters={"label": label})]


def raw_client(url: str) -> closing[APIClient]:
    return closing(APIClient(base_url=url, timeout=GIVE_UP_SECONDS))

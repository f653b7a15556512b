"""The first job: on Docker where an engine answers, in an image made of this host's own programs, else on `process`."""

import io
import re
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.background import wait_for
from api.client import Client
from container_manager.executors.docker_engine.client import Engine
from container_manager.executors.docker_engine.options import DockerOptions

IMAGE = "purser-quickstart:local"
_PROGRAMS = ("sh", "echo", "cat", "ls", "sleep", "id", "env")
_LIBRARY = re.compile(r"(/\S+) \(0x")
_HEALTH_SECONDS = 20.0
_QUIET_SECONDS = 3.0
_JOB_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job that has ended, and what it wrote."""

    job: dict[str, Any]
    logs: str


def health_of(client: Client, executor: str) -> dict[str, Any]:
    """The executor's health, once a dispatcher has looked at it."""

    def looked_at() -> dict[str, Any] | None:
        health = client.get(f"/api/v1/executors/{executor}/health")
        return health if health["checked_at"] else None

    return wait_for(looked_at, _HEALTH_SECONDS) or {"healthy": False, "detail": "no dispatcher has looked at it"}


def run(client: Client, executor: str, request: dict[str, Any], say: Callable[[str], object]) -> Outcome:
    """Launch a job and follow it to its end, or for two minutes; a wait in the queue is said. Raises ApiError."""
    job = client.post(f"/api/v1/executors/{executor}/jobs", request)
    path = f"/api/v1/executors/{executor}/jobs/{job['id']}"
    ended = wait_for(lambda: _if_ended(client.get(f"{path}?wait=1")), _QUIET_SECONDS)
    if not ended:
        if waiting := client.get(path)["waiting"]:
            say(f"Job {job['id']} waits: {waiting['detail']}")
        ended = wait_for(lambda: _if_ended(client.get(f"{path}?wait=10")), _JOB_SECONDS)
    return Outcome(ended or client.get(path), client.text(f"{path}/logs"))


def _if_ended(job: dict[str, Any]) -> dict[str, Any] | None:
    return job if job["finished_at"] else None


def provide_image(options: Mapping[str, Any]) -> None:
    """See that the engine of these `docker` options has IMAGE. Raises PurserError."""
    with closing(Engine(DockerOptions.model_validate(options))) as engine:
        if not engine.has_image(IMAGE):
            engine.import_image(IMAGE, _host_image())


def _host_image() -> bytes:
    """A tar archive of a small root file system: this host's shell and a few programs, with their libraries."""
    paths = [Path("/bin") / program for program in _PROGRAMS]
    for path in tuple(paths):
        listing = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)  # a static one has none
        paths += [Path(library) for library in _LIBRARY.findall(listing.stdout)]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        for path in sorted(set(paths)):
            tar.add(path, arcname=str(path), filter=_of_root)
    return archive.getvalue()


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    return member

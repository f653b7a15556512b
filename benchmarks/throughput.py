"""200 short jobs launched at once over REST, beside raw SDK threads with the same settings, and beside Podman."""

import json
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from docker import APIClient

from benchmarks.harness import jobs, svg
from benchmarks.harness.crowd import crowd
from benchmarks.harness.findings import Findings, Goal, Line, Table, number
from benchmarks.harness.processes import Meter, listener
from benchmarks.harness.statistics import interleaved, median
from benchmarks.harness.world import Purser, World, docker_executor
from container_manager.executors.docker_engine.options import DockerOptions
from tests import services
from tests.engine import busybox_tar

_NETWORKS = {"prepared_networks": 8}
_THREADS, _PODMAN_THREADS = (1, 2, 4, 8, 16), (2, 4, 8)
_LIMITS = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}


@dataclass(frozen=True, slots=True)
class Rate:
    """How many jobs a second came to their end and were removed, and the cpu of who asked, a job, in milliseconds."""

    jobs: float
    cpu_ms: float


def _wait(client: APIClient, name: str) -> int:
    return int(client.wait(name)["StatusCode"])


def _wait_podman(client: APIClient, name: str) -> int:
    """By its own API: what it has of Docker's looks every 250 ms only."""
    path = f"/v4.0.0/libpod/containers/{name}/wait?condition=exited&interval=5ms"
    return int(client.post(client.base_url + path).text)


@dataclass(frozen=True, slots=True)
class Engine:
    """Where raw threads launch, what they ask for, and how they learn of an end."""

    url: str
    request: dict[str, Any]
    wait: Callable[[APIClient, str], int] = _wait


def run(world: World) -> Findings:
    """Purser, so many raw threads, and Podman, in turns."""
    count, rounds = (24, 1) if world.small else (200, 2)
    services.require({"podman": "podman", "catatonit": "catatonit"})
    executors = {"Purser": {}, "Purser, prepared networks": _NETWORKS} if _can_prepare(world) else {"Purser": {}}
    entries = {_name(way): docker_executor(world.engine, **options) for way, options in executors.items()}
    with world.purser(entries) as purser, _podman(world) as podman:
        ways: dict[str, Callable[[], Rate]] = {
            way: partial(_purser, purser, world.executor_of(_name(way)), world.engine, count) for way in executors
        }
        request = jobs.engine_request("true")
        for threads in _THREADS:
            ways[f"SDK, {threads} threads"] = partial(_raw, Engine(world.engine, request), threads, count)
        for threads in _PODMAN_THREADS:
            ways[f"Podman, {threads} threads"] = partial(_raw, podman, threads, count)
        return _findings(interleaved(ways, rounds), count, rounds)


def _can_prepare(world: World) -> bool:
    return not world.url and _NETWORKS.keys() <= DockerOptions.model_fields.keys()


def _name(way: str) -> str:
    return "docker-prepared" if "prepared" in way else "docker"


def _purser(purser: Purser, executor: str, url: str, count: int) -> Rate:
    """Post them all, and wait until all have ended and none is left on the engine."""
    with purser.connection() as asked, jobs.raw_client(url) as client, Meter(purser.pids) as meter:
        began = time.perf_counter()
        made = [jobs.launch(asked, executor, jobs.body("true"))["id"] for _ in range(count)]
        for job in made:
            jobs.succeeded(jobs.ended(asked, job))
        jobs.until(lambda: not jobs.containers(client, "purser.job"), "the removal of all")
        took = time.perf_counter() - began
    return Rate(count / took, meter.cpu_seconds / count * 1000)


def _raw(engine: Engine, threads: int, count: int) -> Rate:
    """What a script does: threads that each create, start, wait, read the logs and remove, over and over."""
    began, used = time.perf_counter(), time.process_time()
    crowd(threads, partial(jobs.raw_client, engine.url), range(count), lambda client, _: _one(client, engine))
    return Rate(count / (time.perf_counter() - began), (time.process_time() - used) / count * 1000)


def _one(client: APIClient, engine: Engine) -> None:
    name = f"benchmark-{uuid4().hex}"
    client.create_container_from_config(engine.request, name)
    client.start(name)
    code = engine.wait(client, name)
    client.logs(name)
    client.remove_container(name)
    if code:
        raise RuntimeError(f"{name} ended with {code}")


@contextmanager
def _podman(world: World) -> Iterator[Engine]:
    """A `podman system service` of our own, on its own storage, asked for the same job."""
    home = world.folder / "podman"
    home.mkdir()
    (home / "containers.conf").write_text(_podman_settings())
    places = [f"--{name}={home / name}" for name in ("root", "runroot", "tmpdir")]
    flags = ["--storage-driver=overlay", "--cgroup-manager=cgroupfs", "--runtime=runc", "--events-backend=file"]
    url = f"unix://{home}/p.sock"
    with (home / "log").open("wb") as log:
        service = subprocess.Popen(
            ["podman", *places, *flags, "system", "service", "--time=0", url],
            env={**os.environ, "CONTAINERS_CONF": str(home / "containers.conf")}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        jobs.until(lambda: (home / "p.sock").exists() and listener(url), "an answer of Podman")
        with jobs.raw_client(url) as client:
            world.machine["podman"] = f"{client.version()['Version']}, runc, storage overlay"
            made = client.import_image_from_data(busybox_tar(), repository="busybox")
        request = jobs.engine_request("true")
        host = {**request["HostConfig"], "LogConfig": {"Type": "k8s-file"}}  # the log driver that it has
        image = json.loads(made.splitlines()[-1])["id"]
        yield Engine(url, {**request, "Image": image, "HostConfig": host}, _wait_podman)
    finally:
        service.terminate()
        service.wait()
        subprocess.run(["umount", "-l", str(home / "root" / "overlay")], check=False, capture_output=True)


def _podman_settings() -> str:
    """Its own default limits may be higher than those of who runs it, which the kernel refuses."""
    limits = [f'"{name}={_bounded(which)}:{_bounded(which)}"' for name, which in _LIMITS.items()]
    return f"[containers]\ndefault_ulimits = [{', '.join(limits)}]\n"


def _bounded(which: int) -> int:
    hard = resource.getrlimit(which)[1]
    return 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)


def _findings(found: dict[str, list[Rate]], count: int, rounds: int) -> Findings:
    rates = {name: median([one.jobs for one in each]) for name, each in found.items()}
    cpu = {name: median([one.cpu_ms for one in each]) for name, each in found.items()}
    raw, podman, own = (_best(rates, kind) for kind in ("SDK", "Podman", "Purser"))
    rows = [[name, number(rates[name]), number(cpu[name])] for name in found]
    return Findings(
        f"{count} short jobs",
        [
            f"{count} jobs `true`, {rounds} turns, until all have ended, their logs are read and they are removed",
            "raw: threads that create, start, wait, read logs and remove with the settings that Purser gives",
        ],
        [
            Line(f"Purser to {raw}", "jobs/s", rates["Purser"], rates[raw], Goal(0.9, at_least=True)),
            Line(f"{own} to {podman}", "jobs/s", rates[own], rates[podman], Goal(1.0, at_least=True)),
        ],
        [Table(["", "jobs/s", "cpu ms per job, who asks"], rows)],
        {"throughput": svg.bars(f"{count} short jobs", "jobs/s", rates)},
    )


def _best(rates: Mapping[str, float], kind: str) -> str:
    return max((name for name in rates if name.startswith(kind)), key=lambda name: rates[name])

"""Many containers that run and do nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from docker import APIClient, errors

from benchmarks.harness import jobs
from benchmarks.harness.http import Connection

_SLEEP = jobs.body("sleep", "1000000", memory_mib=16, cpu_cores=0.2)


@contextmanager
def sleeping(asked: Connection, engine: APIClient, count: int) -> Iterator[list[str]]:
    """That many jobs, all running; their ids. At the end their containers are removed behind the service's back."""
    try:
        made = [jobs.launch(asked, "docker", _SLEEP)["id"] for _ in range(count)]
        jobs.each_runs(asked, made)
        yield made
    finally:
        for name in jobs.containers(engine, "purser.job"):
            _remove(engine, name)


def _remove(engine: APIClient, name: str) -> None:
    try:
        engine.remove_container(name, force=True, v=True)
    except errors.APIError as error:
        if error.status_code not in {404, 409}:  # gone, or just being removed
            raise

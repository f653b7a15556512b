"""How much the retirement of finished jobs costs whoever reads a status meanwhile.

    .venv/bin/python -m benchmarks.retention --jobs 100000
    PURSER_BENCHMARK_DATABASE_URL=postgres://… .venv/bin/python -m benchmarks.retention --jobs 100000

Fills an empty database (by default an SQLite file of its own) with finished jobs, each with an attempt, events, a label
and a log; serves it, and lets the jobs get old in portions. One status is read by a few clients, while nothing is
retired and while a portion is, in turns of the same length, so that a noisy machine troubles both alike. On SQLite
`serve` answers and retires in one process; on PostgreSQL a dispatcher of its own retires, as in production. Prints each
portion and, in the end, the p99 of all reads of either kind and their ratio.
"""

import argparse
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import django
import httpx

from benchmarks.harness.jobs import until
from benchmarks.harness.statistics import median, quantile

WARM_SECONDS = 5.0
CLIENTS = 2
PAUSE_SECONDS = 0.005
BATCH = 1000
AGE = timedelta(days=400)
STATES = ("queued", "launching", "running", "succeeded")

_folder = tempfile.TemporaryDirectory(prefix="retention-")  # removed when the process ends
with socket.create_server(("127.0.0.1", 0)) as _listener:
    _port = _listener.getsockname()[1]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "api.settings",
    "PURSER_DATA_DIR": _folder.name,
    "PURSER_DATABASE_URL": os.environ.get("PURSER_BENCHMARK_DATABASE_URL", ""),
    "PURSER_EXECUTORS": '{"mock": {}}',
    "PURSER_PORT": str(_port),
}
django.setup()
logging.disable(logging.INFO)

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import F  # noqa: E402
from django.utils import timezone  # noqa: E402

from container_manager.logs import LogWriter  # noqa: E402
from container_manager.models import Attempt, Job, JobEvent, JobLabel  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--portions", type=int, default=50)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    jobs = fill(options.jobs)
    stays = fill(1)[0]
    with served() as client:
        measure(client, f"/api/v1/jobs/{stays.pk}", jobs, options.portions)


def measure(client: Callable[[], httpx.Client], path: str, jobs: list[Job], portions: int) -> None:
    """Read in turns, and print what came of it."""
    idle: list[float] = []
    busy: list[float] = []
    read(client, path, until=after(WARM_SECONDS))
    took = WARM_SECONDS
    for number in range(portions):
        calm = read(client, path, until=after(took))
        portion = Portion(jobs[number::portions])
        portion.grow_old()
        until(portion.has_begun, "the retirement")
        began = time.monotonic()
        loaded = read(client, path, until=portion.is_gone)
        took = time.monotonic() - began
        print(f"portion {number + 1}: {len(portion.jobs) / took:.0f} jobs/s; {told(calm, loaded)}", flush=True)
        idle += calm
        busy += loaded
    print(f"{connection.vendor}: {len(jobs)} jobs retired, {Job.objects.count()} left; {told(idle, busy)}")
    print(f"ratio of the p99: {p99(busy) / p99(idle):.2f}")


class Portion:
    """Jobs that are let grow old together."""

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs

    def grow_old(self) -> None:
        for start in range(0, len(self.jobs), BATCH):
            rows = Job.objects.filter(pk__in=[job.pk for job in self.jobs[start : start + BATCH]])
            rows.update(finished_at=F("finished_at") - AGE)

    def has_begun(self) -> bool:
        return Job.objects.filter(finished_at__lt=timezone.now() - AGE / 2, logs_deleted_at__isnull=False).exists()

    def is_gone(self) -> bool:
        return not Job.objects.filter(finished_at__lt=timezone.now() - AGE / 2).exists()


def fill(count: int) -> list[Job]:
    """That many finished and cleaned jobs, with all that belongs to them."""
    made: list[Job] = []
    while len(made) < count:
        now = timezone.now()
        jobs = Job.objects.bulk_create(_job(now) for _ in range(min(BATCH, count - len(made))))
        times = {"launching_at": now, "started_at": now, "finished_at": now, "cleaned_at": now}
        Attempt.objects.bulk_create(Attempt(job=job, number=1, reason="completed", **times) for job in jobs)
        JobEvent.objects.bulk_create(
            JobEvent(job=job, seq=seq, type="state", state=state)
            for job in jobs
            for seq, state in enumerate(STATES, start=1)
        )
        JobLabel.objects.bulk_create(
            JobLabel(job=job, namespace=job.namespace, key="team", value="a", created_at=job.created_at) for job in jobs
        )
        for job in jobs:
            with LogWriter(job.pk, 1, max_bytes=1000) as log:
                log.write("stdout", b"hello\n", None)
                log.finish()
        made += jobs
    return made


def read(client: Callable[[], httpx.Client], path: str, *, until: Callable[[], bool]) -> list[float]:
    """The seconds that each read of a status took, by a few clients, until it is enough."""
    taken: list[float] = []
    enough = threading.Event()

    def go_on() -> None:
        with client() as reader:
            while not enough.wait(PAUSE_SECONDS):
                began = time.perf_counter()
                reader.get(path).raise_for_status()
                taken.append(time.perf_counter() - began)

    threads = [threading.Thread(target=go_on) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while not until():
        time.sleep(0.5)
    enough.set()
    for thread in threads:
        thread.join()
    return taken


@contextmanager
def served() -> Iterator[Callable[[], httpx.Client]]:
    """The service on what has been filled; gives what makes a client of it."""
    commands = [["serve"]] if connection.vendor == "sqlite" else [["serve", "--no-dispatcher"], ["dispatch"]]
    token = Path(_folder.name, "token")
    address = f"http://127.0.0.1:{_port}"

    def client() -> httpx.Client:
        headers = {"Authorization": f"Bearer {token.read_text().strip()}"}
        return httpx.Client(base_url=address, headers=headers, timeout=60)

    with Path(_folder.name, "service.log").open("wb") as log:
        processes = [subprocess.Popen([sys.executable, "manage.py", *command], stderr=log) for command in commands]
        try:
            until(lambda: token.exists() and _answers(address), "an answer of the service")
            yield client
        finally:
            for process in processes:
                process.terminate()
                process.wait(60)


def after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def p99(seconds: list[float]) -> float:
    return quantile(seconds, 0.99)


def told(calm: list[float], loaded: list[float]) -> str:
    return "; ".join(
        f"{name} p50 {median(taken) * 1000:.1f} ms, p99 {p99(taken) * 1000:.1f} ms ({len(taken)} reads)"
        for name, taken in (("idle", calm), ("retiring", loaded))
    )


def _job(now: datetime) -> Job:
    return Job(
        namespace="default", executor="mock", state="succeeded", reason="completed", exit_code=0, version=4, attempt=1,
        request={"command": ["true"], "labels": {"team": "a"}}, labels={"team": "a"}, memory_mib=64, cpu_millis=500,
        timeout_seconds=60, grace_seconds=5, max_retries=0, launching_at=now, started_at=now, finished_at=now,
        cleaned_at=now,
    )  # fmt: skip


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/livez", timeout=5).is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main()

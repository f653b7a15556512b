"""A dispatcher in a process of its own, that may kill itself at a named edge of a span.

`doomed.py launch EXECUTOR REQUEST NAME:EDGE` accepts a job in a fresh database, dispatches it and dies there.
`doomed.py dispatch` dispatches until every job is cleaned, then prints the books as JSON.
"""

import json
import os
import signal
import sys
import time
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from container_manager import jobs, logs, spans  # noqa: E402
from container_manager.bell import bell  # noqa: E402
from container_manager.dispatcher import Dispatcher  # noqa: E402
from container_manager.executors.registry import executors  # noqa: E402
from container_manager.models import Allocation, Capacity, Job  # noqa: E402
from container_manager.spec import JobRequest  # noqa: E402

DEADLINE = 40.0


def launch(executor: str, request: str, place: str) -> None:
    call_command("migrate", verbosity=0)
    body = JobRequest.model_validate_json(request)
    jobs.launch(executor, body, namespace="default", describe=lambda job: {})
    spans.observe(lambda event: _die() if f"{event.name}:{event.edge}" == place else None)
    dispatch()


def dispatch() -> None:
    dispatcher = Dispatcher()
    dispatcher.start()
    give_up = time.monotonic() + DEADLINE
    while Job.objects.filter(cleaned_at=None).exists() and time.monotonic() < give_up:
        time.sleep(0.02)
    dispatcher.drain(10)
    bell.close()
    print(json.dumps(_books()))  # noqa: T201


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _books() -> dict[str, Any]:
    job = Job.objects.get()
    raw = {
        stream: b"".join(data for _, data in logs.raw(job.pk, job.attempt, streams=[stream])) for stream in logs.STREAMS
    }
    return {
        "state": job.state,
        "attempt": job.attempt,
        "cleaned": job.cleaned_at is not None,
        "events": [event.state for event in jobs.events(job) if event.type == "state"],
        "logs": {stream: data.decode() for stream, data in raw.items()},
        "complete": logs.is_complete(job.pk, job.attempt),
        "allocations": Allocation.objects.count(),
        "used": list(Capacity.objects.filter(executor=job.executor).values_list("memory_used", "cpu_millis_used")),
        "executions": [ref.execution_id for ref in executors[job.executor].list_executions()],
    }


if __name__ == "__main__":
    if sys.argv[1] == "launch":
        launch(*sys.argv[2:])
    else:
        dispatch()

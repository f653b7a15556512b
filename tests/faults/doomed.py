"""The service's processes as faults find them: they may be killed at any time, or kill themselves.

`accept COUNT REQUEST` makes a fresh database and accepts that many jobs, the number of each in place of `{n}`.
`die_at NAME:EDGE [COUNT REQUEST]` does that too, dispatches, and kills itself at that edge of a span; `freeze_at` stops
there once instead, until it is sent SIGCONT. `dispatch` dispatches until every job is cleaned and prints the books as
JSON, with what it had found at its start; `dispatch_on` says that it is up, and dispatches until it is killed.
"""

import json
import os
import signal
import sys
import threading
import time
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from container_manager import jobs, logs, spans  # noqa: E402
from container_manager.bell import bell  # noqa: E402
from container_manager.dispatcher import Dispatcher  # noqa: E402
from container_manager.executors.registry import executors  # noqa: E402
from container_manager.models import Allocation, Attempt, Capacity, Job, Namespace, Share  # noqa: E402
from container_manager.spec import JobRequest  # noqa: E402

EXECUTOR = "docker"
DEADLINE = 240.0


def accept(count: str, request: str) -> None:
    call_command("migrate", verbosity=0)
    for number in range(int(count)):
        body = JobRequest.model_validate_json(request.replace("{n}", str(number)))
        jobs.launch(EXECUTOR, body, namespace="default", describe=lambda job: {})


def die_at(place: str, count: str = "0", request: str = "") -> None:
    accept(count, request)
    _send_itself(signal.SIGKILL, place)
    dispatch()


def freeze_at(place: str, count: str, request: str) -> None:
    accept(count, request)
    _send_itself(signal.SIGSTOP, place)
    dispatch()


def dispatch() -> None:
    found = _found()
    dispatcher = Dispatcher()
    dispatcher.start()
    give_up = time.monotonic() + DEADLINE
    while Job.objects.filter(cleaned_at=None).exists() and time.monotonic() < give_up:
        time.sleep(0.02)
    dispatcher.drain(10)
    bell.close()
    print(json.dumps({"found": found, **_books()}))  # noqa: T201


def dispatch_on() -> None:
    Dispatcher().start()
    os.write(sys.stdout.fileno(), b"up\n")
    signal.pause()


def _send_itself(number: signal.Signals, place: str) -> None:
    """Do so the first time that this edge of a span is reached, right there: it goes to the thread that is there."""
    here = iter([place])

    def send(event: spans.SpanEvent) -> None:
        if f"{event.name}:{event.edge}" == place and next(here, None):
            signal.pthread_kill(threading.get_ident(), number)

    spans.observe(send)


def _found() -> dict[str, Any]:
    """How far somebody before has come."""
    return {
        "jobs": list(Job.objects.values_list("state", flat=True)),
        "allocations": Allocation.objects.count(),
        "executions": [ref.status for ref in executors[EXECUTOR].list_executions()],
    }


def _books() -> dict[str, Any]:
    return {
        "jobs": [_account(job) for job in Job.objects.order_by("id")],
        "allocations": Allocation.objects.count(),
        "used": [
            *Capacity.objects.values_list("jobs_used", "memory_used", "cpu_millis_used"),
            *Namespace.objects.values_list("jobs_used", "memory_used", "cpu_millis_used"),
            *Share.objects.values_list("jobs_used"),
        ],
        "executions": [ref.execution_id for ref in executors[EXECUTOR].list_executions()],
    }


def _account(job: Job) -> dict[str, Any]:
    return {
        "id": job.pk.hex,
        "state": job.state,
        "attempt": job.attempt,
        "cleaned": job.cleaned_at is not None,
        "events": [event.state for event in jobs.events(job) if event.type == "state"],
        "attempts": [_account_of_attempt(attempt) for attempt in job.attempts.order_by("number")],
    }


def _account_of_attempt(attempt: Attempt) -> dict[str, Any]:
    raw = {
        stream: b"".join(data for _, data in logs.raw(attempt.job_id, attempt.number, streams=[stream]))
        for stream in logs.STREAMS
    }
    return {
        "reason": attempt.reason,
        "evidence": attempt.evidence,
        **{stream: data.decode() for stream, data in raw.items()},
        "complete": logs.read(attempt.job_id, attempt.number, tail=0).complete,
    }


if __name__ == "__main__":
    commands = {command.__name__: command for command in (accept, die_at, dispatch, dispatch_on, freeze_at)}
    commands[sys.argv[1]](*sys.argv[2:])

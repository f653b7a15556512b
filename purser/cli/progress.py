"""What a job waits for, told while it does: its turn, room, an image."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from purser.cli.screen import Screen
from purser.client import Client, Job
from purser.exceptions import ClientError

_QUIET_SECONDS = 2.0
_LOOK_SECONDS = 5.0
_RUNNING_SECONDS = 30.0


@contextmanager
def told(client: Client, job: Job, screen: Screen) -> Iterator[None]:
    """While within it, say what the job waits for whenever that takes long."""
    over = threading.Event()
    threading.Thread(target=_watch, args=(client, job, screen, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _watch(client: Client, job: Job, screen: Screen, over: threading.Event) -> None:
    job_id, image, patience = str(job.id), job.request.image or "", _QUIET_SECONDS
    changed = time.monotonic()
    try:
        while job.finished_at is None and not over.is_set():
            now = client.job(job_id, wait=patience, version=job.version)
            if now.version != job.version:
                changed = time.monotonic()
            job, patience = now, _RUNNING_SECONDS if now.state == "running" else _LOOK_SECONDS
            late = time.monotonic() - changed >= _QUIET_SECONDS
            if late and not over.is_set() and (sentence := sentence_of(job, image)):
                screen.passing(sentence)
            elif not late:
                patience = _QUIET_SECONDS
    except ClientError:
        return  # whoever follows the job says what is the matter


def sentence_of(job: Job, image: str) -> str:
    """Why the job is not running yet; empty for one that is, or of which nothing is known."""
    if job.waiting:
        return f"waiting in the queue at position {job.waiting.position}: {job.waiting.detail}"
    last = job.attempts[-1] if job.attempts else None
    if job.state != "launching" or last is None:
        return ""
    is_pulling = last.pulling_at is not None and last.phases.pull_seconds is None
    return f"pulling the image {image}" if is_pulling else "launching"

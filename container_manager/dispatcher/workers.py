"""Threads that do small tasks, each with its own database connection, and end cleanly."""

import logging
import queue
import threading
from collections.abc import Callable
from uuid import UUID

from django.db import close_old_connections, connections
from structlog.contextvars import bound_contextvars

logger = logging.getLogger(__name__)
Task = Callable[[], None]

RETRY_SECONDS = 1.0


class Workers:
    """A fixed number of threads that take tasks in turn. A task that raises is logged and done again later.

    Each is about one job, which all that is logged meanwhile names.
    """

    def __init__(self, name: str, count: int) -> None:
        self._tasks: queue.Queue[tuple[Task, UUID] | None] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name} {number}", daemon=True) for number in range(count)
        ]
        self._closed = threading.Event()
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task, job_id: UUID) -> None:
        self._tasks.put((task, job_id))

    def close(self, seconds: float) -> None:
        """Finish what was submitted, within a time, and end the threads."""
        self._closed.set()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join(seconds)

    def _run(self) -> None:
        try:
            while found := self._tasks.get():
                with bound_contextvars(job_id=str(found[1])):
                    self._do(*found)
        finally:
            connections.close_all()

    def _do(self, task: Task, job_id: UUID) -> None:
        close_old_connections()
        try:
            task()
        except Exception:  # the edge of a thread: whatever it was, the job must not be forgotten
            logger.exception("a task of the dispatcher failed; it is done again")
            if not self._closed.is_set():
                timer = threading.Timer(RETRY_SECONDS, self.submit, (task, job_id))
                timer.daemon = True
                timer.start()


def loop(name: str, stop: threading.Event, step: Task) -> threading.Thread:
    """Start a thread that does `step` again and again until `stop` is set; a step that raises is logged."""

    def run() -> None:
        try:
            while not stop.is_set():
                _step(step, stop)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def _step(step: Task, stop: threading.Event) -> None:
    close_old_connections()
    try:
        step()
    except Exception:  # the edge of a thread: the loop goes on, most often the database was away
        logger.exception("a loop of the dispatcher failed; it goes on")
        stop.wait(RETRY_SECONDS)

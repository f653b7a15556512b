"""From queued to running: claims, launches, and hands over to the ender what did not start."""

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from container_manager import lifecycle
from container_manager.bell import bell, queue_topic
from container_manager.dispatcher.board import Board, Tracked
from container_manager.dispatcher.claim import claim, next_turn
from container_manager.dispatcher.ender import Ender
from container_manager.dispatcher.outcome import launch_failure
from container_manager.dispatcher.workers import Workers
from container_manager.exceptions import EngineUnavailable, SecretUnreadable
from container_manager.executors.results import LaunchResult
from container_manager.models import Job
from container_manager.spans import Interrupted, at_begin_of, passed, span, timing
from container_manager.states import Reason

logger = logging.getLogger(__name__)
T = TypeVar("T")

_IDLE_SECONDS = 1.0
_MOST_FAULTS = 5


class _NotOurs(Interrupted):
    """Another dispatcher owns the job by now."""


class Launcher:
    """Keeps a small number of launches under way, as many as the executor's config says."""

    def __init__(self, board: Board, ender: Ender, stop: threading.Event) -> None:
        self._board = board
        self._ender = ender
        self._stop = stop
        self._most = board.executor.launch_concurrency
        self._lock = threading.Lock()
        self._under_way: set[Tracked] = set()
        self._wake = threading.Event()
        self._rung_at: float | None = None  # by time.perf_counter(): since when there is something to look at
        self._workers = Workers(f"launch {board.executor.name}", self._most)
        self._unsubscribe: Callable[[], None] = bell.subscribe(queue_topic(board.executor.name), self._ring)

    def close(self, seconds: float) -> None:
        self._unsubscribe()
        self._workers.close(seconds)

    def _ring(self) -> None:
        self._rung_at = self._rung_at or time.perf_counter()
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    def step(self) -> None:
        """Claim what there is room for, or wait until there may be something."""
        self._wake.clear()
        rung_at, self._rung_at = self._rung_at, None
        if rung_at:
            passed("wake", time.perf_counter() - rung_at, self._board.executor.name)
        free = self._most - len(self._under_way) if self._board.healthy else 0
        claimed = 0
        for job in claim(self._board.executor, self._board.owner, free):
            self.submit(self._board.add(job))
            claimed += 1
        if claimed < free or not claimed:
            turn = next_turn(self._board.executor.name)
            self._wake.wait(_IDLE_SECONDS if turn is None else min(turn, _IDLE_SECONDS))

    def resume(self) -> None:
        """Go on with the launches that the engine did not answer: the same call finds what it has made."""
        for tracked in self._board.all():
            if tracked.waits_for_engine:
                tracked.waits_for_engine = False
                self.submit(tracked)
        self._wake.set()

    def submit(self, tracked: Tracked) -> None:
        with self._lock:
            self._under_way.add(tracked)
        self._workers.submit(lambda: self._launch_and_count(tracked), tracked.job.pk)

    def _launch_and_count(self, tracked: Tracked) -> None:
        with tracked.busy:
            if self._board.has(tracked) and not tracked.running and not self._stop.is_set():
                self._launch(tracked)
        with self._lock:
            self._under_way.discard(tracked)
        self._wake.set()

    def _launch(self, tracked: Tracked) -> None:
        job, name = tracked.job, self._board.executor.name
        try:
            with timing() as seconds, _by_its_owner(job), span("launch", name, tracked.execution_id):
                result = self._launch_job(job)
        except _NotOurs:
            self._board.remove(tracked)
        except Interrupted:
            raise  # the database is away: the launch is done again
        except EngineUnavailable as error:
            tracked.waits_for_engine = True
            self._board.engine_away(str(error))
        except Exception as error:  # a fault in the executor's own code: a few more tries, then the job is told
            tracked.faults += 1
            if tracked.faults < _MOST_FAULTS:
                raise
            logger.exception("launch_job fails again and again", extra={"execution_id": tracked.execution_id})
            self._ender.close_attempt(tracked, launch_failure(None, f"the executor broke: {type(error).__name__}"))
        else:
            self._launched(tracked, result, seconds.get("pull"))

    def _launch_job(self, job: Job) -> tuple[bool, str]:
        """As the executor answers; its words never repeat a secret."""
        try:
            spec = job.spec()
        except SecretUnreadable as error:
            return LaunchResult(False, str(error), Reason.LAUNCH_REFUSED)
        result = self._board.executor.launch_job(spec)
        values = [secret.value.get_secret_value() for secret in spec.secrets if secret.value]
        if result[0] or not any(value and value in result[1] for value in values):
            return result
        told = functools.reduce(lambda text, value: text.replace(value, "***"), filter(None, values), result[1])
        return LaunchResult(False, told, getattr(result, "reason", None))

    def _launched(self, tracked: Tracked, result: tuple[bool, str], pull: float | None) -> None:
        ok, value = result
        if ok:
            self._started(tracked, result, pull)
        else:
            reason = result.reason if isinstance(result, LaunchResult) else None
            self._ender.close_attempt(tracked, launch_failure(reason, value, pull))

    def _started(self, tracked: Tracked, result: tuple[bool, str], pull_seconds: float | None) -> None:
        job = tracked.job
        way = result if isinstance(result, LaunchResult) else LaunchResult(*result)
        with span("record", self._board.executor.name, tracked.execution_id):
            deadline = lifecycle.start(
                job.pk,
                fence=job.fence,
                timeout_seconds=job.timeout_seconds,
                pull_seconds=pull_seconds,
                path=way.path,
                path_detail=way.path_detail,
            )
        if deadline is None:
            self._board.remove(tracked)  # somebody else owns it now
        else:
            self._ender.take(tracked, deadline)


@contextmanager
def _by_its_owner(job: Job) -> Iterator[None]:
    """Ask the books before each step that could run something: who has slept through the end of the lease must not."""

    def insist() -> None:
        if not _asking_the_books(lambda: lifecycle.is_owned(job.pk, fence=job.fence)):
            raise _NotOurs

    def tell() -> None:
        _asking_the_books(lambda: lifecycle.pulls(job.pk, fence=job.fence))

    with ExitStack() as watched:
        for step in ("create", "replace", "start", "hand_over"):
            watched.enter_context(at_begin_of(step, insist))
        watched.enter_context(at_begin_of("pull", tell))
        yield


def _asking_the_books(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except (DatabaseError, InterfaceError) as error:
        raise Interrupted(f"the books do not answer: {error}") from error

"""From running to the end: watches, harvests, records, cleans up."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from django.utils import timezone

from container_manager import lifecycle
from container_manager.dispatcher.board import Board, Tracked
from container_manager.dispatcher.collector import Collector
from container_manager.dispatcher.outcome import as_asked, backoff, may_retry, outcome_of
from container_manager.dispatcher.workers import Workers
from container_manager.exceptions import EngineUnavailable
from container_manager.executors.results import Execution
from container_manager.lifecycle import Outcome
from container_manager.models import Attempt, Job
from container_manager.spans import passed, span, timing
from container_manager.states import ENDED, ExecutionStatus

_WORKERS = 4
_STOPPERS = 2
_WATCH_AGAIN_SECONDS = 1.0
_KILL_AGAIN_SECONDS = 1.0
_DRAIN_SECONDS = 60.0


class Ender:
    """Notices how executions end, however it is told, and brings each to its end exactly once."""

    def __init__(self, board: Board, stop: threading.Event) -> None:
        self._board = board
        self._stop = stop
        self._workers = Workers(f"end {board.executor.name}", _WORKERS)
        # Of their own, so that a stop never waits behind a long harvest.
        self._stoppers = Workers(f"stop {board.executor.name}", _STOPPERS)
        self._lock = threading.Lock()
        self._pending: set[tuple[str, str]] = set()

    def close(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._stoppers.close(seconds)
        self._workers.close(max(deadline - time.monotonic(), 0))

    def take(self, tracked: Tracked, deadline: datetime | None) -> None:
        """From now on the execution is followed: its logs, its end and its deadline."""
        self._collect(tracked)
        tracked.deadline = deadline.timestamp() if deadline else None
        tracked.running = True
        self._board.when_running()
        if tracked.ended:
            self.look_at([tracked])

    def watch_step(self) -> None:
        """Listen to the engine until it goes away or the dispatcher stops."""
        try:
            for execution_id in self._board.executor.watch(self._running_ids, self._stop):
                if execution_id is None:
                    self.sweep()
                else:
                    self._told(execution_id)
        except EngineUnavailable as error:
            self._board.engine_away(str(error))
        self._stop.wait(_WATCH_AGAIN_SECONDS)

    def sweep(self) -> None:
        """Look at everything that runs, for ends that were not told."""
        tracked = self._board.running()
        running = self._listed_as_running() if tracked else None
        if running is not None:
            self._board.engine_answered(one for one in tracked if one.execution_id in running)
            self.look_at(one for one in tracked if one.execution_id not in running)

    def look_at(self, tracked: Iterable[Tracked]) -> None:
        """Ask the engine how these are doing, soon."""
        for one in tracked:
            self._submit(self._workers, ("look", one.execution_id), one.job, partial(self._look, one))

    def stop(self, tracked: Tracked, grace_seconds: float) -> None:
        """Begin the end of a running execution; the end itself is noticed like any other."""
        tracked.kill_at = time.time() + (grace_seconds or _KILL_AGAIN_SECONDS)
        self._submit(
            self._stoppers,
            (f"stop {grace_seconds > 0}", tracked.execution_id),
            tracked.job,
            lambda: self._stop_execution(tracked, grace_seconds),
        )

    def abandon_launch(self, tracked: Tracked) -> None:
        """Have a launch that may take long given up; what has become of it is told by the launch itself."""
        execution_id = tracked.execution_id
        abandon = partial(self._board.executor.abandon_launch, execution_id)
        self._submit(self._stoppers, ("abandon", execution_id), tracked.job, abandon)

    def close_attempt(self, tracked: Tracked, outcome: Outcome, job: Job | None = None) -> None:
        """Record how the attempt ended, release what it held, and remove what it left on the engine.

        `job` is the job as it has just been read, if it has been.
        """
        job = job or Job.objects.get(pk=tracked.job.pk)
        with span("release", self._board.executor.name, tracked.execution_id):
            closed = self._close(job, outcome, tracked.job.fence)
        self._board.remove(tracked)
        if closed:
            self.cleanup(tracked.execution_id, tracked.job, tracked.job.attempt)

    def _close(self, job: Job, outcome: Outcome, fence: int) -> bool:
        if may_retry(job, outcome):
            if lifecycle.retry(job.pk, outcome, fence=fence, not_before=backoff(job, timezone.now())):
                return True
            job = Job.objects.get(pk=job.pk)  # somebody has asked for its end in between
        return lifecycle.end(job.pk, as_asked(job, outcome), fence=fence)

    def clean_later(self, attempt: Attempt) -> None:
        """Try again to remove what an ended attempt has left."""
        clean = partial(self.cleanup, str(attempt), attempt.job, attempt.number)
        self._submit(self._workers, ("clean", str(attempt)), attempt.job, clean)

    def cleanup(self, execution_id: str, job: Job, attempt: int) -> None:
        """Remove what an ended attempt has left on the engine. What fails now is done by a later look."""
        try:
            with timing() as seconds, span("cleanup", self._board.executor.name, execution_id):
                gone = self._board.executor.cleanup(execution_id)
        except EngineUnavailable as error:
            self._board.engine_away(str(error))
            return
        if gone:
            lifecycle.attempt_cleaned(job.pk, attempt, seconds["cleanup"])

    def _running_ids(self) -> list[str]:
        return [tracked.execution_id for tracked in self._board.running()]

    def _listed_as_running(self) -> set[str] | None:
        if not self._board.executor.capabilities.list_executions:
            return set()
        try:
            listed = self._board.executor.list_executions()
        except EngineUnavailable as error:
            self._board.engine_away(str(error))
            return None
        return {ref.execution_id for ref in listed if ref.status == ExecutionStatus.RUNNING}

    def _told(self, execution_id: str) -> None:
        tracked = self._board.find(execution_id)
        if tracked:
            tracked.ended = True
            if tracked.running:
                self.look_at([tracked])

    def _submit(self, workers: Workers, key: tuple[str, str], job: Job, task: Callable[[], None]) -> None:
        """Have it done soon; what waits to be done already, by its key, is not asked for twice."""
        with self._lock:
            if key in self._pending:
                return
            self._pending.add(key)

        def run() -> None:
            with self._lock:
                self._pending.discard(key)
            task()

        workers.submit(run, job.pk)

    def _look(self, tracked: Tracked) -> None:
        with tracked.busy:
            if not self._board.has(tracked):
                return
            execution = self._board.executor.inspect(tracked.execution_id)
            if execution.status == ExecutionStatus.UNKNOWN:
                self._board.no_answer(tracked, execution.detail)
            elif execution.status in (*ENDED, ExecutionStatus.NOT_FOUND):
                self._end(tracked, execution)
            else:
                self._board.engine_answered([tracked])

    def _end(self, tracked: Tracked, execution: Execution) -> None:
        self._tell_of_the_end(tracked.execution_id, execution)
        with span("harvest", self._board.executor.name, tracked.execution_id):
            whole = self._drain_logs(tracked)
        job = Job.objects.get(pk=tracked.job.pk)
        outcome = outcome_of(job, execution)
        if not whole:
            outcome.evidence["logs"] = "incomplete"
        self.close_attempt(tracked, outcome, job)

    def _tell_of_the_end(self, execution_id: str, execution: Execution) -> None:
        """How long it ran, and how long ago it ended, by the engine's clock."""
        name, began, ended = self._board.executor.name, execution.started_at, execution.finished_at
        if began and ended:
            passed("run", (ended - began).total_seconds(), name, execution_id)
            passed("notice", (timezone.now() - ended).total_seconds(), name, execution_id)

    def _collect(self, tracked: Tracked) -> Collector:
        job = tracked.job
        tracked.collector = Collector(self._board.executor, job.pk, job.attempt, tracked.execution_id)
        return tracked.collector

    def _drain_logs(self, tracked: Tracked) -> bool:
        """Wait for the last bytes; a collection that broke off is made anew, once."""
        if tracked.collector:
            if tracked.collector.drain(_DRAIN_SECONDS):
                return True
            tracked.collector.stop()
        return self._collect(tracked).drain(_DRAIN_SECONDS)

    def _stop_execution(self, tracked: Tracked, grace_seconds: float) -> None:
        executor = self._board.executor
        try:
            if executor.capabilities.stop:
                executor.stop(tracked.execution_id, grace_seconds)
            else:  # all that is left to end it: what it has written since the last look may be lost
                executor.cleanup(tracked.execution_id)
        except EngineUnavailable as error:
            self._board.engine_away(str(error))

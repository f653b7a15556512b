"""One executor's jobs: what is launched and ended there by this dispatcher."""

import threading
import time
from collections.abc import Iterable
from uuid import UUID

from container_manager.dispatcher import reconcile
from container_manager.dispatcher.board import Board
from container_manager.dispatcher.ender import Ender
from container_manager.dispatcher.launcher import Launcher
from container_manager.dispatcher.workers import loop
from container_manager.exceptions import EngineUnavailable
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.results import Health
from container_manager.models import Job
from container_manager.states import JobState

_REAP_SECONDS = 5.0


class Lane:
    """A launcher and an ender over one board."""

    def __init__(self, executor: ContainerExecutor, owner: UUID) -> None:
        executor.prepare()
        self._stop = threading.Event()
        self.board = Board(executor, owner)
        self.ender = Ender(self.board, self._stop)
        self._launcher = Launcher(self.board, self.ender, self._stop)
        self._threads = [
            loop(f"claim {executor.name}", self._stop, self._launcher.step),
            loop(f"watch {executor.name}", self._stop, self.ender.watch_step),
        ]

    def drain(self, seconds: float) -> None:
        """Claim no more, finish what is under way, and let go; executions run on."""
        deadline = time.monotonic() + seconds
        self._stop.set()
        self._launcher.wake()
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        self._launcher.close(max(deadline - time.monotonic(), 0))
        self.ender.close(max(deadline - time.monotonic(), 0))
        self.forget()

    def forget(self) -> None:
        """Own nothing any more: somebody else does."""
        collectors = []
        for tracked in self.board.all():
            self.board.remove(tracked)
            if tracked.collector:
                tracked.collector.give_up()
                collectors.append(tracked.collector)
        for collector in collectors:
            collector.stop()

    def adopt(self, jobs: Iterable[Job]) -> None:
        """Go on with jobs that another dispatcher has left: the engine knows each execution by its name."""
        for job in jobs:
            tracked = self.board.add(job)
            if job.state == JobState.LAUNCHING:
                self._launcher.submit(tracked)
            else:
                self.ender.take(tracked, job.deadline)
                self.ender.look_at([tracked])

    def became(self, health: Health) -> None:
        """Told after each look at the executor's health: an engine that hangs is noticed by nothing else."""
        if not health:
            self.board.engine_away(health.detail)
        elif not self.board.healthy:
            self.board.healthy = True
            self._launcher.resume()
            self.ender.sweep()

    def reconcile(self, every_seconds: float) -> None:
        """Reap what nobody owns and look at what is missing, when it is this dispatcher's turn to compare."""
        executor = self.board.executor
        if not (executor.capabilities.list_executions and reconcile.take_turn(executor.name, every_seconds)):
            return
        try:
            drift = reconcile.compare(executor)
            reconcile.publish(executor.name, drift)
            # Done before the next turn, which may be another dispatcher's.
            for _ in reconcile.reap(executor, drift, min(_REAP_SECONDS, every_seconds / 2)):
                pass
        except EngineUnavailable as error:
            self.board.engine_away(str(error))
            return
        missing = {one.execution_id for one in drift.missing}
        self.ender.look_at(tracked for tracked in self.board.running() if tracked.execution_id in missing)

"""What one dispatcher knows of one executor: the executions it owns there, and whether the engine answers."""

import logging
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from container_manager import lifecycle
from container_manager.dispatcher.collector import Collector
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.results import Health
from container_manager.models import Job

logger = logging.getLogger(__name__)

_STRAY_SECONDS = 5.0


@dataclass(eq=False, slots=True)
class Tracked:
    """An execution that this process owns."""

    job: Job
    deadline: float | None = None  # by time.time(); set once it runs
    kill_at: float | None = None  # when its grace has passed
    running: bool = False
    ended: bool = False  # told by the watch, maybe before its start was recorded
    waits_for_engine: bool = False
    collector: Collector | None = None
    faults: int = 0  # launches in a row in which the executor itself broke
    busy: threading.Lock = field(default_factory=threading.Lock)  # one thread at a time launches or ends it

    @property
    def execution_id(self) -> str:
        return self.job.execution_id


class Board:
    """Shared by the threads of a lane. Who is not on it is not ours to touch."""

    def __init__(self, executor: ContainerExecutor, owner: UUID) -> None:
        self.executor = executor
        self.owner = owner
        self.healthy = False
        self.when_running: Callable[[], object] = bool  # told of each execution that has got its deadline
        self._lock = threading.Lock()
        self._tracked: dict[str, Tracked] = {}

    def add(self, job: Job) -> Tracked:
        with self._lock:
            known = self._tracked.get(job.execution_id)
            if known is None or known.job.fence != job.fence:
                known = self._tracked[job.execution_id] = Tracked(job)
            return known

    def remove(self, tracked: Tracked) -> None:
        with self._lock:
            if self.has(tracked):
                del self._tracked[tracked.execution_id]

    def has(self, tracked: Tracked) -> bool:
        return self._tracked.get(tracked.execution_id) is tracked

    def find(self, execution_id: str) -> Tracked | None:
        return self._tracked.get(execution_id)

    def strays(self) -> list[Job]:
        """Jobs that the books give to this dispatcher and that it does not know: something broke off in between."""
        before = timezone.now() - timedelta(seconds=_STRAY_SECONDS)
        ours = Job.active().filter(owner=self.owner, executor=self.executor.name)
        return [job for job in ours.filter(launching_at__lt=before) if not self._knows(job)]

    def _knows(self, job: Job) -> bool:
        known = self._tracked.get(job.execution_id)
        return known is not None and known.job.fence == job.fence

    def all(self) -> list[Tracked]:
        with self._lock:
            return list(self._tracked.values())

    def running(self) -> list[Tracked]:
        return [tracked for tracked in self.all() if tracked.running]

    def look(self) -> Health:
        """How the engine itself is. That launches on it pause is shared by all dispatchers, and told by the breaker."""
        verdict = self.executor.health_check()
        health = verdict if isinstance(verdict, Health) else Health(verdict)
        return Health(True) if health.launches_pause else health

    def engine_away(self, error: str) -> None:
        """The engine does not answer: nothing is known of what runs, and nothing is launched."""
        if self.healthy:
            logger.warning("engine unavailable", extra={"executor": self.executor.name, "error": error})
        self.healthy = False
        ours = Job.active().filter(owner=self.owner, executor=self.executor.name)
        lifecycle.note(ours.filter(stale_since=None), stale_since=timezone.now())

    def no_answer(self, tracked: Tracked, detail: str) -> None:
        """Nothing is known of this one: because the engine is away, or of it alone."""
        if not self.look():
            self.engine_away(detail)
        else:
            alone = Job.objects.filter(pk=tracked.job.pk, owner=self.owner, stale_since=None)
            lifecycle.note(alone, stale_since=timezone.now())

    def engine_answered(self, tracked: Iterable[Tracked]) -> None:
        """The engine has said that these run: what is known of them is no longer stale."""
        ids: Collection[UUID] = [one.job.pk for one in tracked]
        stale = Job.active().filter(owner=self.owner, stale_since__isnull=False)
        lifecycle.note(stale.filter(pk__in=ids), stale_since=None)

"""Deadlines, cancels, queue timeouts and late cleanups: what time and people bring about."""

import math
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from container_manager import lifecycle
from container_manager.bell import CONTROL_TOPIC, bell
from container_manager.dispatcher.board import Tracked
from container_manager.dispatcher.lane import Lane
from container_manager.lifecycle import Outcome
from container_manager.models import Attempt, Job
from container_manager.states import ACTIVE, EventType, JobState, Reason

_LOOK_SECONDS = 1.0
_HOUSEKEEPING_SECONDS = 5.0
_BATCH = 100


class Control:
    """Looks at the clock when a deadline comes, and at the books when somebody rings, or once a second."""

    def __init__(self, lanes: Mapping[str, Lane], owner: UUID) -> None:
        self._lanes = lanes
        self.owner = owner
        self._wake = threading.Event()
        self._rung = False
        self._next_look = 0.0
        self._next_housekeeping = 0.0
        self._unsubscribe = bell.subscribe(CONTROL_TOPIC, self._ring)
        for lane in lanes.values():
            lane.board.when_running = self._wake.set

    def close(self) -> None:
        self._unsubscribe()
        self._wake.set()

    def _ring(self) -> None:
        self._rung = True
        self._wake.set()

    def step(self) -> None:
        self._wake.clear()
        self._enforce_deadlines()
        now = time.monotonic()
        if self._rung or now >= self._next_look:
            self._rung = False
            self._next_look = now + _LOOK_SECONDS
            self._stop_cancelled()
            self._end_overdue()
        if now >= self._next_housekeeping:
            self._next_housekeeping = now + _HOUSEKEEPING_SECONDS
            self._clean_leftovers()
        self._wake.wait(max(min(self._next_look - time.monotonic(), self._next_deadline() - time.time()), 0))

    def _next_deadline(self) -> float:
        tracked = [one for lane in self._lanes.values() for one in lane.board.all()]
        moments = [one.deadline if one.kill_at is None else one.kill_at for one in tracked]
        return min((moment for moment in moments if moment is not None), default=math.inf)

    def _enforce_deadlines(self) -> None:
        now = time.time()
        for lane in self._lanes.values():
            for tracked in lane.board.all():
                if tracked.kill_at is not None:
                    if now >= tracked.kill_at:
                        lane.ender.stop(tracked, 0)
                elif tracked.deadline is not None and now >= tracked.deadline:
                    self._time_out(lane, tracked)

    def _time_out(self, lane: Lane, tracked: Tracked) -> None:
        job = tracked.job
        lifecycle.mark(job.pk, EventType.TIMED_OUT, states=ACTIVE, fence=job.fence, timed_out_at=timezone.now())
        lane.ender.stop(tracked, job.grace_seconds)

    def _stop_cancelled(self) -> None:
        for job in Job.active().filter(owner=self.owner, cancel_requested_at__isnull=False):
            lane = self._lanes.get(job.executor)
            tracked = lane.board.find(job.execution_id) if lane else None
            if not (lane and tracked):
                continue
            if not tracked.running:
                lane.ender.abandon_launch(tracked)
            elif tracked.kill_at is None:
                lane.ender.stop(tracked, job.grace_seconds)

    def _end_overdue(self) -> None:
        overdue = Job.objects.filter(state=JobState.QUEUED, queue_deadline__lte=timezone.now())
        for job in overdue.order_by("queue_deadline")[:_BATCH]:
            waited = (timezone.now() - max(job.queued_at, job.not_before or job.queued_at)).total_seconds()
            evidence = {
                "queue_timeout_seconds": job.request.get("queue_timeout_seconds"),
                "waited_seconds": round(waited, 3),
            }
            lifecycle.end(job.pk, Outcome(JobState.FAILED, Reason.QUEUE_TIMEOUT, evidence), sources={JobState.QUEUED})

    def _clean_leftovers(self) -> None:
        """Attempts whose cleanup did not come to its end: the engine was away, or a dispatcher died in between."""
        before = timezone.now() - timedelta(seconds=_HOUSEKEEPING_SECONDS)
        healthy = [name for name, lane in self._lanes.items() if lane.board.healthy]
        left = Attempt.objects.filter(cleaned_at=None, finished_at__lt=before, job__executor__in=healthy)
        for attempt in left.select_related("job").order_by("finished_at")[:_BATCH]:
            self._lanes[attempt.job.executor].ender.clean_later(attempt)

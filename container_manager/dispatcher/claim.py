"""Taking jobs from the queue."""

from collections.abc import Iterator
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from container_manager import jobs, lifecycle, turns
from container_manager.circuit import CLOSED
from container_manager.executors.base import ContainerExecutor
from container_manager.lifecycle import Outcome
from container_manager.models import Capacity, Job
from container_manager.resources import Resources
from container_manager.spans import span
from container_manager.states import JobState, Reason


def claim(executor: ContainerExecutor, owner: UUID, most: int) -> Iterator[Job]:
    """Move up to `most` jobs from queued to launching, each with its reservation in one short transaction.

    Each is given as soon as it is claimed.

    The order is strict: what does not fit on the executor holds back what is behind it, so that a big job is never
    starved. A job that its own namespace's quota holds back, holds back nobody else's. One that can never fit, because
    there is less now than when it was accepted, is ended.
    """
    for _ in range(most):
        if not _is_any_queued(executor.name):
            return
        with span("claim", executor.name):
            job = _take_next(executor, owner)
        if job is None:
            return
        if job.state == JobState.LAUNCHING:
            yield job


def _is_any_queued(executor: str) -> bool:
    """Asked before a transaction is opened, which on SQLite keeps all other writers waiting."""
    return Job.objects.filter(executor=executor, state=JobState.QUEUED).exists()


def next_turn(executor: str) -> float | None:
    """Seconds until a job that is held back by `not_before` may be claimed; None when none is."""
    held = Job.objects.filter(executor=executor, state=JobState.QUEUED, not_before__isnull=False)
    first = held.order_by("not_before").values_list("not_before", flat=True).first()
    return None if first is None else max((first - timezone.now()).total_seconds(), 0)


@transaction.atomic
def _take_next(executor: ContainerExecutor, owner: UUID) -> Job | None:
    """The job that has left the queue; None when none may now."""
    room = _lock_room(executor.name)
    circuit = executor.breaker.circuit()
    job = _next(executor.name, room.turn) if circuit.admits(timezone.now()) else None
    if job is None:
        return None
    if _ended_for_its_size(executor, job):
        return Job.objects.get(pk=job.pk)
    with span("reserve", executor.name):
        fits = executor.allocate_resources(str(job.pk), {"memory": job.memory_mib, "cpu": job.cpu_millis / 1000})
    if not fits:
        _set_turn(room, job.pk)
        return None
    if room.turn == job.pk:
        _set_turn(room, None)
    if circuit.state != CLOSED:
        executor.breaker.change(lambda circuit: circuit.let_through(executor.observations.rule, timezone.now()))
    return lifecycle.claim(job, owner)


def _lock_room(executor: str) -> Capacity:
    """One claim at a time on an executor: two at once could each pass the job whose turn it is."""
    return Capacity.objects.select_for_update().get_or_create(executor=executor)[0]


def _next(executor: str, turn: UUID | None) -> Job | None:
    """The job whose turn it is, locked. One that somebody else is just ending is passed over."""
    found = [head.job for head in turns.heads(executor, turn)]
    held_back = turns.held_back_by_quota(found) if found else set()
    return next((locked for job in found if job.pk not in held_back and (locked := _lock(job.pk))), None)


def _lock(job_id: UUID) -> Job | None:
    rows = Job.objects.filter(pk=job_id, state=JobState.QUEUED)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    return rows.first()


def _ended_for_its_size(executor: ContainerExecutor, job: Job) -> bool:
    memory, cpu = job.memory_mib, job.cpu_millis / 1000
    if executor.limits.allows(Resources(memory, cpu)):
        return False
    told = "; ".join(f"{error.field}: {error.detail}" for error in jobs.cannot_fit(executor, memory, cpu))
    outcome = Outcome(JobState.FAILED, Reason.POLICY_DENIED, {"error": told})
    return lifecycle.end(job.pk, outcome, sources={JobState.QUEUED})


def _set_turn(room: Capacity, job_id: UUID | None) -> None:
    if room.turn != job_id:
        Capacity.objects.filter(pk=room.pk).update(turn=job_id)

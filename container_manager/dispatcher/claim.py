"""Taking jobs from the queue."""

from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from container_manager import lifecycle
from container_manager.executors.base import ContainerExecutor
from container_manager.models import Job
from container_manager.spans import span
from container_manager.states import JobState


def claim(executor: ContainerExecutor, owner: UUID, most: int) -> list[Job]:
    """Move up to `most` jobs from queued to launching, each with its reservation, in one transaction.

    The order is strict: what does not fit holds back what is behind it, so that a big job is never starved.
    """
    with span("claim", executor.name), transaction.atomic():
        claimed: list[Job] = []
        for job in _candidates(executor.name)[:most]:
            if not executor.allocate_resources(str(job.pk), {"memory": job.memory_mib, "cpu": job.cpu_millis / 1000}):
                break
            if lifecycle.claim(job, owner):
                claimed.append(Job.objects.get(pk=job.pk))
            else:
                executor.cleanup_resources(str(job.pk))
        return claimed


def next_turn(executor: str) -> float | None:
    """Seconds until a job that is held back by `not_before` may be claimed; None when none is."""
    held = Job.objects.filter(executor=executor, state=JobState.QUEUED, not_before__isnull=False)
    first = held.order_by("not_before").values_list("not_before", flat=True).first()
    return None if first is None else max((first - timezone.now()).total_seconds(), 0)


def _candidates(executor: str) -> QuerySet[Job]:
    due = Q(not_before__isnull=True) | Q(not_before__lte=timezone.now())
    rows = Job.objects.filter(due, executor=executor, state=JobState.QUEUED).order_by("-priority", "queued_at", "id")
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows

"""The end of finished jobs: their logs, then their rows, when their time is over."""

import logging
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from container_manager import audit, lifecycle, logs, tallies
from container_manager.models import IdempotencyKey, Job, WebhookDelivery
from container_manager.spans import span
from container_manager.tallies import Removed

logger = logging.getLogger(__name__)
Row = TypeVar("Row", bound=models.Model)

_BATCH = 200
_IDLE_SECONDS = 5.0
_PAUSES = 2  # after each batch, so many times what it took
_LEAST_PAUSE_SECONDS = 0.02


class Retention:
    """Removes batch after batch, the oldest first, and leaves most of the time to others."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def step(self) -> None:
        """Remove a batch of each kind, then pause: long when there was nothing to do."""
        began = time.monotonic()
        removed = False
        for remove in (delete_logs, delete_jobs, forget_keys, forget_deliveries, delete_audit):
            with span("retire"):
                removed = remove() > 0 or removed
        pause = max((time.monotonic() - began) * _PAUSES, _LEAST_PAUSE_SECONDS)
        self._stop.wait(pause if removed else _IDLE_SECONDS)


def delete_logs() -> int:
    """Delete the logs of jobs that ended long ago; returns of how many.

    The job says first that they are gone, so that nobody is shown a part of them as the whole. Files that a kill
    in between has left go with the job.
    """
    purser = settings.PURSER
    before = _ago(min(purser.log_retention_seconds, purser.retention_seconds))
    due = Job.objects.filter(finished_at__lt=before, cleaned_at__isnull=False, logs_deleted_at=None)
    with transaction.atomic():
        jobs = _oldest(due.only("id", "executor"), "finished_at")
        lifecycle.note(Job.objects.filter(pk__in=[job.pk for job in jobs]), logs_deleted_at=timezone.now())
        _count(Removed.LOGS, [job.executor for job in jobs])
    return sum(_delete_files(job.pk) for job in jobs)


def delete_jobs() -> int:
    """Delete jobs that ended long ago, whose logs are gone, with all that belongs to them; returns how many."""
    due = Job.objects.filter(finished_at__lt=_ago(settings.PURSER.retention_seconds), logs_deleted_at__isnull=False)
    ids = list(due.order_by("finished_at").values_list("pk", flat=True)[:_BATCH])
    bare = [job_id for job_id in ids if _delete_files(job_id)]
    with transaction.atomic():
        jobs = _oldest(Job.objects.filter(pk__in=bare).only("id", "executor"), "finished_at")
        Job.objects.filter(pk__in=[job.pk for job in jobs]).delete()
        _count(Removed.JOBS, [job.executor for job in jobs])
    return len(jobs)


def forget_keys() -> int:
    """Forget idempotency keys that are older than they are remembered; returns how many."""
    old = IdempotencyKey.objects.filter(created_at__lt=_ago(settings.PURSER.idempotency_retention_seconds))
    with transaction.atomic():
        keys = _oldest(old.select_related("job").only("id", "job__executor"), "created_at")
        IdempotencyKey.objects.filter(pk__in=[key.pk for key in keys]).delete()
        _count(Removed.KEYS, [key.job.executor for key in keys])
    return len(keys)


def forget_deliveries() -> int:
    """Forget what webhooks were told long ago, or could not be told; returns how many."""
    old = WebhookDelivery.objects.filter(finished_at__lt=_ago(settings.PURSER.webhook_retention_seconds))
    with transaction.atomic():
        ids = [delivery.pk for delivery in _oldest(old.only("id"), "finished_at")]
        WebhookDelivery.objects.filter(pk__in=ids).delete()
    return len(ids)


def delete_audit() -> int:
    """Delete what is in the audit log for longer than it is kept; returns how many entries."""
    return audit.delete_before(_ago(settings.PURSER.audit_retention_seconds))


def _oldest(rows: models.QuerySet[Row], field: str) -> list[Row]:
    """The next batch, none of it in the hands of another dispatcher."""
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return list(rows.order_by(field)[:_BATCH])


def _delete_files(job_id: UUID) -> bool:
    """Whether no log of the job is left. One that cannot be deleted keeps its job and no other."""
    try:
        logs.delete(job_id)
    except OSError as error:
        logger.error("logs cannot be deleted", extra={"job_id": str(job_id), "error": str(error)})
        return False
    return True


def _count(kind: Removed, executors: list[str]) -> None:
    for executor, number in sorted(Counter(executors).items()):  # in one order, so that two never wait for each other
        tallies.add(executor, kind, number)


def _ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)

"""Jobs as they are read most: with their attempts, and with what confirms the caller's token, in one query."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import CharField, Prefetch, UUIDField, prefetch_related_objects

from container_manager import recall
from container_manager.models import Attempt, Job
from container_manager.prepared import Prepared, Slot

_KEPT_JOBS = 256

_JOB = [field.attname for field in Job._meta.concrete_fields]
_ATTEMPT = [field.attname for field in Attempt._meta.concrete_fields]
_jobs = Prepared(
    lambda: (
        Job.objects.filter(pk=Slot("job", UUIDField()), namespace=Slot("namespace", CharField()))
        .order_by("attempts__number")
        .values_list(*_JOB, *(f"attempts__{name}" for name in _ATTEMPT), recall.stamp(Slot("token", CharField())))
    )
)


def find(job_id: UUID, namespace: str) -> Job | None:
    """A job of the namespace, with its attempts: the same object while the books say the same, so never change it."""
    rows = _jobs.raw(job=job_id, namespace=namespace, token=recall.token())
    if not rows:
        recall.confirm_alone()
        return None
    recall.confirm(rows[0][-1])
    return _made(rows)


@lru_cache(_KEPT_JOBS)
def _made(rows: tuple[tuple[Any, ...], ...]) -> Job:
    """To make a job of its rows costs more than to have them: who asks again and again mostly gets the same."""
    made = _jobs.converted(rows)
    job = Job.from_db(DEFAULT_DB_ALIAS, _JOB, made[0][: len(_JOB)])
    found = [row[len(_JOB) : -1] for row in made if row[len(_JOB)] is not None]
    job.known_attempts = [Attempt.from_db(DEFAULT_DB_ALIAS, _ATTEMPT, columns) for columns in found]
    return job


def with_attempts(jobs: list[Job]) -> list[Job]:
    """The same jobs with their attempts, which are one query for all."""
    by_number = Prefetch("attempts", Attempt.objects.order_by("number"), to_attr="known_attempts")
    prefetch_related_objects([job for job in jobs if job.attempt], by_number)
    return jobs


def attempts_of(job: Job) -> list[Attempt]:
    """The attempts that the job was read with, or else has now, by their number."""
    if not job.attempt:
        return []
    return job.known_attempts if hasattr(job, "known_attempts") else list(job.attempts.order_by("number"))

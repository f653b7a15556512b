"""What a caller may do with jobs: the only door from REST and commands into the domain."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from container_manager import audit, lifecycle, outbox, reads, secrets, turns, vault
from container_manager.bell import CONTROL_TOPIC, bell, queue_topic
from container_manager.exceptions import (
    FieldError,
    IdempotencyInProgress,
    IdempotencyMismatch,
    IllegalTransition,
    InvalidIdempotencyKey,
    InvalidJob,
    QueueFull,
    UnknownJob,
)
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.registry import executors
from container_manager.lifecycle import Outcome
from container_manager.models import Capacity, IdempotencyKey, Job, JobEvent, JobLabel, Namespace, Share
from container_manager.spans import span
from container_manager.spec import JobRequest, JobSpec
from container_manager.states import ACTIVE, TERMINAL, EventType, JobState, Reason

STARS = "***"
"""Stands for a value that is not shown."""

_NEAR = 1000  # more than there are launches at one moment
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Launched:
    """An accepted job. `document` is the first answer; `replayed` says that its key had been used before."""

    job: Job
    document: dict[str, Any]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a launch would do. `job` is not on record; in `spec` and `engine_request` stars stand for what is secret."""

    job: Job
    spec: JobSpec
    waiting: dict[str, Any] | None
    engine_request: Mapping[str, Any] | None


def require_key(idempotency_key: str) -> None:
    """Raises InvalidIdempotencyKey."""
    if not _VISIBLE_ASCII.fullmatch(idempotency_key):
        raise InvalidIdempotencyKey


def launch(
    executor: str,
    request: JobRequest,
    *,
    namespace: str,
    describe: Callable[[Job], dict[str, Any]],
    idempotency_key: str | None = None,
) -> Launched:
    """Accept a job: when this returns it is committed and will be launched.

    The same key and request again, in the same namespace, returns the first answer. Raises UnknownExecutor,
    InvalidJob with every wrong field, QueueFull, InvalidIdempotencyKey, IdempotencyMismatch, IdempotencyInProgress.
    """
    found = executors[executor]
    with span("accept", executor):
        return _launch(found, request, namespace, describe, idempotency_key)


def _launch(
    executor: ContainerExecutor,
    request: JobRequest,
    namespace: str,
    describe: Callable[[Job], dict[str, Any]],
    idempotency_key: str | None,
) -> Launched:
    if idempotency_key is None:
        job = _new_job(executor, request, namespace)
        with transaction.atomic():
            return Launched(_insert(job), describe(job))
    require_key(idempotency_key)
    digests = _digests(executor.name, request)
    with transaction.atomic():
        _lock_key(namespace, idempotency_key)
        if known := _replay(namespace, idempotency_key, digests):
            return known
        return _insert_with_key(_new_job(executor, request, namespace), idempotency_key, digests[0], describe)


def rehearse(executor: str, request: JobRequest, *, namespace: str) -> Rehearsal:
    """What a launch would do: it is done and taken back, so nothing of it stays and nobody hears of it.

    Raises what `launch` raises for the same request.
    """
    found = executors[executor]
    job = _new_job(found, request, namespace)
    with transaction.atomic():
        _insert(job)
        waiting = turns.hindrance(job)
        transaction.set_rollback(True)
    spec = found.complete(_without_secrets(job))
    return Rehearsal(job, spec, waiting, found.describe_launch(spec))


def _without_secrets(job: Job) -> JobSpec:
    """What a first attempt of the job would be given, with stars for what may be secret."""
    told = [
        one if one.keys() & {"stored", "provided"} else {**one, "value": STARS}
        for one in job.request.get("secrets", ())
    ]
    known = {**job.request, "secrets": told} if told else job.request
    spec = Job(
        id=job.pk, attempt=1, namespace=job.namespace, request=known, memory_mib=job.memory_mib,
        cpu_millis=job.cpu_millis, timeout_seconds=job.timeout_seconds, grace_seconds=job.grace_seconds,
    ).spec()  # fmt: skip
    hidden = {"env": dict.fromkeys(spec.env, STARS), "stdin": STARS if spec.stdin else spec.stdin}
    return spec.model_copy(update=hidden)


def violations(executor: str, request: JobRequest, namespace: str | None = None) -> list[FieldError]:
    """Every field that this executor cannot honour, or that neither it nor the namespace could ever find room for.

    Raises UnknownExecutor.
    """
    found = executors[executor]
    memory = found.default_memory if request.memory_mib is None else request.memory_mib
    cpu = found.default_cpu if request.cpu_cores is None else request.cpu_cores
    fits = cannot_fit(found, memory, cpu, namespace)
    about_secrets = [*secrets.errors_in(request, namespace), *_not_provided(found, request, namespace)]
    return [*found.refusals(request), *about_secrets, *fits]


def get(job_id: UUID, *, namespace: str, executor: str | None = None) -> Job:
    """Raises UnknownJob, also for the job of another namespace or executor."""
    job = reads.find(job_id, namespace)
    if job is None or executor not in (None, job.executor):
        raise UnknownJob(f"there is no job {str(job_id)!r}")
    return job


def events(job: Job, *, after: int = 0, limit: int = 1000) -> list[JobEvent]:
    """The job's events with a `seq` over `after`, in order."""
    return list(job.events.filter(seq__gt=after).order_by("seq")[:limit])


def cancel(job: Job, *, by: str = "") -> Job:
    """Ask for the end. A job that waits ends at once, one that runs is stopped with its grace; asking twice is once.

    `by` says who asks, for the history.
    Raises IllegalTransition for a job that has ended otherwise.
    """
    while not _ask_for_the_end(job.pk, by):
        continue  # it went from one state to another between the two questions
    job = Job.objects.get(pk=job.pk)
    if job.state in TERMINAL and job.state != JobState.CANCELLED:
        raise IllegalTransition(f"the job has already {job.state}; only a job that has not ended can be cancelled")
    return job


def _ask_for_the_end(job_id: UUID, by: str) -> bool:
    told = {"cancelled_by": by} if by else {}
    outcome = Outcome(JobState.CANCELLED, Reason.CANCELLED, told)
    with transaction.atomic():
        if lifecycle.end(job_id, outcome, sources={JobState.QUEUED}):
            audit.note("job", job_id)
            return True
        if lifecycle.mark(job_id, EventType.CANCEL_REQUESTED, told, states=ACTIVE, cancel_requested_at=timezone.now()):
            audit.note("job", job_id)
            bell.ring(CONTROL_TOPIC)
            return True
    job = Job.objects.get(pk=job_id)
    return job.state in TERMINAL or (job.state in ACTIVE and job.cancel_requested_at is not None)


def cleanup(job: Job, *, by: str = "") -> Job:
    """Cancel the job if it has not ended. What is on the engine is removed once it has; `cleaned_at` says when.

    Idempotent. Record and logs stay until their retention ends.
    """
    if job.state not in TERMINAL:
        try:
            return cancel(job, by=by)
        except IllegalTransition:
            pass  # it ended in between
    bell.ring(CONTROL_TOPIC)
    return Job.objects.get(pk=job.pk)


def waiting(job: Job) -> dict[str, Any] | None:
    """Why a queued job is not launched yet, as `turns.why` says it; None once it is not queued."""
    return turns.why(job)


def _new_job(executor: ContainerExecutor, request: JobRequest, namespace: str) -> Job:
    now = timezone.now()
    memory = executor.default_memory if request.memory_mib is None else request.memory_mib
    cpu = executor.default_cpu if request.cpu_cores is None else request.cpu_cores
    if errors := violations(executor.name, request, namespace):
        raise InvalidJob(errors)
    wait = request.queue_timeout_seconds
    return Job(
        namespace=namespace,
        executor=executor.name,
        request=_as_stored(request),
        secrets=secrets.sealed(request, namespace),
        labels=request.labels,
        priority=request.priority,
        memory_mib=memory,
        cpu_millis=round(cpu * 1000),
        timeout_seconds=executor.timeout if request.timeout_seconds is None else request.timeout_seconds,
        grace_seconds=executor.grace_seconds if request.grace_seconds is None else request.grace_seconds,
        max_retries=executor.max_retries if request.max_retries is None else request.max_retries,
        created_at=now,
        queued_at=now,
        queue_deadline=None if wait is None else now + timedelta(seconds=wait),
    )


def _as_stored(request: JobRequest) -> dict[str, Any]:
    """The request without what must not be seen."""
    return request.model_dump(mode="json", exclude_unset=True, exclude={"secrets": {"__all__": {"value"}}})


def _not_provided(executor: ContainerExecutor, request: JobRequest, namespace: str | None) -> list[FieldError]:
    """Which of the operator's secrets are not there, or not for this namespace: the same answer for both."""
    sources = executor.options.secret_sources
    return [
        FieldError(
            f"secrets.{index}.provided", "not_allowed", f"{secret.provided!r} is not provided for this namespace"
        )
        for index, secret in enumerate(request.secrets)
        if secret.provided is not None
        and not ((source := sources.get(secret.provided)) and (namespace is None or source.is_for(namespace)))
    ]


def cannot_fit(executor: ContainerExecutor, memory: int, cpu: float, namespace: str | None = None) -> list[FieldError]:
    """What could never be reserved, however long it waited."""
    row = Capacity.objects.filter(executor=executor.name).first() or Capacity()
    quota = Namespace.objects.filter(name=namespace).first() or Namespace()
    limits = executor.limits
    memory_totals = (total for total in (limits.total_memory, row.memory_total) if total is not None)
    memory_bounds = [limits.max_memory, *(total - row.memory_aside for total in memory_totals)]
    cpu_bounds = [limits.max_cpu, limits.total_cpu, _cores(row.cpu_millis_total)]
    checks = (
        _too_large("memory_mib", "MiB", memory, memory_bounds, quota.max_memory_mib),
        _too_large("cpu_cores", "cores", cpu, cpu_bounds, _cores(quota.max_cpu_millis)),
    )
    return [error for error in checks if error]


def _too_large(
    field: str, unit: str, asked: float, bounds: list[float | None], quota: float | None
) -> FieldError | None:
    most = min((bound for bound in bounds if bound is not None), default=math.inf)
    if asked <= min(most, math.inf if quota is None else quota):
        return None
    if asked > most:
        allowed = f"at most {most:.15g} {unit} is allowed"
    else:
        allowed = f"the quota of the namespace is {quota:.15g} {unit}"
    return FieldError(field, "too_large", f"{asked:.15g} {unit} is asked; {allowed}")


def _cores(millis: int | None) -> float | None:
    return None if millis is None else millis / 1000


def _insert(job: Job) -> Job:
    _check_queue(job.executor)
    _check_queued_quota(job.namespace)
    job.version, job.updated_at = 1, lifecycle.stamp()
    job.save(force_insert=True)
    watched = _join(job.executor, job.namespace)
    named = {"job": job, "namespace": job.namespace, "created_at": job.created_at}
    JobLabel.objects.bulk_create(JobLabel(key=key, value=value, **named) for key, value in job.labels.items())
    lifecycle.record(job, EventType.STATE, watched=watched)
    audit.note("job", job.pk, job.namespace)
    bell.ring(queue_topic(job.executor))
    return job


def _join(executor: str, namespace: str) -> bool:
    """See that the namespace has a share of the executor, and say whether it has webhooks."""
    share = outbox.with_watchers(Share.objects.filter(executor=executor, namespace=namespace)).first()
    if share:
        return outbox.is_watched(share)
    Share.objects.bulk_create([Share(executor=executor, namespace=namespace)], ignore_conflicts=True)
    return outbox.has_webhooks(namespace)


def _check_queue(executor: str) -> None:
    """Raises QueueFull. Near the bound one launch at a time is looked at, so that no two take the last place."""
    most = settings.PURSER.max_queued
    if most <= _NEAR or _has_queued(executor, most - _NEAR):
        Capacity.objects.select_for_update().get_or_create(executor=executor)
        if _has_queued(executor, most):
            raise QueueFull(f"{most} jobs wait on executor {executor!r}; try again later")


def _has_queued(executor: str, number: int) -> bool:
    queue = Job.objects.filter(executor=executor, state=JobState.QUEUED).order_by("-priority", "queued_at", "id")
    return queue[number - 1 : number].exists()


def _check_queued_quota(namespace: str) -> None:
    """Raises QueueFull. The row is locked, so that two launches at once cannot both take the last place."""
    quota = Namespace.objects.filter(name=namespace, max_queued__isnull=False).select_for_update().first()
    if quota is None or quota.max_queued is None:
        return
    queued = Job.objects.filter(namespace=namespace, state=JobState.QUEUED).order_by("-created_at", "-id")
    if queued[quota.max_queued - 1 : quota.max_queued].exists():
        raise QueueFull(f"{quota.max_queued} jobs of namespace {namespace!r} wait, its quota; try again later")


def _insert_with_key(job: Job, key: str, digest: str, describe: Callable[[Job], dict[str, Any]]) -> Launched:
    document = describe(_insert(job))
    response = json.dumps(document)
    IdempotencyKey.objects.create(namespace=job.namespace, key=key, digest=digest, job=job, response=response)
    return Launched(job, document)


def _digests(executor: str, request: JobRequest) -> list[str]:
    """What tells this request from others: of one with secrets nobody can try out values without the service's key."""
    text = json.dumps([executor, _as_stored(request)], sort_keys=True)
    if request.secrets:
        return vault.fingerprints(text + json.dumps(secrets.inline_values(request)))
    return [hashlib.sha256(text.encode()).hexdigest()]


def _replay(namespace: str, key: str, digests: Collection[str]) -> Launched | None:
    known = IdempotencyKey.objects.select_related("job").filter(namespace=namespace, key=key).first()
    if known is None:
        return None
    if known.digest not in digests:
        raise IdempotencyMismatch(f"Idempotency-Key {key!r} was used with another request")
    return Launched(known.job, json.loads(known.response), replayed=True)


def _lock_key(namespace: str, key: str) -> None:
    """One launch a key at a time. On SQLite the transaction itself is the lock, and a second caller waits for it."""
    if connection.vendor != "postgresql":
        return
    number = int.from_bytes(hashlib.sha256(f"{namespace} {key}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if cursor.fetchone() == (False,):
            raise IdempotencyInProgress

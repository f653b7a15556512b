"""Whose turn it is: priority, then a fair share between namespaces, then age.

Among the namespaces that have a job of the highest priority waiting, the next is the one with the fewest jobs on the
executor; among equals, the one that was served the longest ago; then the one with the oldest job. A job that does not
fit when its turn comes keeps it (`Capacity.turn`), so that small ones cannot pass it for ever.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from container_manager import breaker, reports
from container_manager.models import Capacity, Job, Namespace, Share
from container_manager.states import JobState

_FIELDS = ("namespace", "priority", "queued_at", "memory_mib", "cpu_millis")
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Head:
    """The first job of one namespace; of the job only what its turn depends on is loaded."""

    job: Job
    share: Share

    def rank(self, turn: UUID | None) -> tuple[Any, ...]:
        job, share = self.job, self.share
        served_at = share.served_at or _NEVER
        return (-job.priority, job.pk != turn, share.jobs_used, served_at, job.queued_at, job.pk)


def heads(executor: str, turn: UUID | None) -> list[Head]:
    """The first due job of each namespace, in the order of their turns. Two queries, however long the queue is."""
    first = _due(executor).filter(namespace=OuterRef("namespace")).order_by("-priority", "queued_at", "id")
    shares = {
        share.first: share
        for share in Share.objects.filter(executor=executor).annotate(first=Subquery(first.values("pk")[:1]))
        if share.first
    }
    jobs = Job.objects.filter(pk__in=list(shares)).only(*_FIELDS) if shares else []
    return sorted((Head(job, shares[job.pk]) for job in jobs), key=lambda head: head.rank(turn))


def held_back_by_quota(jobs: list[Job]) -> set[UUID]:
    """Those of the jobs that their own namespace's quota holds back."""
    limited = Q(max_jobs__isnull=False) | Q(max_memory_mib__isnull=False) | Q(max_cpu_millis__isnull=False)
    quotas = {row.name: row for row in Namespace.objects.filter(limited)}
    return {job.pk for job in jobs if job.namespace in quotas and _over_quota(job, quotas[job.namespace])}


@dataclass(frozen=True, slots=True)
class _Line:
    """What one namespace has waiting, at one priority, once all that is more urgent is launched."""

    count: int
    held: int
    served_at: datetime
    oldest: datetime

    def before(self, other: "_Line", ahead: int) -> int:
        """How many of these are launched before the other's job that has `ahead` of its own before it."""
        first = (-self.held, self.served_at, self.oldest) < (-other.held, other.served_at, other.oldest)
        return min(self.count, max(other.held + ahead - self.held + first, 0))


def position(job: Job) -> int | None:
    """The job's place in the order of turns, as it would be if nothing ended and nothing came: 1 is next.

    None when it has left the queue in the meantime.
    """
    queue = Job.objects.filter(executor=job.executor, state=JobState.QUEUED)
    older = Q(queued_at__lt=job.queued_at) | Q(queued_at=job.queued_at, pk__lt=job.pk)
    ahead = queue.filter(older, namespace=job.namespace, priority=job.priority).count()
    urgent = queue.filter(priority__gt=job.priority).count()
    lines = _lines(job)
    ours = lines.pop(job.namespace, None)
    if ours is None:
        return None
    return urgent + ahead + sum(line.before(ours, ahead) for line in lines.values()) + 1


def _lines(job: Job) -> dict[str, _Line]:
    equal, urgent = Q(priority=job.priority), Q(priority__gt=job.priority)
    queue = Job.objects.filter(equal | urgent, executor=job.executor, state=JobState.QUEUED)
    shares = {share.namespace: share for share in Share.objects.filter(executor=job.executor)}
    lines = {}
    rows = queue.values("namespace").annotate(
        equal=Count("pk", filter=equal), urgent=Count("pk", filter=urgent), oldest=Min("queued_at", filter=equal)
    )
    for row in rows:
        share = shares.get(row["namespace"], Share())
        served = timezone.now() if row["urgent"] else share.served_at or _NEVER
        held = share.jobs_used + row["urgent"]
        lines[row["namespace"]] = _Line(row["equal"], held, served, row["oldest"] or _NEVER)
    return lines


def why(job: Job) -> dict[str, Any] | None:
    """Why a queued job is not launched yet: code, detail, position and figures; None if it is not queued."""
    if job.state != JobState.QUEUED:
        return None
    place = position(job)
    return None if place is None else {**_cause(job, place), "position": place}


def hindrance(job: Job) -> dict[str, Any] | None:
    """As `why`, but None also for a job that nothing holds back, and that only has not been taken yet."""
    found = why(job)
    taken_soon = found is not None and found["code"] == "executor" and reports.health(job.executor).healthy
    return None if taken_soon else found


def _cause(job: Job, place: int) -> dict[str, Any]:
    if job.not_before and job.not_before > timezone.now():
        return {"code": "backoff", "detail": f"it is launched again after {job.not_before:%H:%M:%S} UTC"}
    circuit = breaker.find(job.executor)
    if not circuit.admits(timezone.now()):
        return {"code": "breaker", "detail": f"launches pause: {circuit.told()}"}
    quota = Namespace.objects.filter(name=job.namespace).first()
    if quota and (figures := _over_quota(job, quota)):
        return {"code": "quota", "detail": "its namespace holds as much as its quota allows", **figures}
    room = Capacity.objects.filter(executor=job.executor).first()
    if room and (figures := _over_capacity(job, room)):
        return {"code": "capacity", "detail": "the executor has no room for it now", **figures}
    health = reports.health(job.executor)
    if health.dispatchers and not health.healthy:
        return {"code": "executor", "detail": f"the executor is not healthy: {health.detail}"}
    if place > 1:
        return {"code": "queue", "detail": f"{place - 1} jobs are before it"}
    return {"code": "executor", "detail": "the executor has not taken it yet; see its health"}


def _over_capacity(job: Job, room: Capacity) -> dict[str, Any]:
    return _missing(
        job,
        memory=_left(room.memory_total, room.memory_used),
        cpu_millis=_left(room.cpu_millis_total, room.cpu_millis_used),
        jobs=_left(room.jobs_total, room.jobs_used),
    )


def _over_quota(job: Job, quota: Namespace) -> dict[str, Any]:
    return _missing(
        job,
        memory=_left(quota.max_memory_mib, quota.memory_used),
        cpu_millis=_left(quota.max_cpu_millis, quota.cpu_millis_used),
        jobs=_left(quota.max_jobs, quota.jobs_used),
    )


def _missing(job: Job, *, memory: int | None, cpu_millis: int | None, jobs: int | None) -> dict[str, Any]:
    """What is asked and what is free, by name, of all that there is too little of."""
    figures: dict[str, Any] = {}
    if memory is not None and job.memory_mib > memory:
        figures["memory_mib"] = {"asked": job.memory_mib, "free": memory}
    if cpu_millis is not None and job.cpu_millis > cpu_millis:
        figures["cpu_cores"] = {"asked": job.cpu_millis / 1000, "free": cpu_millis / 1000}
    if jobs is not None and jobs < 1:
        figures["jobs"] = {"asked": 1, "free": jobs}
    return figures


def _left(most: int | None, used: int) -> int | None:
    return None if most is None else max(most - used, 0)


def _due(executor: str) -> QuerySet[Job]:
    due = Q(not_before__isnull=True) | Q(not_before__lte=timezone.now())
    return Job.objects.filter(due, executor=executor, state=JobState.QUEUED)

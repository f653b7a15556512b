"""What dispatchers have last seen of executors, for every process to read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from container_manager import breaker
from container_manager.circuit import CLOSED
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.results import Health
from container_manager.models import Capacity, DriftReport, ExecutorReport, Job, JobCount
from container_manager.states import ACTIVE, JobState


class StateCount(TypedDict):
    """How many jobs have entered a state, ever; with the reason for a terminal one."""

    state: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The health of an executor: all dispatchers that have looked lately must find it healthy."""

    healthy: bool
    detail: str
    latency_seconds: float | None
    checked_at: datetime | None
    dispatchers: int
    breaker: str


def publish(executor: ContainerExecutor, dispatcher: UUID, health: Health, latency: float) -> None:
    """Write down what a dispatcher has just seen."""
    performance = executor.get_performance_stats()
    del performance["operation_times"]
    ExecutorReport.objects.update_or_create(
        executor=executor.name,
        dispatcher_id=dispatcher,
        defaults={
            "checked_at": timezone.now(),
            "healthy": health.healthy,
            "detail": health.detail,
            "latency_seconds": latency,
            "metrics": executor.get_metrics(),
            "performance": performance,
        },
    )


def fresh(executor: str) -> QuerySet[ExecutorReport]:
    """The reports of living dispatchers that are not older than a lease."""
    since = timezone.now() - timedelta(
        seconds=settings.PURSER.dispatcher_lease_seconds + settings.PURSER.report_seconds
    )
    return ExecutorReport.objects.filter(executor=executor, checked_at__gte=since).order_by("-checked_at")


def health(executor: str) -> HealthReport:
    """The last word on an executor's health: not healthy without a dispatcher that looks, or while launches pause."""
    reports = list(fresh(executor))
    circuit = breaker.find(executor)
    if not reports:
        detail = "no dispatcher has looked at this executor lately"
        return HealthReport(False, detail, None, None, 0, circuit.state)
    worst = next((report for report in reports if not report.healthy), reports[0])
    healthy, detail = worst.healthy, worst.detail
    if healthy and circuit.state != CLOSED:
        healthy, detail = False, circuit.told()
    return HealthReport(healthy, detail, worst.latency_seconds, worst.checked_at, len(reports), circuit.state)


def utilization(executor: str) -> dict[str, float | None]:
    """What is reserved and what there is, as in ContainerExecutor.get_resource_utilization."""
    row = Capacity.objects.filter(executor=executor).first() or Capacity(executor=executor)
    cpu_total = None if row.cpu_millis_total is None else row.cpu_millis_total / 1000
    return {
        "memory_used": row.memory_used,
        "memory_total": row.memory_total,
        "memory_percent": 100 * row.memory_used / row.memory_total if row.memory_total else None,
        "cpu_used": row.cpu_millis_used / 1000,
        "cpu_total": cpu_total,
        "cpu_percent": row.cpu_millis_used / 10 / cpu_total if cpu_total else None,
        "jobs_used": row.jobs_used,
        "jobs_total": row.jobs_total,
        "jobs_percent": 100 * row.jobs_used / row.jobs_total if row.jobs_total else None,
    }


def counts(executor: str, namespace: str | None = None) -> list[StateCount]:
    """How many jobs have entered each state, with each reason, ever: `{state, reason, count}`."""
    rows = JobCount.objects.filter(executor=executor)
    if namespace is not None:
        rows = rows.filter(namespace=namespace)
    return list(rows.values("state", "reason").annotate(count=Sum("count")).order_by("state", "reason"))


def drift(executor: str) -> DriftReport:
    """How the engine last differed from the books; `checked_at` is None before the first comparison."""
    return DriftReport.objects.filter(executor=executor).first() or DriftReport(executor=executor)


def active(executor: str, namespace: str) -> dict[str, int]:
    """How many jobs of the namespace there are now in each state that is no end."""
    states = (JobState.QUEUED, *sorted(ACTIVE))
    rows = Job.objects.filter(executor=executor, namespace=namespace, state__in=states)
    found = dict(rows.values_list("state").annotate(Count("pk")))
    return {state.value: found.get(state, 0) for state in states}

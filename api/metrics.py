"""Prometheus: what this process counts, and what the database knows for all of them."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.db.models import Count, Max, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from container_manager import breaker, reports, spans, tallies
from container_manager.circuit import STATES
from container_manager.executors.registry import executors
from container_manager.models import Capacity, DispatcherLease, Job, JobCount
from container_manager.spans import SpanEvent
from container_manager.states import ACTIVE, JobState

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

Labels = TypeVar("Labels", bound=tuple[str, ...])

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
_requests = Counter(
    "purser_http_requests", "Requests answered by this process.", ("method", "route", "code"), registry=REGISTRY
)
_request_seconds = Histogram(
    "purser_http_request_seconds",
    "Time from a request to the end of its answer, held and streamed ones included.",
    ("method", "route"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
_span_seconds = Histogram(
    "purser_span_seconds", "Steps of work in this process.", ("span", "executor"), buckets=_SECONDS, registry=REGISTRY
)
_stage_seconds = Histogram(
    "purser_stage_seconds",
    "What leads to each stage of a job, from its request to the end that can be seen, in this process.",
    ("stage", "executor"),
    buckets=_SECONDS,
    registry=REGISTRY,
)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request. `route` is the template of its path."""
    count, times = _of_requests(method if method in _METHODS else "other", route, str(status))
    count.inc()
    times.observe(seconds)


@cache
def _of_requests(method: str, route: str, code: str) -> tuple[Counter, Histogram]:
    return _requests.labels(method, route, code), _request_seconds.labels(method, route)


def exposition(accept: str) -> tuple[bytes, str]:
    """All metrics in the form that the Accept header asks for, and its content type."""
    encode, content_type = choose_encoder(accept)
    return bytes(encode(REGISTRY)), content_type


def _observe_span(event: SpanEvent) -> None:
    if event.seconds is not None:
        _span_seconds.labels(event.name, event.executor).observe(event.seconds)
        if stage := spans.STAGES.get(event.name):
            _stage_seconds.labels(stage, event.executor).observe(event.seconds)


class _Books(Collector):
    """Figures of the database, the same whichever process is asked."""

    def describe(self) -> Iterable[Metric]:
        return []  # so that registering it asks nothing of the database

    def collect(self) -> Iterable[Metric]:
        yield from (_entered(), _removed(), _launches(), _present(), *_capacity(), _up(), _breaker(), _heartbeat())


def _entered() -> Metric:
    family = CounterMetricFamily(
        "purser_jobs_entered", "Jobs that have entered a state, ever.", labels=("executor", "state", "reason")
    )
    for row in JobCount.objects.values("executor", "state", "reason").annotate(total=Sum("count")):
        family.add_metric((row["executor"], row["state"], row["reason"]), row["total"])
    return family


def _removed() -> Metric:
    text = "What was removed because nobody owned it, or because its retention had ended, ever."
    family = CounterMetricFamily("purser_removed", text, labels=("executor", "kind"))
    for name in executors:
        for kind, count in tallies.counts(name).items():
            family.add_metric((name, kind), count)
    return family


def _launches() -> Metric:
    text = "Launches by the way that they took, ever."
    family = CounterMetricFamily("purser_launches", text, labels=("executor", "path"))
    for name in executors:
        for path, count in tallies.launches(name).items():
            family.add_metric((name, path), count)
    return family


def _present() -> Metric:
    states = (JobState.QUEUED, *sorted(ACTIVE))
    shown: dict[tuple[str, ...], float] = {(name, state): 0 for name in executors for state in states}
    for indexed in (Job.objects.filter(state=JobState.QUEUED), Job.active()):
        for row in indexed.values("executor", "state").annotate(total=Count("pk")):
            shown[row["executor"], row["state"]] = row["total"]
    return _gauge("purser_jobs", "Jobs that have not ended, by state.", shown, "executor", "state")


def _capacity() -> Iterable[Metric]:
    rows = {(row.executor,): row for row in Capacity.objects.all()}
    memory_used = {name: row.memory_used for name, row in rows.items()}
    memory_total = {name: row.memory_total for name, row in rows.items() if row.memory_total is not None}
    cpu_used = {name: row.cpu_millis_used / 1000 for name, row in rows.items()}
    cpu_total = {name: row.cpu_millis_total / 1000 for name, row in rows.items() if row.cpu_millis_total is not None}
    yield _gauge("purser_memory_reserved_mib", "Memory reserved by jobs.", memory_used, "executor")
    yield _gauge("purser_memory_total_mib", "Memory that jobs may reserve.", memory_total, "executor")
    yield _gauge("purser_cpu_reserved_cores", "Cpu reserved by jobs.", cpu_used, "executor")
    yield _gauge("purser_cpu_total_cores", "Cpu that jobs may reserve.", cpu_total, "executor")
    slots_used = {name: row.jobs_used for name, row in rows.items()}
    slots_total = {name: row.jobs_total for name, row in rows.items() if row.jobs_total is not None}
    yield _gauge("purser_slots_reserved", "Jobs that hold a reservation.", slots_used, "executor")
    yield _gauge("purser_slots_total", "Jobs that may hold one at once.", slots_total, "executor")


def _up() -> Metric:
    healthy = {(name,): float(reports.health(name).healthy) for name in executors}
    return _gauge("purser_executor_up", "1 if jobs can be launched on it.", healthy, "executor")


def _breaker() -> Metric:
    now = {name: breaker.find(name).state for name in executors}
    shown = {(name, state): float(state == now[name]) for name in now for state in STATES}
    return _gauge("purser_executor_breaker", "1 for the state that its breaker is in.", shown, "executor", "state")


def _heartbeat() -> Metric:
    expiry = DispatcherLease.objects.aggregate(last=Max("lease_expires_at"))["last"]
    lease = settings.PURSER.dispatcher_lease_seconds
    ages: dict[tuple[str, ...], float] = {(): lease - (expiry - timezone.now()).total_seconds()} if expiry else {}
    text = "Time since a dispatcher last renewed its lease; none if there is none."
    return _gauge("purser_dispatcher_heartbeat_age_seconds", text, ages)


def _gauge(name: str, text: str, values: Mapping[Labels, float], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for named, value in values.items():
        family.add_metric(named, value)
    return family


REGISTRY.register(_Books())
spans.observe(_observe_span)

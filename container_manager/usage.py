"""What a namespace has used, summed over the attempts that ended in a time."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, TypedDict, cast

from django.db.models import Count, F, FloatField, Max, Q, Sum, Value
from django.db.models.functions import Cast, Coalesce

from container_manager.models import Attempt


class UsageSum(TypedDict):
    """What attempts on one executor have used. A figure is of those that have it; the others are counted."""

    executor: str
    jobs: int
    attempts: int
    run_seconds: float
    memory_mib_seconds: float  # reserved, times the time that it was
    cpu_seconds: float | None
    unknown_cpu: int
    peak_memory_bytes: int | None
    unknown_peak_memory: int


def sums(
    namespace: str, since: datetime, until: datetime, *, executor: str | None = None, executors: Collection[str] = ()
) -> list[UsageSum]:
    """By executor, of the attempts that ended at `since` or later and before `until`. Those that run are not in it.

    `executor` is the only one that is asked for, `executors` are those that may be told of; none is all.
    """
    rows = Attempt.objects.filter(finished_at__gte=since, finished_at__lt=until)
    # Not the bare column: SQLite would go through all jobs of the namespace, where the time is the narrower.
    rows = rows.alias(namespace=Coalesce("job__namespace", Value(""))).filter(namespace=namespace)
    if executor is not None:
        rows = rows.filter(job__executor=executor)
    if executors:
        rows = rows.filter(job__executor__in=executors)
    started = Q(started_at__isnull=False)
    memory = Cast(F("job__memory_mib"), FloatField())
    # The names are not those of columns, which an annotation may not take.
    found: Iterable[Any] = (
        rows.values(executor=F("job__executor"))
        .annotate(
            jobs=Count("job", distinct=True),
            attempts=Count("pk"),
            run=Coalesce(Sum("run_seconds"), 0.0),
            memory_mib_seconds=Coalesce(Sum(F("run_seconds") * memory, output_field=FloatField()), 0.0),
            cpu_seconds=Sum(F("cpu_user_seconds") + F("cpu_system_seconds")),
            unknown_cpu=Count("pk", filter=started & Q(cpu_user_seconds=None)),
            peak=Max("peak_memory_bytes"),
            unknown_peak_memory=Count("pk", filter=started & Q(peak_memory_bytes=None)),
        )
        .order_by("executor")
    )
    names = {"run": "run_seconds", "peak": "peak_memory_bytes"}
    return [cast("UsageSum", {names.get(name, name): value for name, value in row.items()}) for row in found]

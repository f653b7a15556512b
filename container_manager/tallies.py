"""What was removed, counted: the number stays when the thing is gone."""

from enum import StrEnum

from django.db.models import F

from container_manager.models import Tally


class Removed(StrEnum):
    """What may be removed of itself: because nobody owns it, or because its retention has ended."""

    EXECUTIONS = "reaped"
    LOGS = "logs_deleted"
    JOBS = "jobs_deleted"
    KEYS = "idempotency_keys_deleted"


def add(executor: str, kind: Removed, number: int = 1) -> None:
    """Count so many more."""
    rows = Tally.objects.filter(executor=executor, kind=kind)
    if number and not rows.update(count=F("count") + number):
        Tally.objects.get_or_create(executor=executor, kind=kind)
        rows.update(count=F("count") + number)


def counts(executor: str) -> dict[Removed, int]:
    """How many of each have been removed, ever."""
    known = dict(Tally.objects.filter(executor=executor).values_list("kind", "count"))
    return {kind: known.get(kind, 0) for kind in Removed}

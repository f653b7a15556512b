"""What was removed and what was launched, counted: the number stays when the thing is gone."""

from enum import StrEnum

from django.db.models import F

from container_manager.models import Tally
from container_manager.states import LaunchPath

_LAUNCHED = "launched_{}"


class Removed(StrEnum):
    """What may be removed of itself: because nobody owns it, or because its retention has ended."""

    EXECUTIONS = "reaped"
    LOGS = "logs_deleted"
    JOBS = "jobs_deleted"
    KEYS = "idempotency_keys_deleted"


def add(executor: str, kind: Removed, number: int = 1) -> None:
    """Count so many more."""
    _add(executor, kind, number)


def add_launch(executor: str, path: LaunchPath) -> None:
    """Count one more launch that took this way."""
    _add(executor, _LAUNCHED.format(path), 1)


def _add(executor: str, kind: str, number: int) -> None:
    rows = Tally.objects.filter(executor=executor, kind=kind)
    if number and not rows.update(count=F("count") + number):
        Tally.objects.get_or_create(executor=executor, kind=kind)
        rows.update(count=F("count") + number)


def counts(executor: str) -> dict[Removed, int]:
    """How many of each have been removed, ever."""
    known = _known(executor)
    return {kind: known.get(kind, 0) for kind in Removed}


def launches(executor: str) -> dict[LaunchPath, int]:
    """How many launches have taken each way, ever."""
    known = _known(executor)
    return {path: known.get(_LAUNCHED.format(path), 0) for path in LaunchPath}


def _known(executor: str) -> dict[str, int]:
    return dict(Tally.objects.filter(executor=executor).values_list("kind", "count"))

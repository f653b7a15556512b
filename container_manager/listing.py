"""Lists of jobs, page by page. However many jobs there are, a page is read along one index, in its order.

A list is newest first; a list of what has changed since a time begins with the oldest change. A cursor is the place of
the last job that was shown: what is inserted meanwhile moves no job to another page.
"""

import base64
import binascii
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from container_manager import reads, recall
from container_manager.exceptions import InvalidCursor
from container_manager.models import Job, JobLabel
from container_manager.states import JobState, Reason

_MARGIN_SECONDS = 0.25
_OPEN_WRITES = """
    SELECT LEAST(
        clock_timestamp() - make_interval(secs => %s),
        MIN(CASE WHEN backend_xid IS NULL THEN query_start ELSE xact_start END)
    )
    FROM pg_stat_activity
    WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows; what is empty does not narrow it."""

    executor: str | None = None
    executors: tuple[str, ...] = ()
    states: tuple[JobState, ...] = ()
    reasons: tuple[Reason, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, and where the next page begins. `watermark` is there in a list of changes."""

    jobs: list[Job]
    next_cursor: str | None
    watermark: datetime | None = None


def page(namespace: str, filters: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
    """List jobs with their attempts: newest first, or with `updated_since` by their last change, oldest first.

    The watermark of a list of changes is for the next one: between the two no change is missed or told twice.
    Raises InvalidCursor.
    """
    until = watermark() if filters.updated_since else None
    order = _Updates(until) if until else _Creations()
    after = _parse_cursor(cursor, order.mark) if cursor else None
    parts = [order.rows(namespace, part, after)[: limit + 1] for part in _parts(filters)]
    found = list(islice(order.merged(parts), limit + 1))
    more = len(found) > limit
    jobs = reads.with_attempts(found[:limit])
    return Page(jobs, _cursor(order, found[limit - 1]) if more else None, until)


def watermark() -> datetime:
    """A time before which every change has been committed and can be seen: no later one will be stamped with less.

    A change is stamped when it is written, and seen when its transaction commits. So on PostgreSQL it is the beginning
    of the oldest transaction that is open; that of one that is just being opened is not seen, hence the margin. On
    SQLite there is one writer at a time, and here it is waited for.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_OPEN_WRITES, [_MARGIN_SECONDS])
            found: datetime = cursor.fetchone()[0]
            return found.astimezone(UTC)
    with transaction.atomic():
        return timezone.now()


class _Creations:
    """Newest first, along the index of what narrows the list most: a label, else a state, a reason, an executor."""

    mark = "c"

    def rows(self, namespace: str, filters: JobFilter, after: tuple[datetime, UUID] | None) -> QuerySet[Any]:
        if not filters.labels:
            return _narrow(
                Job.objects.filter(_older("created_at", "pk", after), namespace=namespace), filters
            ).order_by("-created_at", "-id")
        (key, value), *others = filters.labels
        labels = JobLabel.objects.filter(_older("created_at", "job", after), namespace=namespace, key=key, value=value)
        narrowed = _narrow(labels, replace(filters, labels=tuple(others)), prefix="job__", job="job")
        return narrowed.select_related("job").order_by("-created_at", "-job")

    def merged(self, parts: Sequence[QuerySet[Any]]) -> Iterator[Job]:
        return heapq.merge(*map(_jobs, parts), key=lambda job: (job.created_at, job.pk), reverse=True)

    def place(self, job: Job) -> datetime:
        return job.created_at


class _Updates:
    """The oldest change first, and none over the watermark: one that is committed late would be passed."""

    mark = "u"

    def __init__(self, until: datetime) -> None:
        self._until = until

    def rows(self, namespace: str, filters: JobFilter, after: tuple[datetime, UUID] | None) -> QuerySet[Job]:
        rows = Job.objects.filter(
            namespace=namespace, updated_at__gte=filters.updated_since, updated_at__lt=self._until
        )
        if after:
            at, last = after
            rows = rows.filter(Q(updated_at__gte=at) & (Q(updated_at__gt=at) | Q(pk__gt=last)))
        return _narrow(rows, filters).order_by("updated_at", "id")

    def merged(self, parts: Sequence[QuerySet[Any]]) -> Iterator[Job]:
        return heapq.merge(*map(_jobs, parts), key=lambda job: (job.updated_at, job.pk))

    def place(self, job: Job) -> datetime:
        return job.updated_at


def _parts(filters: JobFilter) -> list[JobFilter]:
    """One list for each of several states, reasons or executors: each along its index, they are merged in order."""
    if filters.updated_since or filters.labels:
        return [filters]
    if len(filters.states) > 1:
        return [replace(filters, states=(state,)) for state in sorted(set(filters.states))]
    if len(filters.reasons) > 1:
        return [replace(filters, reasons=(reason,)) for reason in sorted(set(filters.reasons))]
    if len(filters.executors) > 1 and not filters.executor:
        return [replace(filters, executors=(name,)) for name in sorted(set(filters.executors))]
    return [filters]


def _narrow(rows: QuerySet[Any], filters: JobFilter, *, prefix: str = "", job: str = "pk") -> QuerySet[Any]:
    wanted: dict[str, Any] = {
        "executor": filters.executor,
        "executor__in": filters.executors,
        "state__in": filters.states,
        "reason__in": filters.reasons,
    }
    if filters.reasons:
        rows = rows.exclude(**{f"{prefix}reason": ""})  # as the index has it
    rows = rows.filter(**{prefix + name: value for name, value in wanted.items() if value})
    times = {"created_at__gte": filters.created_after, "created_at__lt": filters.created_before}
    rows = rows.filter(**{name: moment for name, moment in times.items() if moment})
    for key, value in filters.labels:
        rows = rows.filter(Exists(JobLabel.objects.filter(job=OuterRef(job), key=key, value=value)))
    return rows


def _older(time: str, key: str, after: tuple[datetime, UUID] | None) -> Q:
    if after is None:
        return Q()
    at, last = after
    # The first bound lets an index find the place; the second decides between jobs of one instant.
    return Q(**{f"{time}__lte": at}) & (Q(**{f"{time}__lt": at}) | Q(**{f"{key}__lt": last}))


def _jobs(rows: QuerySet[Any]) -> Iterator[Job]:
    return (row if isinstance(row, Job) else row.job for row in recall.confirming(rows))


def _cursor(order: _Creations | _Updates, job: Job) -> str:
    text = f"{order.mark} {order.place(job).isoformat()} {job.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _parse_cursor(cursor: str, mark: str) -> tuple[datetime, UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        found, at, job_id = text.split(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or found != mark:
            raise ValueError
        return moment.astimezone(UTC), UUID(job_id)
    except (ValueError, OverflowError, binascii.Error):
        raise InvalidCursor(f"cursor {cursor!r} was not given out by this list") from None

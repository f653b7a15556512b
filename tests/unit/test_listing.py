"""Lists of jobs: their pages, what narrows them, and that none is read by looking at every job."""

import base64
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from container_manager import lifecycle, listing
from container_manager.exceptions import InvalidCursor
from container_manager.lifecycle import Outcome
from container_manager.listing import JobFilter, Page
from container_manager.models import Job, JobLabel
from container_manager.states import JobState, Reason
from tests.api.conftest import until
from tests.factories import ContainerJobFactory

pytestmark = pytest.mark.django_db

EDGES = [
    base64.urlsafe_b64encode(f"c {at} 0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f".encode()).decode()
    for at in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CANCELLED = Outcome(JobState.CANCELLED, Reason.CANCELLED)
FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "state": {"states": (JobState.RUNNING,)},
    "states": {"states": (JobState.RUNNING, JobState.QUEUED)},
    "reason": {"reasons": (Reason.OOM,)},
    "reasons": {"reasons": (Reason.OOM, Reason.TIMEOUT)},
    "executor": {"executor": "mock"},
    "token's executors": {"executors": ("mock", "other")},
    "label": {"labels": (("team", "a"),)},
    "labels": {"labels": (("team", "a"), ("tier", "1"))},
    "label and state": {"labels": (("team", "a"),), "states": (JobState.QUEUED,)},
    "created range": {"created_after": LONG_AGO, "created_before": NOW},
    "updated_since": {"updated_since": LONG_AGO},
    "updated_since and states": {"updated_since": LONG_AGO, "states": (JobState.RUNNING, JobState.QUEUED)},
    "executor and state": {"executor": "mock", "states": (JobState.RUNNING,)},
}

INDEXES = {
    "nothing": "job_list",
    "state": "job_list_by_state",
    "states": "job_list_by_state",
    "reason": "job_list_by_reason",
    "reasons": "job_list_by_reason",
    "executor": "job_list_by_executor",
    "token's executors": "job_list_by_executor",
    "label": "label_lookup",
    "created range": "job_list",
    "updated_since": "job_list_by_update",
}


def labelled_job(**labels: str) -> Job:
    job = ContainerJobFactory.create(labels=labels)
    named = {"job": job, "namespace": job.namespace, "created_at": job.created_at}
    JobLabel.objects.bulk_create(JobLabel(key=key, value=value, **named) for key, value in labels.items())
    return job


def pages(limit: int, **filters: Any) -> list[Job]:
    """All jobs of a list, page by page."""
    found: list[Job] = []
    cursor = None
    while True:
        page = listing.page("default", JobFilter(**filters), limit=limit, cursor=cursor)
        found += page.jobs
        cursor = page.next_cursor
        if cursor is None:
            return found


def changes(since: datetime) -> Page:
    return listing.page("default", JobFilter(updated_since=since), limit=100)


def test_pages_are_the_whole_list_newest_first_also_for_jobs_of_one_instant() -> None:
    now = timezone.now()
    for number in range(7):
        ContainerJobFactory.create(created_at=now - timedelta(seconds=number // 3))
    ContainerJobFactory.create(namespace="other")

    found, cursor = [], None
    while True:
        page = listing.page("default", JobFilter(), limit=2, cursor=cursor)
        found += page.jobs
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == list(Job.objects.filter(namespace="default").order_by("-created_at", "-id"))


def test_a_list_is_stable_when_jobs_are_added_between_its_pages() -> None:
    first, second = ContainerJobFactory.create(), ContainerJobFactory.create()
    page = listing.page("default", JobFilter(), limit=1)
    ContainerJobFactory.create()

    rest = listing.page("default", JobFilter(), limit=5, cursor=page.next_cursor)

    assert (page.jobs, rest.jobs) == ([second], [first])


def test_filters_narrow_the_list() -> None:
    old = ContainerJobFactory.create(created_at=timezone.now() - timedelta(days=1), executor="docker")
    ended = ContainerJobFactory.create(ended=True)
    labelled = labelled_job(team="a", tier="1")

    def found(**filters: Any) -> set[Job]:
        return set(listing.page("default", JobFilter(**filters), limit=10).jobs)

    assert found(executor="docker") == {old}
    assert found(states=(JobState.SUCCEEDED,)) == {ended}
    assert found(reasons=(Reason.COMPLETED,)) == {ended}
    assert found(reasons=(Reason.OOM, Reason.COMPLETED)) == {ended}
    assert found(labels=(("team", "a"),), states=(JobState.SUCCEEDED,)) == set()
    assert found(labels=(("team", "a"), ("tier", "1"))) == {labelled}
    assert found(labels=(("team", "a"), ("tier", "2"))) == set()
    assert found(created_after=timezone.now() - timedelta(hours=1)) == {ended, labelled}
    assert found(created_before=timezone.now() - timedelta(hours=1)) == {old}


@pytest.mark.parametrize("cursor", ["x", "%%%", "MjAyNg", "MjAyNi0wMS0wMVQwMDowMDowMCAwMDA", *EDGES])
def test_a_cursor_that_was_not_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor, match="was not given out"):
        listing.page("default", JobFilter(), limit=1, cursor=cursor)


def test_a_cursor_of_another_order_is_refused() -> None:
    ContainerJobFactory.create_batch(2)
    cursor = listing.page("default", JobFilter(), limit=1).next_cursor
    with pytest.raises(InvalidCursor):
        listing.page("default", JobFilter(updated_since=LONG_AGO), limit=1, cursor=cursor)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_several_states_are_one_list_in_order(limit: int) -> None:
    for number in range(6):
        ContainerJobFactory.create(**({"ended": True} if number % 2 else {}))
    ContainerJobFactory.create(active=True)

    found = pages(limit, states=(JobState.QUEUED, JobState.SUCCEEDED))
    assert found == list(Job.objects.exclude(state="running").order_by("-created_at", "-id"))


def test_labelled_jobs_are_paged_in_order() -> None:
    jobs = [labelled_job(team="a") for _ in range(5)]

    assert pages(2, labels=(("team", "a"),)) == jobs[::-1]


@pytest.mark.django_db(transaction=True)
def test_a_walk_while_jobs_are_added_shows_each_job_that_was_there_once() -> None:
    there = {ContainerJobFactory.create().pk for _ in range(60)}
    over = threading.Event()

    def add() -> int:
        added = 0
        while not over.is_set():
            ContainerJobFactory.create()
            added += 1
        connections.close_all()
        return added

    with ThreadPoolExecutor() as pool:
        adding = pool.submit(add)
        walks = [[job.pk for job in pages(7)] for _ in range(3)]
        over.set()
        assert adding.result() > 0

    for walk in walks:
        assert len(walk) == len(set(walk))
        assert there <= set(walk)


def test_what_has_changed_comes_in_the_order_of_its_changes() -> None:
    first, second = ContainerJobFactory.create(), ContainerJobFactory.create()
    lifecycle.end(first.pk, CANCELLED)

    found = until(lambda: (page := changes(LONG_AGO)).jobs[1:] and page)
    assert found.jobs == [second, first]
    assert changes(found.watermark).jobs == []
    assert pages(1, updated_since=LONG_AGO) == [second, first]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_committed_late_is_not_missed() -> None:
    job, written, commit = ContainerJobFactory.create(updated_at=LONG_AGO), threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            lifecycle.end(job.pk, CANCELLED)
            written.set()
            commit.wait(10)
        connections.close_all()

    def look() -> Page:
        try:
            return changes(LONG_AGO + timedelta(days=1))
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        changing = pool.submit(change)
        written.wait(10)
        looking = pool.submit(look)  # SQLite waits for the writer; PostgreSQL says how far it has seen
        if connection.vendor == "postgresql":
            assert looking.result().jobs == []
        commit.set()
        changing.result()
        before = looking.result()
    watermark = before.watermark
    assert watermark is not None

    assert before.jobs == [job] or until(lambda: changes(watermark).jobs) == [job]


def test_a_job_that_is_no_longer_stale_has_changed() -> None:
    job = ContainerJobFactory.create(active=True, updated_at=LONG_AGO, stale_since=timezone.now())
    lifecycle.note(Job.objects.filter(pk=job.pk), stale_since=None)

    assert until(lambda: changes(LONG_AGO + timedelta(days=1)).jobs) == [job]


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("paged", [False, True])
def test_no_filter_looks_at_every_job_or_sorts_them(name: str, paged: bool) -> None:
    for _ in range(3):
        labelled_job(team="a", tier="1")
    cursor = listing.page("default", JobFilter(**FILTERS[name]), limit=1).next_cursor if paged else None
    with CaptureQueriesContext(connection) as queries:
        listing.page("default", JobFilter(**FILTERS[name]), limit=50, cursor=cursor)
    plans = [plan(query["sql"]) for query in queries if "container_manager_job" in query["sql"]]

    assert plans
    for text in plans:
        assert "Sort" not in text and "B-TREE" not in text, text
        assert "Seq Scan" not in text and "SCAN" not in text, text
        assert re.search(rf"\b{INDEXES.get(name, '')}\b", text), text


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # which else reads a small table whole, and is right
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
            )
        cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + sql)
        return "\n".join(str(row) for row in cursor.fetchall())

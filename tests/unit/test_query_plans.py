"""However many jobs there are: each hot query goes along an index, on the database at hand.

Each is made by the code that the service runs; what it asks of the database is then explained by the database itself.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import connection
from django.db.models import UUIDField
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from api import metrics
from container_manager import audit, explanation, jobs, lifecycle, listing, reports, turns, usage
from container_manager.audit import AuditFilter
from container_manager.bell import bell
from container_manager.dispatcher import claim, reconcile, retention
from container_manager.dispatcher.board import Board, Tracked
from container_manager.dispatcher.control import Control
from container_manager.dispatcher.courier import Courier
from container_manager.dispatcher.lane import Lane
from container_manager.dispatcher.lease import Lease
from container_manager.executors.mock import MockExecutor
from container_manager.identifiers import uuid7
from container_manager.lifecycle import Outcome
from container_manager.listing import JobFilter
from container_manager.models import (
    Attempt,
    AuditEntry,
    DispatcherLease,
    IdempotencyKey,
    Job,
    JobEvent,
    JobLabel,
    Share,
    Webhook,
    WebhookDelivery,
)
from container_manager.outbox import DeliveryState
from container_manager.spec import JobRequest
from container_manager.states import JobState, Reason

pytestmark = pytest.mark.django_db

COUNT = 3000
COPIES = 20  # on PostgreSQL, whose plans depend on how much there is
LARGE = {
    model._meta.db_table for model in (Job, JobLabel, Attempt, JobEvent, AuditEntry, IdempotencyKey, WebhookDelivery)
}
OWNER = uuid7()
OLD = datetime(2020, 1, 1, tzinfo=UTC)


def state_of(number: int) -> dict[str, Any]:
    """Of a thousand jobs, some are active, a few wait, one of them for its next attempt; all others have ended."""
    at = OLD + timedelta(minutes=number)
    if number % 1000 < 4:
        return {"state": "running", "owner": OWNER, "launching_at": at, "started_at": at, "attempt": 1}
    if 20 <= number % 1000 < 24:
        held = {"not_before": timezone.now() + timedelta(hours=1)} if number % 1000 == 23 else {}
        return {"state": "queued", "queue_deadline": timezone.now() + timedelta(hours=1), **held}
    reason = (
        {"state": "failed", "reason": "oom"} if number % 100 == 40 else {"state": "succeeded", "reason": "completed"}
    )
    return {**reason, "finished_at": at, "attempt": 1, "cleaned_at": at, "logs_deleted_at": at if number % 2 else None}


def fill() -> None:
    made = [
        Job(
            namespace=f"tenant-{number % 20}", executor="mock" if number % 7 else "other", request={"command": ["x"]},
            memory_mib=64, cpu_millis=100, timeout_seconds=60, grace_seconds=5, max_retries=0, version=3,
            created_at=OLD + timedelta(minutes=number), queued_at=OLD + timedelta(minutes=number),
            updated_at=OLD + timedelta(minutes=number), **state_of(number),
        )
        for number in range(COUNT)
    ]  # fmt: skip
    Job.objects.bulk_create(made, batch_size=500)
    attempted = [job for job in made if job.attempt]
    Attempt.objects.bulk_create(
        [
            Attempt(
                job=job, number=1, launching_at=job.created_at, started_at=job.created_at, finished_at=job.finished_at,
                cleaned_at=job.cleaned_at if number % 500 else None,
            )
            for number, job in enumerate(attempted)
        ],
        batch_size=500,
    )  # fmt: skip
    JobEvent.objects.bulk_create(
        [JobEvent(job=job, seq=seq, type="state", state=job.state) for job in made for seq in (1, 2)], batch_size=500
    )
    JobLabel.objects.bulk_create(
        [
            JobLabel(job=job, namespace=job.namespace, key="build", value=str(number // 50), created_at=job.created_at)
            for number, job in enumerate(made)
        ],
        batch_size=500,
    )
    IdempotencyKey.objects.bulk_create(
        [
            IdempotencyKey(
                namespace=job.namespace, key=job.pk.hex, digest="", job=job, response="{}", created_at=job.created_at
            )
            for job in made
        ],
        batch_size=500,
    )
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(at=job.created_at, operation="launchJob", outcome="done", via="api", namespace=job.namespace)
            for job in made
        ],
        batch_size=500,
    )
    Share.objects.bulk_create(
        Share(executor=executor, namespace=f"tenant-{number}") for number in range(20) for executor in ("mock", "other")
    )
    webhooks = [
        Webhook.objects.create(namespace=f"tenant-{number}", url="https://example.org", secret="")
        for number in range(20)
    ]
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                webhook=webhooks[number % 20], job_id=job.pk, event="job.succeeded", body="{}", give_up_at=OLD,
                **({} if number % 1000 == 0 else
                   {"state": DeliveryState.DELIVERED, "finished_at": job.created_at, "next_attempt_at": None}),
            )
            for number, job in enumerate(made)
        ],
        batch_size=500,
    )  # fmt: skip
    DispatcherLease.objects.create(id=OWNER, host="here", process="1", lease_expires_at=timezone.now())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            multiply(cursor)
            cursor.execute("ANALYZE")  # by itself it does so later; SQLite has no statistics in the service either


def multiply(cursor: Any) -> None:
    """Copy all rows many times over, each job with what belongs to it."""
    for model in (Job, Attempt, JobEvent, JobLabel, IdempotencyKey, AuditEntry, WebhookDelivery):
        values = {field.column: f'"{field.column}"' for field in model._meta.concrete_fields}
        values |= {name: f"md5({name}::text || n)::uuid" for name in ("id", "job_id") if name in values}
        if not isinstance(model._meta.pk, UUIDField):
            del values["id"]
        if model is IdempotencyKey:
            values["key"] = "key || n"
        columns = ", ".join(f'"{name}"' for name in values)
        table = model._meta.db_table
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {', '.join(values.values())} "
            f"FROM {table}, generate_series(1, {COPIES}) n"
        )


def empty() -> None:
    audit.allow_deletion_before(datetime(9999, 1, 1, tzinfo=UTC))
    for model in (Job, AuditEntry, Share, Webhook, DispatcherLease):
        model.objects.all().delete()
    audit.allow_deletion_before(datetime(1, 1, 2, tzinfo=UTC))


@pytest.fixture(autouse=True, scope="module")
def books(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Thousands of jobs, and what belongs to them."""
    request.getfixturevalue("django_db_setup")
    with django_db_blocker.unblock():
        fill()
    yield
    with django_db_blocker.unblock():
        empty()
    bell.close()


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed within, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and sql.startswith(("SELECT", "UPDATE", "DELETE")) and any(table in sql for table in LARGE):
            found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def explained(sql: str, params: Any) -> str:
    verb = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{verb} {sql}", params)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def full_scans(plan: str) -> list[str]:
    """The large tables that are read from end to end."""
    found = re.findall(r"Seq Scan on (\w+)|SCAN (\w+)(?! USING)\b", plan)
    return [table for pair in found for table in pair if table in LARGE]


def a_job(**wanted: Any) -> Job:
    """Some job; how it is found is not what is tested, and so not in capitals."""
    condition = " and ".join(f"{name} = %s" for name in ("namespace", "executor", *wanted))
    query = f"select * from container_manager_job where {condition} limit 1"
    return Job.objects.raw(query, ["tenant-0", "mock", *wanted.values()])[0]


def mock() -> MockExecutor:
    return MockExecutor({}, name="mock")


def page(**filters: Any) -> Callable[[], object]:
    """Two pages of a list."""

    def ask() -> None:
        first = listing.page("tenant-0", JobFilter(**filters), limit=5)
        listing.page("tenant-0", JobFilter(**filters), limit=5, cursor=first.next_cursor)

    return ask


def run_and_end() -> None:
    job = next(claim.claim(mock(), OWNER, 1))
    lifecycle.pulls(job.pk, fence=job.fence)
    lifecycle.start(job.pk, fence=job.fence, timeout_seconds=60)
    lifecycle.end(job.pk, Outcome(JobState.SUCCEEDED, Reason.COMPLETED), fence=job.fence)
    lifecycle.attempt_cleaned(job.pk, 1)


def look_at_the_books() -> None:
    board = Board(mock(), OWNER)
    board.healthy = True
    ender = SimpleNamespace(clean_later=lambda attempt: None)
    control = Control({"mock": cast("Lane", SimpleNamespace(board=board, ender=ender))}, OWNER)
    control.step()
    control.close()


def lose_the_engine() -> None:
    board = Board(mock(), OWNER)
    board.strays()
    board.engine_away("it is away")
    board.engine_answered([Tracked(a_job(state="running"))])


def tell_webhooks() -> None:
    stop = threading.Event()
    stop.set()
    courier = Courier(stop)
    courier.step()
    courier.close()


def compare() -> None:
    list(reconcile.compare(mock()).missing)


def launch() -> None:
    body = JobRequest.model_validate({"command": ["x"], "labels": {"build": "7"}})
    jobs.launch("mock", body, namespace="tenant-0", describe=lambda job: {}, idempotency_key="again")
    jobs.launch("mock", body, namespace="tenant-0", describe=lambda job: {}, idempotency_key="again")


A_WHILE = {"created_after": OLD + timedelta(minutes=90), "created_before": OLD + timedelta(minutes=200)}
# By what is asked: how, and the indexes that must be used, where "|" stands between those that are as good.
HOT: dict[str, tuple[Callable[[], object], set[str]]] = {
    "a list": (page(), {"job_list"}),
    "a list of an executor": (page(executor="mock"), {"job_list_by_executor"}),
    "a list of a state": (page(states=(JobState.FAILED,)), {"job_list_by_state"}),
    "a list of states": (page(states=(JobState.RUNNING, JobState.SUCCEEDED)), {"job_list_by_state"}),
    "a list of a reason": (page(reasons=(Reason.OOM,)), {"job_list_by_reason"}),
    "a list of a label": (page(labels=(("build", "7"),)), {"label_lookup"}),
    "a list of a time": (page(**A_WHILE), {"job_list"}),
    "a list of changes": (page(updated_since=OLD + timedelta(minutes=COUNT - 50)), {"job_list_by_update"}),
    "a status": (lambda: jobs.get(a_job().pk, namespace="tenant-0"), set()),
    "a job's events": (lambda: jobs.events(a_job()), set()),
    "an explanation": (lambda: explanation.explain(a_job(state="failed")), set()),
    "why a job waits": (lambda: jobs.waiting(a_job(state="queued")), {"job_queue", "job_turn"}),
    "a launch with a key": (launch, set()),
    "the next turn": (lambda: list(turns.heads("mock", None)), {"job_turn"}),
    "a turn after a backoff": (lambda: claim.next_turn("mock"), {"job_backoff"}),
    "a job from its claim to its cleanup": (run_and_end, {"job_turn"}),
    "the control loop": (look_at_the_books, {"job_active", "job_overdue", "attempt_to_clean"}),
    "an engine that is away": (lose_the_engine, {"job_active"}),
    "jobs of a dead dispatcher": (lambda: Lease(9).take_over(["mock", "other"]), {"job_active"}),
    "a comparison with the engine": (compare, {"job_active"}),
    "logs past their time": (retention.delete_logs, {"job_log_retention"}),
    "jobs past their time": (retention.delete_jobs, {"job_retention"}),
    "keys past their time": (retention.forget_keys, {"idempotency_by_age"}),
    "deliveries past their time": (retention.forget_deliveries, {"delivery_retention"}),
    "audit entries past their time": (retention.delete_audit, {"audit_by_age"}),
    "the audit log of a namespace": (
        lambda: audit.page(AuditFilter(("tenant-0",)), limit=5),
        {"audit_list|container_manager_auditentry_pkey"},
    ),
    "webhooks that are due": (tell_webhooks, {"delivery_by_webhook|delivery_queue"}),
    "the deliveries of a webhook": (
        lambda: list(Webhook.objects.all()[0].deliveries.order_by("-id")[:5]),
        {"delivery_list"},
    ),
    "usage": (lambda: usage.sums("tenant-0", OLD, OLD + timedelta(minutes=5)), {"attempt_by_end"}),
    "jobs that have not ended": (lambda: reports.active("mock", "tenant-0"), {"job_list_by_state"}),
    "metrics": (lambda: metrics.exposition("*/*"), {"job_queue|job_turn", "job_active"}),
}


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_goes_along_its_index(name: str) -> None:
    ask, indexes = HOT[name]
    with asked() as statements:
        ask()
    plans = {sql: explained(sql, params) for sql, params in statements}

    assert {sql: plan for sql, plan in plans.items() if full_scans(plan)} == {}
    assert {
        index for index in indexes if not any(re.search(rf"\b({index})\b", plan) for plan in plans.values())
    } == set(), plans
    assert plans

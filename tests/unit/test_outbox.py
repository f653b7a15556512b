"""What webhooks are to be told, written with the change itself."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from container_manager import jobs, lifecycle, webhooks
from container_manager.identifiers import uuid7
from container_manager.lifecycle import Outcome
from container_manager.models import Job, Webhook, WebhookDelivery
from container_manager.spec import JobRequest
from container_manager.states import EventType, JobState, Reason
from container_manager.webhooks import WebhookRequest
from tests.factories import ContainerJobFactory

pytestmark = pytest.mark.django_db

URL = "https://example.org/hook"
CANCELLED = Outcome(JobState.CANCELLED, Reason.CANCELLED, {"why": "x"})


def register(namespace: str = "default", **fields: Any) -> Webhook:
    return webhooks.register(namespace, WebhookRequest.model_validate({"url": URL, **fields}))[0]


def launch(**request: Any) -> Job:
    body = JobRequest.model_validate({"command": ["x"], **request})
    return jobs.launch("mock", body, namespace="default", describe=lambda job: {}).job


def events(webhook: Webhook) -> list[str]:
    return list(webhook.deliveries.order_by("id").values_list("event", flat=True))


def test_each_change_of_state_is_written_down_for_each_webhook() -> None:
    one, two = register(), register()
    job = launch()
    lifecycle.claim(job, uuid7())
    fence = Job.objects.get(pk=job.pk).fence
    lifecycle.start(job.pk, fence=fence, timeout_seconds=60)
    lifecycle.mark(job.pk, EventType.CANCEL_REQUESTED, states={JobState.RUNNING}, cancel_requested_at=job.created_at)
    lifecycle.end(job.pk, CANCELLED, fence=fence)
    assert events(one) == events(two) == ["job.queued", "job.launching", "job.running", "job.cancelled"]


def test_what_is_sent_says_what_happened() -> None:
    webhook = register(events=["cancelled"])
    job = launch(labels={"team": "a"}, env={"PASSWORD": "hunter2"})
    lifecycle.end(job.pk, CANCELLED)
    body = json.loads(webhook.deliveries.get().body)
    job = Job.objects.get(pk=job.pk)
    assert body["type"] == "job.cancelled"
    assert body["data"] | {"created_at": 0, "finished_at": 0} == {
        "id": str(job.pk), "seq": 2, "executor": "mock", "namespace": "default", "state": "cancelled",
        "reason": "cancelled", "exit_code": None, "attempt": 0, "labels": {"team": "a"}, "detail": {"why": "x"},
        "created_at": 0, "started_at": None, "finished_at": 0,
    }  # fmt: skip
    assert body["data"]["finished_at"].endswith("Z")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"events": ["queued"]}, True),
        ({"events": ["succeeded"]}, False),
        ({"executors": ["mock"]}, True),
        ({"executors": ["process"]}, False),
        ({"labels": {"team": "a"}}, True),
        ({"labels": {"team": "b"}}, False),
        ({"labels": {"team": "a", "stage": "x"}}, False),
    ],
)
def test_a_webhook_is_told_of_what_it_asks_for(fields: dict[str, Any], told: bool) -> None:
    webhook = register(**fields)
    launch(labels={"team": "a"})
    assert webhook.deliveries.exists() is told


def test_another_namespace_is_told_nothing() -> None:
    webhook = register("elsewhere")
    launch()
    assert not webhook.deliveries.exists()


def test_a_change_that_is_undone_is_not_told() -> None:
    register()
    job = ContainerJobFactory.create()
    with transaction.atomic():
        lifecycle.end(job.pk, CANCELLED)
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()
    assert Job.objects.get(pk=job.pk).state == JobState.QUEUED


def test_a_namespace_without_webhooks_pays_no_query_for_them() -> None:
    launch()  # the namespace has its share of the executor from here on
    job = ContainerJobFactory.create()
    with CaptureQueriesContext(connection) as asked:
        launch()
        lifecycle.end(job.pk, CANCELLED)
    about = [query["sql"] for query in asked.captured_queries if "webhook" in query["sql"]]
    assert len(about) == 2
    assert all('AS "watched" FROM "container_manager_' in sql for sql in about)  # asked with what is read anyway

"""GET /api/v1/executors/{executor}/health."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from container_manager import reports
from container_manager.executors.registry import executors
from container_manager.executors.results import Health
from container_manager.models import DispatcherLease


@pytest.fixture
def dispatcher(db: None) -> DispatcherLease:
    expiry = timezone.now() + timedelta(seconds=10)
    return DispatcherLease.objects.create(host="here", process="1", lease_expires_at=expiry)


def test_health_is_what_a_dispatcher_saw_last(client: Client, dispatcher: DispatcherLease) -> None:
    reports.publish(executors["mock"], dispatcher.pk, Health(True), 0.25)
    document = client.get("/api/v1/executors/mock/health").json()

    assert (document["healthy"], document["breaker"], document["latency_seconds"]) == (True, "closed", 0.25)
    assert document["dispatchers"] == 1


def test_an_unhealthy_engine_is_an_answer_with_the_reason(client: Client, dispatcher: DispatcherLease) -> None:
    reports.publish(executors["mock"], dispatcher.pk, Health(False, "the socket is gone"), 0.25)
    answer = client.get("/api/v1/executors/mock/health")

    assert (answer.status_code, answer.json()["healthy"], answer.json()["detail"]) == (200, False, "the socket is gone")


def test_without_a_dispatcher_nothing_is_known_and_so_it_is_not_healthy(client: Client) -> None:
    document = client.get("/api/v1/executors/mock/health").json()

    assert (document["healthy"], document["checked_at"], document["dispatchers"]) == (False, None, 0)
    assert "dispatcher" in document["detail"]

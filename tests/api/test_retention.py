"""What a caller is told of jobs and logs that are past their retention."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from container_manager.dispatcher.retention import delete_jobs, delete_logs
from tests.factories import ContainerJobFactory


@pytest.fixture(autouse=True)
def _over(settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"retention_seconds": 0, "log_retention_seconds": 0})


def test_a_job_past_its_retention_is_not_found(client: Client, write_log: Callable[..., Any]) -> None:
    job = ContainerJobFactory.create(ended=True, cleaned_at=timezone.now())
    write_log(job, ("stdout", b"hello\n"))
    delete_logs()
    delete_jobs()

    for path in ("", "/logs", "/events"):
        answer = client.get(f"/api/v1/jobs/{job.pk}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")


@pytest.mark.parametrize("accept", ["application/json", "text/plain", "text/event-stream", "application/x-ndjson"])
def test_logs_past_their_retention_are_gone_in_every_form(
    client: Client, write_log: Callable[..., Any], accept: str
) -> None:
    job = ContainerJobFactory.create(ended=True, cleaned_at=timezone.now())
    write_log(job, ("stdout", b"hello\n"))
    delete_logs()
    answer = client.get(f"/api/v1/jobs/{job.pk}/logs", headers={"Accept": accept})

    assert (answer.status_code, answer.json()["code"]) == (410, "logs_gone")
    assert "were deleted at" in answer.json()["detail"]


def test_a_job_says_since_when_its_logs_are_gone(client: Client) -> None:
    job = ContainerJobFactory.create(ended=True, cleaned_at=timezone.now())
    assert client.get(f"/api/v1/jobs/{job.pk}").json()["logs_deleted_at"] is None
    delete_logs()

    assert client.get(f"/api/v1/jobs/{job.pk}").json()["logs_deleted_at"].endswith("Z")

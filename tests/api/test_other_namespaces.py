"""What a tenant sees of the others: figures of a shared engine, and nothing that names them or their jobs."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from container_manager import tokens
from container_manager.bell import bell
from container_manager.dispatcher import Dispatcher
from container_manager.models import Breaker, DispatcherLease, DriftReport, ExecutorReport, IdempotencyKey
from container_manager.tokens import Scope
from tests.api.conftest import client_with, launch, until
from tests.factories import AttemptFactory, ContainerJobFactory

SECRET = "private-image-of-team-a"


@pytest.fixture
def stranger(db: None) -> Client:
    """Everything but the operator's namespace."""
    return client_with(tokens.create(namespace="team-b", name="t", scopes=[Scope.ADMIN])[1])


def test_a_breaker_opens_with_a_word_and_never_with_the_text_of_a_jobs_failure(
    transactional_db: None, settings: Any
) -> None:
    options = settings.EXECUTORS["mock"]["OPTIONS"]
    settings.EXECUTORS = {"mock": {**settings.EXECUTORS["mock"], "OPTIONS": {**options, "failure_threshold": 1}}}
    ours = client_with(tokens.create(namespace="team-a", name="t", scopes=[Scope.ADMIN])[1])
    theirs = client_with(tokens.create(namespace="team-b", name="t", scopes=[Scope.ADMIN])[1])
    dispatcher = Dispatcher()
    dispatcher.start()
    try:
        scenario = {"refuse": {"reason": "launch_error", "message": SECRET}}
        launched = launch(ours, {"command": ["true"], "scenario": scenario})
        assert launched.status_code == 202, launched.content
        until(lambda: Breaker.objects.filter(state="open").exists())
        waiting = launch(theirs, {"command": ["true"]}).json()["id"]
        seen = [
            theirs.get(f"/api/v1/jobs/{waiting}").content.decode(),
            theirs.get("/api/v1/executors/mock/health").content.decode(),
            theirs.get("/api/v1/executors").content.decode(),
            theirs.get("/api/v1/executors/mock/metrics").content.decode(),
        ]
    finally:
        dispatcher.drain(5)
        bell.close()

    assert '"code":"breaker"' in seen[0]
    for text in seen:
        assert SECRET not in text
        assert launched.json()["id"] not in text
        assert "team-a" not in text


def test_a_queue_tells_how_many_are_first_and_not_who(stranger: Client) -> None:
    first = ContainerJobFactory.create(namespace="team-a", priority=10, labels={"name": SECRET})
    ours = ContainerJobFactory.create(namespace="team-b")
    expiry = timezone.now() + timedelta(seconds=60)
    lease = DispatcherLease.objects.create(host="h", process="1", lease_expires_at=expiry)
    ExecutorReport.objects.create(
        executor="mock", dispatcher=lease, checked_at=timezone.now(), healthy=True, latency_seconds=0
    )
    answer = stranger.get(f"/api/v1/jobs/{ours.pk}")

    assert answer.json()["waiting"]["detail"] == "1 jobs are before it"
    for name in (str(first.pk), "team-a", SECRET):
        assert name not in answer.content.decode()


def test_an_idempotency_key_of_another_namespace_is_free(client: Client, stranger: Client) -> None:
    first = launch(client, {"command": ["true"]}, **{"Idempotency-Key": "k"}).json()
    second = launch(stranger, {"command": ["false"]}, **{"Idempotency-Key": "k"})

    assert second.status_code == 202
    assert second.json()["id"] != first["id"]
    assert IdempotencyKey.objects.count() == 2


def test_another_namespaces_job_and_one_that_never_was_are_answered_alike(client: Client, stranger: Client) -> None:
    job = AttemptFactory.create().job
    there, never = (
        stranger.get(f"/api/v1/jobs/{each}").json() for each in (job.pk, "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f")
    )

    assert there["detail"].replace(str(job.pk), "") == never["detail"].replace(
        "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f", ""
    )
    assert {name for name in there if there[name] != never[name]} == {"detail", "instance", "request_id"}


def test_drift_and_prometheus_are_the_operators(client: Client, stranger: Client, settings: Any) -> None:
    DriftReport.objects.create(executor="mock", missing=[{"execution_id": "purser-1-1", "job_id": "1"}])
    paths = ("/metrics", "/api/v1/executors/mock/drift")

    assert [client.get(path, headers={"Accept": "*/*"}).status_code for path in paths] == [200, 200]
    assert {stranger.get(path, headers={"Accept": "*/*"}).json()["code"] for path in paths} == {"operator_only"}
    settings.PURSER = settings.PURSER.model_copy(update={"operator_namespace": "team-b"})
    assert [client.get(path, headers={"Accept": "*/*"}).status_code for path in paths] == [403, 403]
    assert [stranger.get(path, headers={"Accept": "*/*"}).status_code for path in paths] == [200, 200]


def test_prometheus_names_no_namespace_and_no_job(client: Client) -> None:
    jobs = [ContainerJobFactory.create(namespace="team-a"), AttemptFactory.create().job]
    client.get(f"/api/v1/jobs/{jobs[0].pk}")
    text = client.get("/metrics", headers={"Accept": "*/*"}).content.decode()

    assert "purser_jobs{" in text
    for name in ("team-a", *(str(job.pk) for job in jobs)):
        assert name not in text

"""POST …/jobs/{job}/cancel."""

from django.test import Client

from container_manager.models import Job
from tests.factories import AttemptFactory, ContainerJobFactory


def test_a_job_that_waits_is_cancelled_at_once(client: Client) -> None:
    job = ContainerJobFactory.create()
    answer = client.post(f"/api/v1/jobs/{job.pk}/cancel", content_type="application/json")

    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (202, "cancelled", "cancelled")


def test_the_end_of_a_running_job_is_asked_for(client: Client) -> None:
    job = AttemptFactory.create().job
    document = client.post(f"/api/v1/executors/mock/jobs/{job.pk}/cancel", content_type="application/json").json()

    assert document["state"] == "running"
    assert document["cancel_requested_at"]


def test_asking_twice_is_asking_once(client: Client) -> None:
    job = AttemptFactory.create().job
    first = client.post(f"/api/v1/jobs/{job.pk}/cancel", content_type="application/json").json()
    second = client.post(f"/api/v1/jobs/{job.pk}/cancel", content_type="application/json").json()

    assert second == first


def test_a_job_that_has_ended_by_itself_cannot_be_cancelled(client: Client) -> None:
    job = ContainerJobFactory.create(ended=True)
    answer = client.post(f"/api/v1/jobs/{job.pk}/cancel", content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")


def test_a_field_in_the_body_is_refused_rather_than_dropped(client: Client) -> None:
    job = ContainerJobFactory.create()
    answer = client.post(f"/api/v1/jobs/{job.pk}/cancel", {"grace_seconds": 1}, content_type="application/json")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/grace_seconds")
    assert Job.objects.get().state == "queued"

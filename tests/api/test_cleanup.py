"""DELETE …/jobs/{job}."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from django.test import Client
from django.utils import timezone

from container_manager import lifecycle
from container_manager.models import Job
from tests.factories import AttemptFactory, ContainerJobFactory


def test_a_job_that_waits_is_cancelled_and_nothing_is_left(client: Client) -> None:
    job = ContainerJobFactory.create()
    answer = client.delete(f"/api/v1/jobs/{job.pk}")

    assert (answer.status_code, answer.content) == (204, b"")
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert job.cleaned_at


def test_cleaning_up_twice_is_cleaning_up_once(client: Client) -> None:
    job = ContainerJobFactory.create(ended=True, cleaned_at=timezone.now())

    first, second = (client.delete(f"/api/v1/executors/mock/jobs/{job.pk}") for _ in range(2))
    assert (first.status_code, second.status_code) == (204, 204)


def test_the_record_stays(client: Client) -> None:
    job = ContainerJobFactory.create()
    client.delete(f"/api/v1/jobs/{job.pk}")

    assert client.get(f"/api/v1/jobs/{job.pk}").json()["cleaned_at"]


def test_what_takes_longer_is_accepted_and_said_so(client: Client) -> None:
    job = AttemptFactory.create().job
    answer = client.delete(f"/api/v1/jobs/{job.pk}", headers={"Prefer": "wait=0"})

    assert answer.status_code == 202
    assert answer.json()["cancel_requested_at"]
    assert answer.json()["cleaned_at"] is None


def test_a_cleanup_is_answered_when_nothing_is_left(http: httpx.Client) -> None:
    attempt = AttemptFactory.create(job=ContainerJobFactory.create(ended=True), finished_at=timezone.now())
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(http.delete, f"/api/v1/jobs/{attempt.job.pk}")
        lifecycle.attempt_cleaned(attempt.job.pk, 1)
        answer = asked.result()

    assert answer.status_code == 204
    assert answer.elapsed.total_seconds() < 5
    assert Job.objects.get().cleaned_at

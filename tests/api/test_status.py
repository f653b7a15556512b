"""GET /api/v1/jobs/{job} and the same under its executor."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.test import Client

from container_manager import lifecycle
from container_manager.lifecycle import Outcome
from container_manager.models import Job
from container_manager.states import JobState, Reason
from tests.api.conftest import launch, until
from tests.factories import AttemptFactory, ContainerJobFactory

SUCCEEDED = Outcome(JobState.SUCCEEDED, Reason.COMPLETED, {"exit_code": 0}, exit_code=0)


@pytest.fixture
def running(transactional_db: None) -> Job:
    job: Job = AttemptFactory.create().job
    return job


def test_a_job_is_shown_with_its_attempts_and_what_they_used(client: Client) -> None:
    attempt = AttemptFactory.create(peak_memory_bytes=4096, queued_seconds=1.5, image_digest="sha256:1")
    document = client.get(f"/api/v1/jobs/{attempt.job.pk}").json()

    assert (document["state"], document["attempt"]) == ("running", 1)
    assert document["attempts"][0]["number"] == 1
    assert document["usage"] == {
        "peak_memory_bytes": 4096,
        "cpu_user_seconds": None,
        "cpu_system_seconds": None,
        "io_read_bytes": None,
        "io_write_bytes": None,
    }
    assert document["attempts"][0]["phases"] == {
        "queued_seconds": 1.5,
        "pull_seconds": None,
        "launch_seconds": None,
        "run_seconds": None,
        "cleanup_seconds": None,
    }
    assert document["image_digest"] == "sha256:1"


def test_a_job_that_ended_says_why_with_evidence(client: Client) -> None:
    job = ContainerJobFactory.create(
        ended=True, state="failed", reason="exit_nonzero", exit_code=3, evidence={"exit_code": 3}
    )
    document = client.get(f"/api/v1/jobs/{job.pk}").json()

    assert (document["reason"], document["exit_code"], document["evidence"]) == ("exit_nonzero", 3, {"exit_code": 3})


def test_a_queued_job_says_why_it_waits(client: Client) -> None:
    ContainerJobFactory.create()
    job = ContainerJobFactory.create()
    waiting = client.get(f"/api/v1/jobs/{job.pk}").json()["waiting"]

    assert (waiting["code"], waiting["position"]) == ("queue", 2)


def test_a_job_is_found_under_its_executor_too(client: Client) -> None:
    job = ContainerJobFactory.create()

    under_jobs = client.get(f"/api/v1/jobs/{job.pk}")
    under_executor = client.get(f"/api/v1/executors/mock/jobs/{job.pk}")
    assert under_executor.json() == under_jobs.json()


@pytest.mark.parametrize("route", ["", "/logs", "/events"])
def test_a_job_is_not_found_under_another_executor(client: Client, route: str) -> None:
    job = ContainerJobFactory.create()
    answer = client.get(f"/api/v1/executors/other/jobs/{job.pk}{route}")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")


@pytest.mark.parametrize("route", ["", "/logs", "/events"])
def test_another_namespaces_job_is_not_found(client: Client, route: str) -> None:
    job = ContainerJobFactory.create(namespace="elsewhere")
    answer = client.get(f"/api/v1/jobs/{job.pk}{route}")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")


@pytest.mark.parametrize("job", ["1", "%00", "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f", "%ED%A0%80"])
def test_a_job_that_is_none_is_not_found(client: Client, job: str) -> None:
    answer = client.get(f"/api/v1/jobs/{job}")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")


def test_a_wait_for_a_job_that_has_ended_is_answered_at_once(client: Client) -> None:
    job = ContainerJobFactory.create(ended=True)

    began = time.monotonic()
    assert client.get(f"/api/v1/jobs/{job.pk}?wait=30").status_code == 200
    assert time.monotonic() - began < 5


def test_a_wait_with_an_old_version_is_answered_at_once(client: Client) -> None:
    job = ContainerJobFactory.create(version=2)

    began = time.monotonic()
    assert client.get(f"/api/v1/jobs/{job.pk}?wait=30&version=1").json()["version"] == 2
    assert time.monotonic() - began < 5


def test_a_wait_that_sees_no_change_is_answered_in_time_with_what_is(client: Client) -> None:
    job = ContainerJobFactory.create()

    began = time.monotonic()
    assert client.get(f"/api/v1/jobs/{job.pk}?wait=0.3").json()["state"] == "queued"
    assert 0.3 <= time.monotonic() - began < 5


def test_a_wait_is_answered_when_the_job_changes(http: httpx.Client, running: Job) -> None:
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(http.get, f"/api/v1/jobs/{running.pk}?wait=30&version=0")
        lifecycle.end(running.pk, SUCCEEDED)
        answer = asked.result()

    assert answer.json()["state"] == "succeeded"
    assert answer.elapsed.total_seconds() < 5


def test_a_launch_that_prefers_to_wait_is_answered_with_the_jobs_end(http: httpx.Client) -> None:
    path, prefer = "/api/v1/executors/mock/jobs", {"Prefer": "respond-async, wait=30"}
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(http.post, path, json={"command": ["true"]}, headers=prefer)
        job = until(Job.objects.first)
        lifecycle.end(job.pk, Outcome(JobState.FAILED, Reason.LAUNCH_ERROR))
        answer = asked.result()

    assert (answer.status_code, answer.json()["reason"]) == (200, "launch_error")
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert answer.headers["Location"] == f"/api/v1/jobs/{job.pk}"


def test_a_launch_that_waited_in_vain_is_accepted_all_the_same(client: Client) -> None:
    answer = launch(client, {"command": ["true"]}, Prefer="wait=0")

    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer["Preference-Applied"] == "wait=0"


def test_more_waits_than_threads_leave_threads_for_others(http: httpx.Client, running: Job) -> None:
    with ThreadPoolExecutor(20) as pool:
        waits = [pool.submit(http.get, f"/api/v1/jobs/{running.pk}?wait=30") for _ in range(20)]
        assert http.get("/livez").elapsed.total_seconds() < 5
        lifecycle.end(running.pk, SUCCEEDED)

        assert {wait.result().json()["state"] for wait in waits} == {"succeeded"}


def test_a_wait_over_the_servers_longest_is_taken_as_that(client: Client, settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"max_wait_seconds": 0.1})
    job = ContainerJobFactory.create()

    assert client.get(f"/api/v1/jobs/{job.pk}?wait=1000000").json()["state"] == "queued"
    assert launch(client, {"command": ["true"]}, Prefer="wait=10000000")["Preference-Applied"] == "wait=0.1"
    assert "Preference-Applied" not in launch(client, {"command": ["true"]}, Prefer="wait=-1")

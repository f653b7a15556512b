"""GET /api/v1/jobs and GET /api/v1/executors/{executor}/jobs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from container_manager import tokens
from container_manager.models import JobLabel
from container_manager.tokens import Scope
from tests.api.conftest import client_with
from tests.factories import AttemptFactory, ContainerJobFactory


def ids(answer: Any) -> list[str]:
    return [job["id"] for job in answer.json()["results"]]


def test_jobs_are_listed_newest_first(client: Client) -> None:
    jobs = [ContainerJobFactory.create() for _ in range(3)]

    assert ids(client.get("/api/v1/jobs")) == [str(job.pk) for job in reversed(jobs)]


def test_pages_together_hold_every_job_once(client: Client) -> None:
    jobs = {str(ContainerJobFactory.create().pk) for _ in range(5)}
    seen: list[str] = []
    path = "/api/v1/jobs?limit=2"
    while path:
        answer = client.get(path)
        seen += ids(answer)
        cursor = answer.json()["next_cursor"]
        path = f"/api/v1/jobs?limit=2&cursor={cursor}" if cursor else ""

    assert len(seen) == 5
    assert set(seen) == jobs


def test_other_namespaces_are_not_listed(client: Client) -> None:
    ContainerJobFactory.create(namespace="elsewhere")

    assert ids(client.get("/api/v1/jobs")) == []


def test_a_list_is_narrowed_by_state(client: Client) -> None:
    ContainerJobFactory.create()
    ended, running = ContainerJobFactory.create(ended=True), ContainerJobFactory.create(active=True)

    answer = client.get("/api/v1/jobs?state=succeeded&state=running")
    assert set(ids(answer)) == {str(ended.pk), str(running.pk)}


def test_a_list_is_narrowed_by_label(client: Client) -> None:
    job = ContainerJobFactory.create(labels={"team": "a:b"})
    JobLabel.objects.create(job=job, key="team", value="a:b", namespace=job.namespace, created_at=job.created_at)
    ContainerJobFactory.create()

    assert ids(client.get("/api/v1/jobs?label=team:a:b")) == [str(job.pk)]


def test_a_list_is_narrowed_by_time(client: Client) -> None:
    old = ContainerJobFactory.create(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    ContainerJobFactory.create(created_at=datetime(2026, 1, 3, tzinfo=UTC))

    answer = client.get("/api/v1/jobs?created_after=2026-01-01T00:00:00Z&created_before=2026-01-02T00:00:00Z")
    assert ids(answer) == [str(old.pk)]


@pytest.mark.parametrize("path", ["/api/v1/executors/other/jobs", "/api/v1/jobs?executor=other"])
def test_a_list_is_narrowed_by_executor(client: Client, path: str) -> None:
    ContainerJobFactory.create()
    job = ContainerJobFactory.create(executor="other")

    assert ids(client.get(path)) == [str(job.pk)]


def test_a_token_for_one_executor_lists_only_its_jobs(db: None) -> None:
    ContainerJobFactory.create()
    job = ContainerJobFactory.create(executor="other")
    text = tokens.create(namespace="default", name="ci", scopes=[Scope.JOBS_READ], executors=["other"])[1]

    assert ids(client_with(text).get("/api/v1/jobs")) == [str(job.pk)]


def test_a_page_costs_as_many_queries_as_one_job(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        AttemptFactory.create()
    client.get("/api/v1/jobs")  # which also notes the token's first use
    with django_assert_max_num_queries(3):  # token, jobs, attempts
        client.get("/api/v1/jobs")

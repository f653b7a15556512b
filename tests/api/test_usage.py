from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from container_manager import tokens, usage
from container_manager.models import Attempt
from container_manager.tokens import Scope
from tests.api.conftest import client_with
from tests.factories import AttemptFactory, ContainerJobFactory

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATH = "/api/v1/usage"
THAT_DAY = {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z"}


def ended(at: datetime = NOON, *, job: dict[str, Any] | None = None, **columns: Any) -> Attempt:
    """An attempt that ran for 2 s and of whose usage everything is known, unless it is said otherwise."""
    known = {"run_seconds": 2.0, "cpu_user_seconds": 1.0, "cpu_system_seconds": 0.5, "peak_memory_bytes": 1000}
    return AttemptFactory.create(
        job=ContainerJobFactory.create(ended=True, **(job or {})), started_at=at, finished_at=at, **{**known, **columns}
    )


def results(client: Client, **query: str) -> list[dict[str, Any]]:
    answered = client.get(PATH, {**THAT_DAY, **query})
    assert answered.status_code == 200, answered.content
    found: list[dict[str, Any]] = answered.json()["results"]
    return found


def test_usage_is_summed_by_executor(client: Client) -> None:
    first = ended(peak_memory_bytes=3000)
    AttemptFactory.create(
        job=first.job, number=2, started_at=NOON, finished_at=NOON, run_seconds=0.5, cpu_user_seconds=0.25,
        cpu_system_seconds=0.0, peak_memory_bytes=2000,
    )  # fmt: skip
    ended(job={"memory_mib": 100})
    ended(job={"executor": "other"})
    mock, other = results(client)
    assert mock == {
        "executor": "mock", "jobs": 2, "attempts": 3, "run_seconds": 4.5, "memory_mib_seconds": 360.0,
        "cpu_seconds": 3.25, "unknown_cpu": 0, "peak_memory_bytes": 3000, "unknown_peak_memory": 0,
    }  # fmt: skip
    assert (other["executor"], other["attempts"]) == ("other", 1)


def test_what_is_unknown_is_counted(client: Client) -> None:
    ended()
    ended(cpu_user_seconds=None, cpu_system_seconds=None, peak_memory_bytes=None)
    (found,) = results(client)
    assert (found["cpu_seconds"], found["unknown_cpu"]) == (1.5, 1)
    assert (found["peak_memory_bytes"], found["unknown_peak_memory"]) == (1000, 1)


def test_what_is_known_of_none_is_null(client: Client) -> None:
    ended(cpu_user_seconds=None, cpu_system_seconds=None, peak_memory_bytes=None)
    (found,) = results(client)
    assert (found["cpu_seconds"], found["peak_memory_bytes"]) == (None, None)


def test_an_attempt_that_never_started_is_not_unknown(client: Client) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("run_seconds", "cpu_user_seconds", "cpu_system_seconds", "peak_memory_bytes")
    )
    attempt = ended(**nothing)
    Attempt.objects.filter(pk=attempt.pk).update(started_at=None)
    (found,) = results(client)
    assert (found["attempts"], found["run_seconds"], found["unknown_cpu"], found["unknown_peak_memory"]) == (1, 0, 0, 0)


def test_the_time_begins_with_from_and_ends_before_to(client: Client) -> None:
    ended(NOON)
    ended(NOON + timedelta(hours=1))
    (found,) = results(client, **{"from": "2026-11-22T12:00:00Z", "to": "2026-11-22T13:00:00Z"})
    assert found["attempts"] == 1


def test_without_a_time_it_is_the_last_thirty_days(client: Client) -> None:
    answered = client.get(PATH).json()
    asked = datetime.fromisoformat(answered["to"]) - datetime.fromisoformat(answered["from"])
    assert asked == timedelta(days=30)


def test_what_still_runs_is_not_in_it(client: Client) -> None:
    AttemptFactory.create()
    assert results(client) == []


def test_another_namespace_is_not_told_of(client: Client) -> None:
    ended(job={"namespace": "team-b"})
    assert results(client) == []


def test_one_executor_can_be_asked_for(client: Client) -> None:
    ended()
    ended(job={"executor": "other"})
    assert [found["executor"] for found in results(client, executor="other")] == ["other"]


def test_a_token_for_one_executor_is_told_of_no_other(db: None) -> None:
    ended()
    ended(job={"executor": "other"})
    secret = tokens.create(namespace="default", name="test", scopes=tuple(Scope), executors=("other",))[1]
    assert [found["executor"] for found in results(client_with(secret))] == ["other"]
    assert results(client_with(secret), executor="mock") == []


def test_it_needs_the_scope_for_metrics(db: None) -> None:
    secret = tokens.create(namespace="default", name="test", scopes=(Scope.JOBS_READ,))[1]
    assert client_with(secret).get(PATH).status_code == 403


def test_a_time_that_ends_before_it_begins_is_refused(client: Client) -> None:
    answered = client.get(PATH, {"from": "2026-11-23T00:00:00Z", "to": "2026-11-22T00:00:00Z"})
    assert answered.status_code == 422
    assert answered.json()["errors"][0]["detail"].startswith("must not be before from")


def test_parameters_are_named_as_they_are_given(client: Client) -> None:
    (error,) = client.get(PATH, {"frm": "2026-11-23T00:00:00Z"}).json()["errors"]
    assert "did you mean from?" in error["detail"]
    assert "known are: executor, from, to" in error["detail"]


def test_the_attempts_are_found_by_the_time_of_their_end(db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        usage.sums("default", NOON, NOON + timedelta(hours=1))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # a table as small as this is read whole
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{explain} {queries[0]['sql']}")
        plan = str(cursor.fetchall())
    assert "attempt_by_end" in plan
    assert "namespace=?" not in plan


@pytest.mark.parametrize("count", [1, 20])
def test_it_costs_one_query_however_much_there_is(client: Client, count: int) -> None:
    for _ in range(count):
        ended()
    client.get(PATH)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        results(client)
    assert sum("_attempt" in query["sql"] for query in queries) == 1

"""GET /api/v1/executors/{executor}/drift."""

from datetime import UTC, datetime

from django.test import Client

from container_manager import tallies, tokens
from container_manager.models import DriftReport
from container_manager.tallies import Removed
from container_manager.tokens import Scope
from tests.api.conftest import client_with


def test_the_last_comparison_is_shown(client: Client) -> None:
    unowned = {"execution_id": "purser-1-1", "status": "running", "cause": "unknown_attempt"}
    at = datetime(2026, 11, 22, 17, 2, 11, tzinfo=UTC)
    DriftReport.objects.create(executor="mock", checked_at=at, unowned=[unowned], unowned_count=1)

    assert client.get("/api/v1/executors/mock/drift").json() == {
        "executor": "mock",
        "checked_at": "2026-11-22T17:02:11Z",
        "unowned": [unowned],
        "unowned_count": 1,
        "missing": [],
        "missing_count": 0,
    }


def test_an_executor_that_was_never_compared_says_so(client: Client) -> None:
    document = client.get("/api/v1/executors/mock/drift").json()

    assert (document["checked_at"], document["unowned"], document["missing"]) == (None, [], [])


def test_drift_is_for_administrators_only(db: None) -> None:
    scopes = [scope for scope in Scope if scope != Scope.ADMIN]
    text = tokens.create(namespace="default", name="ci", scopes=scopes)[1]
    answer = client_with(text).get("/api/v1/executors/mock/drift")

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_an_unknown_executor_has_no_drift(client: Client) -> None:
    assert client.get("/api/v1/executors/nope/drift").json()["code"] == "unknown_executor"


def test_what_was_removed_is_in_the_executors_metrics(client: Client) -> None:
    tallies.add("mock", Removed.EXECUTIONS)
    tallies.add("mock", Removed.JOBS, 200)

    removed = client.get("/api/v1/executors/mock/metrics").json()["removed"]
    assert removed == {"reaped": 1, "logs_deleted": 0, "jobs_deleted": 200, "idempotency_keys_deleted": 0}


def test_prometheus_sees_what_was_removed(client: Client) -> None:
    tallies.add("mock", Removed.EXECUTIONS, 3)

    text = client.get("/metrics").content.decode()
    assert 'purser_removed_total{executor="mock",kind="reaped"} 3.0' in text

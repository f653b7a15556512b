"""GET /api/v1/audit, and what is written down of each request."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from container_manager import audit, tokens
from container_manager.models import AuditEntry, Job
from container_manager.tokens import Scope
from tests.api.conftest import client_with, launch
from tests.factories import AttemptFactory, ContainerJobFactory

AUDIT = "/api/v1/audit"


def of(namespace: str, **fields: Any) -> Client:
    return client_with(tokens.create(namespace=namespace, name="t", scopes=[Scope.ADMIN], **fields)[1])


def entries(client: Client, **query: Any) -> Any:
    answer = client.get(AUDIT, query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_a_launch_is_written_with_who_what_where_and_how(client: Client, token: str) -> None:
    job = launch(client, {"command": ["true"]}, **{"User-Agent": "tester/1", "X-Request-ID": "r-1"}).json()
    (entry,) = entries(client)

    assert entry.pop("id") and entry.pop("at")
    assert entry == {
        "operation": "launchJob",
        "outcome": "done",
        "status": 202,
        "code": None,
        "via": "api",
        "token": token.split("_")[1],
        "namespace": "default",
        "user": None,
        "subject_type": "job",
        "subject": job["id"],
        "address": "127.0.0.1",
        "request_id": "r-1",
        "user_agent": "tester/1",
        "missed": 0,
    }


def test_a_launch_and_its_entry_are_one_transaction(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr(audit, "_write", full)
    answer = launch(client, {"command": ["true"]})

    assert answer.status_code == 503
    assert Job.objects.count() == 0


def test_every_change_is_written(client: Client) -> None:
    queued, running = ContainerJobFactory.create(), AttemptFactory.create().job
    made = client.post("/api/v1/tokens", {"name": "a", "scopes": ["jobs:read"]}, content_type="application/json").json()
    client.post(f"/api/v1/jobs/{queued.pk}/cancel", content_type="application/json")
    client.delete(f"/api/v1/executors/mock/jobs/{running.pk}", headers={"Prefer": "wait=0"})
    client.post(f"/api/v1/tokens/{made['id']}/rotate", {}, content_type="application/json")
    client.delete(f"/api/v1/tokens/{made['id']}")

    assert [(e["operation"], e["subject_type"], e["subject"], e["status"]) for e in reversed(entries(client))] == [
        ("createToken", "token", made["id"], 201),
        ("cancelJob", "job", str(queued.pk), 202),
        ("cleanupExecutorJob", "job", str(running.pk), 204),
        ("rotateToken", "token", made["id"], 200),
        ("revokeToken", "token", made["id"], 204),
    ]


def test_what_is_asked_again_and_changes_nothing_is_written_too(client: Client) -> None:
    for _ in range(2):
        launch(client, {"command": ["true"]}, **{"Idempotency-Key": "k"})

    assert [entry["subject_type"] for entry in entries(client)] == ["executor", "job"]


def test_a_read_that_is_answered_leaves_no_entry(client: Client) -> None:
    client.get("/api/v1/jobs")
    client.get("/api/v1/executors/mock")

    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/v1/jobs/0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f", "", 404, "unknown_job"),
        ("GET", "/api/v1/executors/nope", "", 404, "unknown_executor"),
        ("GET", "/api/v1/jobs?limit=0", "", 422, "invalid_query"),
        ("POST", "/api/v1/executors/mock/jobs", '{"memory_mib": -1}', 422, "invalid_job"),
        ("POST", "/api/v1/executors/mock/jobs", "{", 400, "malformed_json"),
    ],
)
def test_what_is_refused_is_written(client: Client, method: str, path: str, body: str, status: int, code: str) -> None:
    client.generic(method, path, body, content_type="application/json")
    (entry,) = entries(client)

    assert (entry["outcome"], entry["status"], entry["code"]) == ("refused", status, code)


def test_trouble_of_our_own_is_written_as_failed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("container_manager.jobs.cancel", broken)
    client.post(f"/api/v1/jobs/{ContainerJobFactory.create().pk}/cancel", content_type="application/json")
    (entry,) = entries(client)

    assert (entry["outcome"], entry["status"], entry["code"]) == ("failed", 500, "internal_error")


def test_each_namespace_sees_its_own_and_the_operators_what_is_nobodys(client: Client) -> None:
    job = ContainerJobFactory.create()
    stranger = of("elsewhere")
    stranger.get(f"/api/v1/jobs/{job.pk}")
    Client().get("/api/v1/jobs")
    launch(client, {"command": ["true"]})

    assert [entry["code"] for entry in entries(stranger)] == ["unknown_job"]
    assert [entry["namespace"] for entry in entries(client)] == ["default", None]


def test_filters_narrow_and_pages_follow(client: Client, token: str) -> None:
    for _ in range(3):
        launch(client, {"command": ["true"]})
    client.get("/api/v1/jobs/0")
    between = entries(client)[1]["at"]

    assert len(entries(client, operation="launchJob")) == 3
    assert len(entries(client, outcome="refused")) == 1
    assert len(entries(client, token=token.split("_")[1])) == 4
    assert entries(client, token="0" * 12) == []
    assert len(entries(client, **{"from": between})) == 2
    assert len(entries(client, to=between)) == 2
    first = client.get(AUDIT, {"limit": 3}).json()
    second = client.get(AUDIT, {"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [len(first["results"]), len(second["results"]), second["next_cursor"]] == [3, 1, None]
    assert first["results"][-1]["id"] > second["results"][0]["id"]


@pytest.mark.parametrize("query", ["token=x", "outcome=maybe", "from=now", "limit=501", "cursor=x", "cursor=LTE"])
def test_a_wrong_filter_is_refused(client: Client, query: str) -> None:
    assert client.get(f"{AUDIT}?{query}").status_code == 422


def test_a_flood_of_refusals_is_counted_and_not_written(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(100):
        client.get("/api/v1/jobs/0")
    assert AuditEntry.objects.count() == 60

    for count in audit._gate._counts.values():
        count.ends_at = 0
    client.get("/api/v1/jobs/0")
    assert entries(client)[0]["missed"] == 40


def test_a_flood_of_refusals_hides_no_change(client: Client) -> None:
    for _ in range(70):
        client.get("/api/v1/jobs/0")
    launch(client, {"command": ["true"]})

    assert entries(client)[0]["operation"] == "launchJob"


def test_no_secret_of_a_token_and_no_body_is_in_it(client: Client, token: str) -> None:
    secret = token.split("_")[2]
    launch(client, {"command": ["true"], "env": {"PASSWORD": "hunter2"}})
    client.get(f"/api/v1/tokens/{token}", headers={"User-Agent": token, "X-Request-ID": token})
    client.post("/api/v1/tokens", {"name": "a", "scopes": ["jobs:read"]}, content_type="application/json")

    written = str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.count() == 3
    assert secret not in written
    assert secret[:20] not in written
    assert "hunter2" not in written


def test_what_a_client_calls_itself_is_bounded(client: Client) -> None:
    client.get("/api/v1/jobs/0", headers={"User-Agent": "x" * 5000 + "\t"})

    assert entries(client)[0]["user_agent"] == "x" * 200


def test_it_is_for_administrators(db: None) -> None:
    scopes = [scope for scope in Scope if scope != Scope.ADMIN]
    text = tokens.create(namespace="default", name="t", scopes=scopes)[1]

    assert client_with(text).get(AUDIT).status_code == 403


def test_a_held_launch_is_written_once(http: Any) -> None:
    answer = http.post("/api/v1/executors/mock/jobs", json={"command": ["true"]}, headers={"Prefer": "wait=1"})

    assert answer.status_code == 202
    assert [entry.operation for entry in AuditEntry.objects.all()] == ["launchJob"]

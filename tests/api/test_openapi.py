"""openapi.yaml: what is committed is what the code says, and what the service answers is what it says."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from api import schema
from container_manager import jobs, secrets, webhooks
from container_manager.dispatcher.courier import record
from container_manager.dispatcher.postman import Receipt
from container_manager.models import Attempt, WebhookDelivery
from container_manager.spec import JobRequest
from container_manager.webhooks import WebhookRequest
from tests.api.conftest import launch
from tests.factories import AttemptFactory, ContainerJobFactory, TokenFactory

COMMITTED = Path(__file__).parents[2] / "openapi.yaml"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
Ask = Callable[[Client], Any]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to, or the node itself."""
    _, _, section, name = node.get("$ref", "///").split("/")
    return schema.document()["components"][section][name] if name else node


def operations() -> dict[str, dict[str, Any]]:
    paths = schema.document()["paths"].values()
    return {operation["operationId"]: operation for methods in paths for operation in methods.values()}


def check(answer: Any, operation: dict[str, Any]) -> None:
    """The answer's status and media type are declared, and its body is as declared."""
    declared = resolved(operation["responses"][str(answer.status_code)])
    if answer.status_code == 204:
        assert "content" not in declared
        return
    media_type = answer["Content-Type"].partition(";")[0]
    shape = declared["content"][media_type]["schema"]
    if media_type.endswith("json"):
        validate(shape, json.loads(answer.content))


def validate(shape: dict[str, Any], document: Any) -> None:
    whole = {**shape, "components": schema.document()["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document)


def running() -> Any:
    return AttemptFactory.create(peak_memory_bytes=1).job.pk


def ended() -> Attempt:
    """An attempt that has just ended."""
    return AttemptFactory.create(started_at=timezone.now(), finished_at=timezone.now(), run_seconds=0.5)


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, data=body, content_type="application/json")


ANSWERS: dict[str, Ask] = {
    "listExecutors": lambda client: client.get("/api/v1/executors"),
    "getExecutor": lambda client: client.get("/api/v1/executors/mock"),
    "getExecutorHealth": lambda client: client.get("/api/v1/executors/mock/health"),
    "getExecutorDrift": lambda client: client.get("/api/v1/executors/mock/drift"),
    "getExecutorMetrics": lambda client: client.get("/api/v1/executors/mock/metrics"),
    "getUsage": lambda client: (ended(), client.get("/api/v1/usage"))[1],
    "listTokens": lambda client: client.get("/api/v1/tokens"),
    "createToken": lambda client: post(client, "/api/v1/tokens", {"name": "ci", "scopes": ["jobs:read"]}),
    "getToken": lambda client: client.get(f"/api/v1/tokens/{TokenFactory.create().pk}"),
    "rotateToken": lambda client: post(client, f"/api/v1/tokens/{TokenFactory.create().pk}/rotate", {}),
    "revokeToken": lambda client: client.delete(f"/api/v1/tokens/{TokenFactory.create().pk}"),
    "listAudit": lambda client: (Client().get("/api/v1/jobs"), client.get("/api/v1/audit"))[1],
    "launchJob": lambda client: launch(client, {"command": ["true"], "env": {"A": "b"}, "labels": {"team": "a"}}),
    "listExecutorJobs": lambda client: (running(), client.get("/api/v1/executors/mock/jobs"))[1],
    "listJobs": lambda client: (running(), client.get("/api/v1/jobs"))[1],
    "getLiveness": lambda client: client.get("/livez"),
    "getReadiness": lambda client: client.get("/readyz"),
    "getPrometheusMetrics": lambda client: client.get("/metrics"),
    "getSchema": lambda client: client.get("/api/schema", headers={"Accept": "application/json"}),
}
for _where, _base in (("", "/api/v1/jobs"), ("Executor", "/api/v1/executors/mock/jobs")):
    ANSWERS |= {
        f"get{_where}Job": lambda client, base=_base: client.get(f"{base}/{running()}"),  # type: ignore[misc]
        f"get{_where}JobLogs": lambda client, base=_base: client.get(f"{base}/{running()}/logs"),  # type: ignore[misc]
        f"list{_where}JobEvents": lambda client, base=_base: client.get(f"{base}/{running()}/events"),  # type: ignore[misc]
        f"explain{_where}Job": lambda client, base=_base: client.get(f"{base}/{running()}/explain"),  # type: ignore[misc]
        f"cancel{_where}Job": lambda client, base=_base: client.post(  # type: ignore[misc]
            f"{base}/{running()}/cancel", content_type="application/json"
        ),
        f"cleanup{_where}Job": lambda client, base=_base: client.delete(  # type: ignore[misc]
            f"{base}/{running()}", headers={"Prefer": "wait=0"}
        ),
    }

WEBHOOK = {"url": "https://ci.example.org/hooks"}


def webhook() -> str:
    return f"/api/v1/webhooks/{webhooks.register('default', WebhookRequest.model_validate(WEBHOOK))[0].pk}"


def delivery() -> str:
    """The path of a delivery that has been tried."""
    path = webhook()
    jobs.launch("mock", JobRequest(command=["true"]), namespace="default", describe=lambda job: {})
    found = WebhookDelivery.objects.get()
    found.leased_until = timezone.now()
    found.save()
    record(found, Receipt(timezone.now(), 0.1, 500, "it answered 500"))
    return f"{path}/deliveries/{found.pk}"


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return client.generic(method, path, json.dumps(body) if body is not None else "", "application/json")


ANSWERS |= {
    "listSecrets": lambda client: (secrets.put("default", "a", "x"), client.get("/api/v1/secrets"))[1],
    "putSecret": lambda client: send(client, "PUT", "/api/v1/secrets/a", {"value": "x"}),
    "deleteSecret": lambda client: (secrets.put("default", "a", "x"), client.delete("/api/v1/secrets/a"))[1],
    "listWebhooks": lambda client: (webhook(), client.get("/api/v1/webhooks"))[1],
    "createWebhook": lambda client: send(client, "POST", "/api/v1/webhooks", WEBHOOK),
    "getWebhook": lambda client: client.get(webhook()),
    "updateWebhook": lambda client: send(client, "PATCH", webhook(), {"enabled": False}),
    "deleteWebhook": lambda client: client.delete(webhook()),
    "rotateWebhookSecret": lambda client: send(client, "POST", f"{webhook()}/rotate", {}),
    "listWebhookDeliveries": lambda client: client.get(delivery().rpartition("/")[0]),
    "getWebhookDelivery": lambda client: client.get(delivery()),
    "redeliverWebhookDelivery": lambda client: send(client, "POST", f"{delivery()}/redeliver"),
}

PROBLEMS: list[tuple[str, Ask]] = [
    ("launchJob", lambda client: launch(client, {"memory_mib": -1})),
    ("launchJob", lambda client: launch(client, "{")),
    ("launchJob", lambda client: launch(client, {"command": ["true"]}, **{"Idempotency-Key": "\x01"})),
    ("listJobs", lambda client: client.get("/api/v1/jobs?limit=0")),
    ("createWebhook", lambda client: send(client, "POST", "/api/v1/webhooks", {"url": "http://10.0.0.1/"})),
    ("putSecret", lambda client: send(client, "PUT", "/api/v1/secrets/.a", {"value": "x"})),
    ("putSecret", lambda client: send(client, "PUT", "/api/v1/secrets/a", {})),
    ("getWebhook", lambda client: client.get("/api/v1/webhooks/1")),
    ("getWebhookDelivery", lambda client: client.get(f"{webhook()}/deliveries/1")),
    ("listJobs", lambda client: Client().get("/api/v1/jobs")),
    ("createToken", lambda client: post(client, "/api/v1/tokens", {"name": "", "scopes": ["fly"]})),
    ("getToken", lambda client: client.get("/api/v1/tokens/nope")),
    ("rotateToken", lambda client: post(client, f"/api/v1/tokens/{TokenFactory.create(revoked_at=NOW).pk}/rotate", {})),
    ("getExecutor", lambda client: client.get("/api/v1/executors/nowhere")),
    ("getJob", lambda client: client.get("/api/v1/jobs/1")),
    ("getJobLogs", lambda client: client.get(f"/api/v1/jobs/{running()}/logs", headers={"Accept": "image/png"})),
    ("cleanupJob", lambda client: client.delete(f"/api/v1/jobs/{ContainerJobFactory.create().pk}")),
    ("getJob", lambda client: client.get(f"/api/v1/jobs/{ContainerJobFactory.create().pk}")),
    ("getJob", lambda client: client.get(f"/api/v1/jobs/{ContainerJobFactory.create(ended=True).pk}")),
]


def test_what_a_webhook_is_sent_is_as_the_contract_says(db: None) -> None:
    delivery()
    received = schema.document()["webhooks"]["jobChanged"]["post"]

    validate(
        received["requestBody"]["content"]["application/json"]["schema"],
        json.loads(WebhookDelivery.objects.get().body),
    )
    assert {header["name"] for header in received["parameters"]} == {
        "webhook-id", "webhook-timestamp", "webhook-signature",
    }  # fmt: skip


def test_the_committed_file_is_what_the_code_says(tmp_path: Path) -> None:
    generated = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(generated))

    assert generated.read_bytes() == COMMITTED.read_bytes(), "run: manage.py spectacular --file openapi.yaml"


def test_what_is_served_is_what_is_committed() -> None:
    assert Client().get("/api/schema").content == COMMITTED.read_bytes()


@pytest.mark.parametrize(("ask", "kept"), [(schema.document, schema._document), (schema.yaml, schema._yaml)])
def test_it_is_made_once_however_many_ask_first(ask: Callable[[], Any], kept: Any) -> None:
    kept.cache_clear()
    together = Barrier(4)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(lambda: (together.wait(), ask())[1]) for _ in range(4)]

    assert len({id(each.result()) for each in asked}) == 1


def test_every_operation_has_a_name_of_its_own() -> None:
    paths = schema.document()["paths"].values()
    names = [operation["operationId"] for methods in paths for operation in methods.values()]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(operations()))
def test_every_operation_is_described_with_its_problems(name: str) -> None:
    operation = operations()[name]

    assert operation["summary"]
    assert operation["description"]
    assert "application/problem+json" in resolved(operation["responses"]["500"])["content"]


@pytest.mark.parametrize("name", sorted(operations()))
def test_a_real_answer_is_as_the_contract_says(client: Client, name: str) -> None:
    check(ANSWERS[name](client), operations()[name])


@pytest.mark.parametrize(("name", "ask"), PROBLEMS)
def test_a_real_problem_is_as_the_contract_says(client: Client, name: str, ask: Ask) -> None:
    check(ask(client), operations()[name])

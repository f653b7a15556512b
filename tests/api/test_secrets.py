import logging
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from container_manager import tokens, webhooks
from container_manager.models import StoredSecret, WebhookDelivery
from container_manager.webhooks import WebhookRequest
from tests.api.conftest import client_with, launch

PATH = "/api/v1/secrets"
VALUE = "hunter2-never-comes-back"


def put(client: Client, name: str, body: Any = None) -> Any:
    return client.put(f"{PATH}/{name}", {"value": VALUE} if body is None else body, content_type="application/json")


def errors(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(each.get("pointer") or each["parameter"], each["detail"]) for each in answer.json()["errors"]]


def test_a_secret_is_stored_listed_and_replaced_without_its_value(client: Client) -> None:
    first = put(client, "deploy-key")
    assert (first.status_code, sorted(first.json())) == (201, ["created_at", "name", "updated_at"])
    again = put(client, "deploy-key", {"value": "another"})
    assert again.status_code == 200
    assert again.json()["created_at"] == first.json()["created_at"]
    assert again.json()["updated_at"] > first.json()["updated_at"]
    assert client.get(PATH).json() == {"results": [again.json()]}


def test_a_removed_secret_is_gone(client: Client) -> None:
    put(client, "a")
    assert client.delete(f"{PATH}/a").status_code == 204
    answer = client.delete(f"{PATH}/a")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_secret")
    assert client.get(PATH).json() == {"results": []}


@pytest.mark.parametrize("name", [".a", "a b", "ä", "a" * 64, "a%2Fb"])
def test_a_name_that_cannot_be_is_refused(client: Client, name: str) -> None:
    answer = put(client, name)
    assert answer.status_code in (404, 422)
    assert not StoredSecret.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        ({}, "/value", "is required"),
        ({"value": ""}, "/value", "at least 1"),
        ({"value": [VALUE]}, "/value", "must be a"),
        ({"value": VALUE * 4000}, "/value", "at most"),
        ({"value": VALUE + "\x00"}, "/value", "must not contain NUL"),
        ({"value": VALUE, "name": VALUE}, "/name", "is unknown"),
    ],
)
def test_a_wrong_value_is_refused_and_not_repeated(client: Client, body: Any, pointer: str, told: str) -> None:
    answer = put(client, "a", body)
    assert [(where, told in detail) for where, detail in errors(answer)] == [(pointer, True)], answer.content
    assert VALUE.encode() not in answer.content


@pytest.mark.parametrize("body", [f'["{VALUE}"]', f'"{VALUE}"', f'{{"value": "{VALUE}"', f'{{"value": {VALUE}}}'])
def test_a_body_that_is_no_object_is_refused_and_not_repeated(client: Client, body: str) -> None:
    for answer in (put(client, "a", body), launch(client, body)):
        assert answer.status_code == 400
        assert VALUE.encode() not in answer.content


@pytest.mark.parametrize(
    "secret",
    [
        {"name": "a", "value": VALUE, "kind": "both"},
        {"name": "a", "value": [VALUE]},
        {"name": "a", "value": VALUE + "\x00"},
        {"name": "a", "value": VALUE * 4000},
        {"name": VALUE + "!", "value": VALUE},
        {"name": "a", "value": VALUE, "stored": "b"},
        VALUE,
    ],
)
def test_a_launch_with_a_wrong_secret_is_refused_and_its_value_not_repeated(client: Client, secret: Any) -> None:
    answer = launch(client, {"command": ["x"], "secrets": [secret], "memory_mib": -1})
    pointers = [pointer for pointer, _ in errors(answer)]
    assert "/memory_mib" in pointers
    assert any(pointer.startswith("/secrets/0") for pointer in pointers)
    assert VALUE.encode() not in answer.content


def test_a_value_comes_back_from_nowhere(
    client: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    webhooks.register("default", WebhookRequest(url="https://example.org/"))
    put(client, "stored", {"value": VALUE + "-stored"})
    given = [
        {"name": "one", "value": VALUE},
        {"name": "TWO", "kind": "env", "value": VALUE},
        {"name": "three", "stored": "stored"},
    ]
    answers = [launch(client, {"command": ["x"], "secrets": given}, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[1]["Idempotency-Replayed"] == "true"
    job = answers[0].json()
    assert job["request"]["secrets"] == [
        {"name": "one"}, {"name": "TWO", "kind": "env"}, {"name": "three", "stored": "stored"},
    ]  # fmt: skip
    path = f"/api/v1/jobs/{job['id']}"
    answers += [client.get(each) for each in (path, f"{path}/events", f"{path}/logs", "/api/v1/jobs", PATH, "/metrics")]
    answers.append(client.post(f"{path}/cancel", content_type="application/json"))
    written = "".join(f"{each.body} {each.log}" for each in WebhookDelivery.objects.all())
    for text in (*(answer.content.decode() for answer in answers), written, caplog.text, *capfd.readouterr()):
        assert VALUE not in text
    assert VALUE not in _whole_database()


def _whole_database() -> str:
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return repr(rows)


def test_a_stored_secret_of_another_namespace_cannot_be_used_or_seen(client: Client) -> None:
    put(client, "mine")
    stranger = client_with(tokens.create(namespace="elsewhere", name="x", scopes=["admin"])[1])
    assert stranger.get(PATH).json() == {"results": []}
    assert stranger.delete(f"{PATH}/mine").status_code == 404
    answer = launch(stranger, {"command": ["x"], "secrets": [{"name": "a", "stored": "mine"}]})
    assert errors(answer) == [("/secrets/0/stored", "the namespace has no secret 'mine'")]


def test_reading_needs_jobs_read_and_changing_jobs_write(client: Client) -> None:
    put(client, "a")
    reader = client_with(tokens.create(namespace="default", name="x", scopes=["jobs:read"])[1])
    assert reader.get(PATH).status_code == 200
    for answer in (put(reader, "a"), reader.delete(f"{PATH}/a")):
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_an_executor_says_as_what_it_gives_secrets(client: Client) -> None:
    assert client.get("/api/v1/executors/mock").json()["capabilities"]["secrets"] == ["file", "env"]

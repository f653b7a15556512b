"""Who may ask what: every operation with every kind of token."""

import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from api import schema
from container_manager import tokens
from container_manager.models import Job, Token
from container_manager.tokens import Scope
from tests.api.conftest import client_with, launch
from tests.factories import ContainerJobFactory

OPEN = {"/livez", "/readyz", "/api/schema"}
JOB = "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation that needs a token: method, a path that can be asked, and its description."""
    for path, methods in schema.document()["paths"].items():
        for method, operation in methods.items():
            if path not in OPEN:
                yield method, path.replace("{executor}", "mock").replace("{job}", JOB), operation


OPERATIONS = [pytest.param(*each, id=each[2]["operationId"]) for each in operations()]


def ask(client: Client, method: str, path: str) -> Any:
    return client.generic(method.upper(), path, "{}", content_type="application/json", headers={"Accept": "*/*"})


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_without_a_token_nothing_is_answered(method: str, path: str, operation: dict[str, Any]) -> None:
    answer = ask(Client(), method, path)

    assert (answer.status_code, answer.json()["code"]) == (401, "missing_token")
    assert answer["WWW-Authenticate"] == 'Bearer realm="purser"'


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a_token_that_opens_nothing_is_told_from_none(method: str, path: str, operation: dict[str, Any]) -> None:
    answer = ask(client_with("purser_000000000000_" + "0" * 64), method, path)

    assert (answer.status_code, answer.json()["code"]) == (401, "unusable_token")
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_the_scope_that_the_contract_names_is_needed(method: str, path: str, operation: dict[str, Any]) -> None:
    needed = operation["description"].rpartition("Needs the scope `")[2].removesuffix("`.")
    others = [scope for scope in Scope if scope not in (needed, Scope.ADMIN)]
    answer = ask(client_with(tokens.create(namespace="default", name="t", scopes=others)[1]), method, path)

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert f'scope="{needed}"' in answer["WWW-Authenticate"]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_the_scope_that_the_contract_names_is_enough(method: str, path: str, operation: dict[str, Any]) -> None:
    needed = operation["description"].rpartition("Needs the scope `")[2].removesuffix("`.")
    answer = ask(client_with(tokens.create(namespace="default", name="t", scopes=[needed])[1]), method, path)

    assert answer.status_code in (200, 404, 422)


@pytest.mark.parametrize("text", ["", "Bearer", "Basic dTpw", "Bearer x", "bearer ", "Bearer purser_1_2", "purser"])
def test_a_malformed_authorization_is_401(db: None, text: str) -> None:
    answer = Client().get("/api/v1/jobs", headers={"Authorization": text})

    assert answer.status_code == 401
    assert "Bearer" in answer["WWW-Authenticate"]


def test_a_revoked_token_opens_nothing(token: str, client: Client) -> None:
    tokens.revoke(Token.objects.get().pk)

    assert client.get("/api/v1/jobs").status_code == 401


def test_an_expired_token_opens_nothing(token: str, client: Client) -> None:
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert client.get("/api/v1/jobs").status_code == 401


def test_a_token_for_one_executor_opens_no_other(db: None) -> None:
    text = tokens.create(namespace="default", name="ci", scopes=[Scope.ADMIN], executors=["other"])[1]
    answer = launch(client_with(text), {"command": ["true"]})

    assert (answer.status_code, answer.json()["code"]) == (403, "executor_forbidden")
    assert Job.objects.count() == 0


def test_a_job_on_an_executor_that_the_token_may_not_use_is_not_found(db: None) -> None:
    text = tokens.create(namespace="default", name="ci", scopes=[Scope.ADMIN], executors=["other"])[1]
    job = ContainerJobFactory.create()

    assert client_with(text).get(f"/api/v1/jobs/{job.pk}").status_code == 404


@pytest.mark.parametrize("path", sorted([*OPEN, "/api/docs", "/api/docs/problems"]))
def test_these_are_open(db: None, path: str) -> None:
    assert Client().get(path).status_code in (200, 503)


def test_the_token_is_never_logged(token: str, client: Client) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    try:
        client.get("/api/v1/jobs")
        client.get(f"/api/v1/jobs/{JOB}")
    finally:
        logging.getLogger().removeHandler(handler)

    assert "/api/v1/jobs" in written.getvalue()
    assert token.rpartition("_")[2] not in written.getvalue()


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "purser_0123"])
def test_a_header_of_another_form_is_told_which_is_expected(db: None, header: str) -> None:
    answer = Client().get("/api/v1/jobs", headers={"Authorization": header})

    assert answer.status_code == 401
    assert "Authorization: Bearer <token>" in answer.json()["detail"]
    assert header.rsplit(maxsplit=1)[-1] not in answer.content.decode()

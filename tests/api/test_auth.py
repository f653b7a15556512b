"""What the Authorization header may be, and what a token opens; `test_matrix` has every operation."""

import io
import logging
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from container_manager import tokens
from container_manager.models import Job, Token
from container_manager.tokens import Scope
from tests.api.conftest import client_with, launch
from tests.factories import ContainerJobFactory

OPEN = {"/livez", "/readyz", "/api/schema"}
JOB = "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"


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

"""Every error has its row, and every 4xx and 5xx is a problem as in RFC 9457."""

import inspect
import logging

import pytest
from django.db import OperationalError
from django.test import Client

from api import errors
from api.problems import STATUS, title_of
from container_manager import exceptions, listing
from container_manager.exceptions import PurserError
from tests.factories import ContainerJobFactory

CLASSES = [
    kind
    for module in (exceptions, errors)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, PurserError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_a_row_in_the_table(kind: type[PurserError]) -> None:
    assert kind in STATUS


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in STATUS]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_a_sentence(kind: type[PurserError]) -> None:
    assert title_of(kind).endswith(".")


def test_a_problem_has_all_its_members(client: Client) -> None:
    answer = client.get("/api/v1/jobs/1", headers={"X-Request-ID": "r-1"})

    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/api/docs/problems#unknown_job",
        "title": "There is no such job.",
        "status": 404,
        "detail": "there is no job '1'; a job's id is a UUID",
        "instance": "/api/v1/jobs/1",
        "code": "unknown_job",
        "request_id": "r-1",
    }


def test_a_method_that_is_not_allowed_is_told_those_that_are(client: Client) -> None:
    answer = client.put("/api/v1/executors/mock/jobs")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_bug_is_logged_with_its_traceback_and_not_told(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("internal detail")

    monkeypatch.setattr(listing, "page", broken)
    answer = client.get("/api/v1/jobs")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert b"internal detail" not in answer.content
    logged = [record for record in caplog.records if record.levelno == logging.ERROR and record.exc_info]
    assert len(logged) == 1


def test_a_bug_while_an_answer_is_held_is_a_problem_too(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = ContainerJobFactory.create()
    monkeypatch.setattr("api.views.jobs.job_document", lambda job: 1 / 0)
    answer = client.get(f"/api/v1/jobs/{job.pk}?wait=0")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert any(record.exc_info for record in caplog.records)


def test_a_database_that_is_away_is_told_apart_from_a_bug(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("password of host x")

    monkeypatch.setattr(listing, "page", away)
    answer = client.get("/api/v1/jobs")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) > 0
    assert b"password" not in answer.content


@pytest.mark.parametrize("given", ["r-1", "A.b_c-9", "x" * 128])
def test_a_request_id_is_taken_over(client: Client, given: str) -> None:
    assert client.get("/livez", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "<script>"])
def test_a_request_id_that_is_unfit_is_replaced(client: Client, given: str) -> None:
    assert len(client.get("/livez", headers={"X-Request-ID": given})["X-Request-ID"]) == 36


def test_each_request_is_logged_once_with_its_id(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "purser.access"):
        client.get("/api/v1/jobs/1", headers={"X-Request-ID": "r-1"})

    assert len(caplog.records) == 1
    line = caplog.records[0].msg
    assert isinstance(line, dict)
    assert (line["request_id"], line["status"], line["route"]) == ("r-1", 404, "/api/v1/jobs/<str:job>")

"""How often a token may ask, and an address without one."""

import re
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from api import limits
from container_manager import allowances, tokens
from container_manager.models import Token
from container_manager.tokens import Scope
from tests.api.conftest import client_with, launch

pytestmark = pytest.mark.django_db


def limited(rate: str) -> Client:
    return client_with(tokens.create(namespace="default", name="t", scopes=[Scope.ADMIN], rate_limit=rate)[1])


def set_limits(settings: Any, **rates: str) -> None:
    settings.PURSER = settings.PURSER.model_copy(update=rates)


def test_every_answer_says_how_the_rate_stands() -> None:
    client = limited("3/3600")
    answers = [client.get("/api/v1/jobs"), client.get("/api/v1/jobs/0"), launch(client, {"memory_mib": -1})]

    assert {answer["RateLimit-Policy"] for answer in answers} == {'"token";q=3;w=3600'}
    standing = [re.fullmatch(r'"token";r=(\d+);t=(\d+)', answer["RateLimit"]) for answer in answers]
    assert [match[1] for match in standing if match] == ["2", "1", "0"]
    assert all(match and 0 < int(match[2]) <= 3600 for match in standing)


def test_one_too_many_is_told_when_to_come_again() -> None:
    client = limited("1/3600")
    client.get("/api/v1/jobs")
    answer = client.get("/api/v1/jobs")

    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert answer["RateLimit"] == f'"token";r=0;t={answer["Retry-After"]}'
    assert 0 < int(answer["Retry-After"]) <= 3600


def test_a_refused_launch_launches_nothing() -> None:
    from container_manager.models import Job

    client = limited("1/3600")

    assert launch(client, {"command": ["true"]}).status_code == 202
    assert launch(client, {"command": ["true"]}).status_code == 429
    assert Job.objects.count() == 1


def test_the_rate_comes_back_with_the_next_window(monkeypatch: pytest.MonkeyPatch) -> None:
    client = limited("1/60")
    now = 1_800_000_000.0
    monkeypatch.setattr("container_manager.allowances.time.time", lambda: now)
    assert [client.get("/api/v1/jobs").status_code for _ in range(2)] == [200, 429]

    now += 60
    assert client.get("/api/v1/jobs").status_code == 200


def test_one_token_does_not_spend_anothers() -> None:
    first, second = limited("1/3600"), limited("1/3600")

    assert [first.get("/api/v1/jobs").status_code for _ in range(2)] == [200, 429]
    assert second.get("/api/v1/jobs").status_code == 200


def test_the_services_rate_holds_for_a_token_without_its_own(client: Client, settings: Any) -> None:
    set_limits(settings, rate_limit="1/3600")

    assert [client.get("/api/v1/jobs").status_code for _ in range(2)] == [200, 429]


def test_none_is_no_limit_and_says_nothing(client: Client, settings: Any) -> None:
    set_limits(settings, rate_limit="none")

    assert "RateLimit" not in client.get("/api/v1/jobs")


def test_a_database_that_is_busy_lets_requests_pass(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> Any:
        raise OperationalError("database is locked")

    monkeypatch.setattr(allowances, "_take", busy)

    assert client.get("/api/v1/jobs").status_code == 200


def test_most_requests_write_nothing(django_assert_num_queries: Any) -> None:
    client = limited("12000/3600")
    client.get("/api/v1/jobs")

    with django_assert_num_queries(2):  # the token, the list
        client.get("/api/v1/jobs")


def test_an_address_may_not_guess_for_ever(settings: Any) -> None:
    set_limits(settings, failure_limit="2/3600")
    answers = [
        Client().get("/api/v1/jobs"),
        client_with("guess").get("/api/v1/jobs"),
        client_with("x").get("/api/v1/jobs"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[2].json()["code"] == "too_many_failures"
    assert 0 < int(answers[2]["Retry-After"]) <= 3600


def test_a_good_token_opens_also_from_such_an_address(client: Client, settings: Any) -> None:
    set_limits(settings, failure_limit="1/3600")
    for _ in range(3):
        Client().get("/api/v1/jobs")

    assert client.get("/api/v1/jobs").status_code == 200


def test_addresses_are_counted_apart_and_ipv6_by_network(settings: Any) -> None:
    set_limits(settings, failure_limit="1/3600")

    def status(address: str) -> int:
        return Client(REMOTE_ADDR=address).get("/api/v1/jobs").status_code

    assert [status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.2")] == [401, 429, 401]
    assert [status("2001:db8::1"), status("2001:db8::2"), status("2001:db8:0:1::1")] == [401, 429, 401]


def test_probes_and_the_contract_are_never_limited(settings: Any) -> None:
    set_limits(settings, failure_limit="1/3600", rate_limit="1/3600")

    assert {Client().get("/livez").status_code for _ in range(3)} == {200}


def test_processes_share_a_rate_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    text = tokens.create(namespace="default", name="t", scopes=[Scope.ADMIN], rate_limit="100/3600")[1]
    memories = [type(allowances._held)() for _ in range(3)]
    allowed = 0
    for turn in range(150):
        monkeypatch.setattr(allowances, "_held", memories[turn % 3])
        allowed += client_with(text).get("/api/v1/jobs").status_code == 200

    assert allowed == 100
    assert Token.objects.count() == 1
    limits.reset()

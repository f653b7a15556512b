"""POST and GET /api/v1/tokens, GET and DELETE /api/v1/tokens/{token}, POST /api/v1/tokens/{token}/rotate."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from container_manager import tokens
from container_manager.models import Token
from container_manager.tokens import Scope
from tests.api.conftest import client_with
from tests.factories import TokenFactory

TOKENS = "/api/v1/tokens"


def post(client: Client, path: str = TOKENS, **body: Any) -> Any:
    return client.post(path, data=body, content_type="application/json")


def make(client: Client, **fields: Any) -> Any:
    answer = post(client, **{"name": "ci", "scopes": ["jobs:read"], **fields})
    assert answer.status_code == 201, answer.content
    return answer.json()


def admin(**fields: Any) -> Client:
    return client_with(tokens.create(namespace="default", name="admin", scopes=[Scope.ADMIN], **fields)[1])


def test_a_new_token_is_shown_once_and_opens(client: Client) -> None:
    answer = post(client, name="ci", scopes=["jobs:read"])
    made = answer.json()

    assert answer["Location"] == f"{TOKENS}/{made['id']}"
    assert answer["Cache-Control"] == "no-store"
    assert client_with(made["token"]).get("/api/v1/jobs").status_code == 200
    assert made["token"].split("_")[2] not in client.get(answer["Location"]).content.decode()
    assert made["token"].split("_")[2] not in client.get(TOKENS).content.decode()


def test_a_token_shows_what_it_may_and_when_it_was_used(client: Client) -> None:
    made = make(client, executors=["mock"], expires_at="2999-01-01T00:00:00Z", rate_limit="60/60")
    client_with(made["token"]).get("/api/v1/jobs")
    shown = client.get(f"{TOKENS}/{made['id']}").json()

    assert shown["last_used_at"] is not None
    assert {**made, "last_used_at": shown["last_used_at"]} == {**shown, "token": made["token"]}
    assert (shown["state"], shown["namespace"], shown["executors"]) == ("valid", "default", ["mock"])
    assert (shown["rate_limit"], shown["expires_at"]) == ("60/60", "2999-01-01T00:00:00Z")


def test_the_list_has_the_namespaces_tokens_page_by_page_with_those_that_have_ended(client: Client) -> None:
    TokenFactory.create(namespace="elsewhere")
    ended = TokenFactory.create(revoked_at=timezone.now())
    late = TokenFactory.create(expires_at=timezone.now())
    first = client.get(f"{TOKENS}?limit=2").json()
    second = client.get(TOKENS, {"limit": 2, "cursor": first["next_cursor"]}).json()

    assert {each["id"]: each["state"] for each in first["results"]} == {ended.pk: "revoked", late.pk: "expired"}
    assert [each["name"] for each in second["results"]] == ["test"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "MjAyNg", "MjAyNi0xMS0yMiBhYmM", "!!"])
def test_a_cursor_of_another_list_is_refused(client: Client, cursor: str) -> None:
    answer = client.get(TOKENS, {"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x\x00"}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["jobs:fly"]}, "/scopes/0"),
        ({"executors": ["nope"]}, "/executors/0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2020-01-01"}, "/expires_at"),
        ({"rate_limit": "many"}, "/rate_limit"),
        ({"rate_limit": "0/60"}, "/rate_limit"),
        ({"namespace": "elsewhere"}, "/namespace"),
    ],
)
def test_a_field_that_is_wrong_is_named(client: Client, body: dict[str, Any], pointer: str) -> None:
    answer = post(client, **{"name": "ci", "scopes": ["jobs:read"], **body})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")
    assert {each["pointer"] for each in answer.json()["errors"]} == {pointer}
    assert Token.objects.count() == 1


def test_every_wrong_field_is_named_at_once(client: Client) -> None:
    errors = post(client, name="", scopes=["fly"], surprise=1).json()["errors"]

    assert {each["pointer"] for each in errors} == {"/name", "/scopes/0", "/surprise"}


SOME_DAY = datetime(2990, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("own", "asked"),
    [
        ({"executors": ["mock"]}, {"executors": ["mock", "other"]}),
        ({"executors": ["mock"]}, {"executors": ["other"]}),
        ({"expires_at": SOME_DAY}, {"expires_at": "2999-01-01T00:00:00Z"}),
        ({"rate_limit": "10/60"}, {"rate_limit": "11/60"}),
        ({"rate_limit": "10/60"}, {"rate_limit": "10/59"}),
        ({"rate_limit": "10/60"}, {"rate_limit": "20/3600"}),
        ({"rate_limit": "10/60"}, {"rate_limit": "none"}),
        ({}, {"rate_limit": "none"}),
    ],
)
def test_no_token_makes_one_that_may_do_more(own: dict[str, Any], asked: dict[str, Any]) -> None:
    client = admin(**own)
    answer = post(client, name="ci", scopes=["admin"], **asked)

    assert (answer.status_code, answer.json()["code"]) == (403, "token_exceeds")
    assert Token.objects.count() == 1


@pytest.mark.django_db
def test_what_is_left_out_is_as_the_maker_has_it() -> None:
    client = admin(executors=["mock"], expires_at=SOME_DAY, rate_limit="10/60")
    made = Token.objects.get(pk=make(client, scopes=["admin"])["id"])

    assert (made.executors, made.expires_at, made.rate_limit) == (["mock"], SOME_DAY, "10/60")


@pytest.mark.django_db
def test_the_rate_may_be_lower_in_any_window() -> None:
    client = admin(rate_limit="10/60")

    assert make(client, rate_limit="10/61")["rate_limit"] == "10/61"
    assert make(client, rate_limit="5/30")["rate_limit"] == "5/30"


def test_a_rotated_token_keeps_all_but_its_secret(client: Client) -> None:
    made = make(client, executors=["mock"])
    rotated = post(client, f"{TOKENS}/{made['id']}/rotate").json()

    assert client_with(rotated["token"]).get("/api/v1/jobs").status_code == 200
    assert client_with(made["token"]).get("/api/v1/jobs").status_code == 401
    changed = {name for name in made if made[name] != rotated[name]}
    assert changed == {"token", "rotated_at"}


def test_both_secrets_open_while_they_overlap(client: Client) -> None:
    made = make(client)
    rotated = post(client, f"{TOKENS}/{made['id']}/rotate", overlap_seconds=3600).json()

    assert rotated["previous_expires_at"] is not None
    for text in (made["token"], rotated["token"]):
        assert client_with(text).get("/api/v1/jobs").status_code == 200
    Token.objects.filter(pk=made["id"]).update(previous_expires_at=timezone.now())
    assert client_with(made["token"]).get("/api/v1/jobs").status_code == 401
    assert client.get(f"{TOKENS}/{made['id']}").json()["previous_expires_at"] is None


def test_a_second_rotation_ends_the_first_secret(client: Client) -> None:
    made = make(client)
    for _ in range(2):
        post(client, f"{TOKENS}/{made['id']}/rotate", overlap_seconds=3600)

    assert client_with(made["token"]).get("/api/v1/jobs").status_code == 401


@pytest.mark.parametrize("seconds", [-1, 604_801, 0.5, "1h"])
def test_an_overlap_is_at_most_a_week(client: Client, seconds: Any) -> None:
    answer = post(client, f"{TOKENS}/{TokenFactory.create().pk}/rotate", overlap_seconds=seconds)

    assert [each["pointer"] for each in answer.json()["errors"]] == ["/overlap_seconds"]


@pytest.mark.parametrize(
    "ended", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}], ids=["revoked", "expired"]
)
def test_a_token_that_has_ended_is_not_rotated(client: Client, ended: Any) -> None:
    answer = post(client, f"{TOKENS}/{TokenFactory.create(**ended).pk}/rotate")

    assert (answer.status_code, answer.json()["code"]) == (409, "token_ended")


@pytest.mark.django_db
@pytest.mark.parametrize("own", [{"executors": ["mock"]}, {"expires_at": SOME_DAY}, {"rate_limit": "10/60"}], ids=str)
def test_no_token_takes_over_one_that_may_do_more(own: dict[str, Any]) -> None:
    stronger, text = tokens.create(namespace="default", name="strong", scopes=[Scope.ADMIN])
    answer = post(admin(**own), f"{TOKENS}/{stronger.pk}/rotate")

    assert (answer.status_code, answer.json()["code"]) == (403, "token_exceeds")
    assert tokens.authenticate(text) is not None


def test_a_revoked_token_opens_nothing_more_and_stays_on_record(client: Client) -> None:
    made = make(client)

    for _ in range(2):
        assert client.delete(f"{TOKENS}/{made['id']}").status_code == 204
    assert client_with(made["token"]).get("/api/v1/jobs").status_code == 401
    assert client.get(f"{TOKENS}/{made['id']}").json()["state"] == "revoked"


def test_a_token_may_revoke_itself(client: Client, token: str) -> None:
    assert client.delete(f"{TOKENS}/{token.split('_')[1]}").status_code == 204
    assert client.get(TOKENS).status_code == 401


def test_an_error_does_not_repeat_a_secret_that_was_put_into_the_path(client: Client, token: str) -> None:
    answer = client.get(f"{TOKENS}/{token}")

    assert answer.status_code == 404
    assert token.split("_")[2] not in answer.json()["detail"]

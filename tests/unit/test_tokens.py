from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from container_manager import tokens
from container_manager.exceptions import InvalidTokenRequest, UnknownExecutor, UnknownToken
from container_manager.models import Token
from container_manager.tokens import Scope

pytestmark = pytest.mark.django_db


def make(**fields: Any) -> Any:
    return tokens.create(**{"namespace": "team-a", "name": "ci", "scopes": [Scope.JOBS_READ], **fields})


def test_a_token_opens_with_its_text_and_with_nothing_else() -> None:
    token, plaintext = make()

    assert tokens.authenticate(plaintext) == token
    assert tokens.authenticate(plaintext[:-1] + ("0" if plaintext[-1] != "0" else "1")) is None
    assert tokens.authenticate(plaintext + "0") is None
    assert tokens.authenticate("") is None


def test_the_secret_is_not_in_the_database() -> None:
    _, plaintext = make()

    assert plaintext.split("_")[2] not in str(list(Token.objects.values()))


def test_a_revoked_token_opens_nothing_and_stays_revoked() -> None:
    token, plaintext = make()

    tokens.revoke(token.id)
    first = Token.objects.get().revoked_at
    tokens.revoke(token.id)

    assert tokens.authenticate(plaintext) is None
    assert Token.objects.get().revoked_at == first


def test_an_expired_token_opens_nothing() -> None:
    token, plaintext = make(expires_at=timezone.now() + timedelta(days=1))
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now())

    assert tokens.authenticate(plaintext) is None


def test_its_use_is_noted_once_a_minute(django_assert_num_queries: Any) -> None:
    _, plaintext = make()

    with django_assert_num_queries(2):
        tokens.authenticate(plaintext)
    with django_assert_num_queries(1):
        tokens.authenticate(plaintext)
    assert Token.objects.get().last_used_at is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("namespace", "Team A"),
        ("namespace", ""),
        ("name", ""),
        ("name", "x" * 101),
        ("name", "a\nb"),
        ("scopes", []),
        ("scopes", ["jobs:fly"]),
        ("expires_at", timezone.now()),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_by_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidTokenRequest, match=field):
        make(**{field: value})


def test_a_token_for_an_executor_that_is_not_registered_is_refused() -> None:
    with pytest.raises(UnknownExecutor, match="nope"):
        make(executors=["nope"])


def test_a_token_that_is_not_there_cannot_be_revoked() -> None:
    with pytest.raises(UnknownToken):
        tokens.revoke("nope")

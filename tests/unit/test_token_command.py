from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from container_manager import tokens
from container_manager.management.commands.token import _expiry
from container_manager.models import Token


def token(*arguments: str) -> Any:
    out = StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_create_prints_the_token_and_nothing_else() -> None:
    printed = token("create", "--name", "ci", "--namespace", "team-a", "--executor", "mock", "--expires", "7d")

    found = tokens.authenticate(printed.removesuffix("\n"))
    assert found is not None
    assert (found.namespace, found.executors) == ("team-a", ["mock"])
    assert "admin" not in found.scopes


@pytest.mark.django_db
def test_list_shows_each_token_without_its_secret() -> None:
    secret = token("create", "--name", "ci").split("_")[2].strip()

    listed = token("list")

    assert "  default  ci  executors:read,jobs:read" in listed
    assert "all executors  valid  unused" in listed
    assert secret not in listed


@pytest.mark.django_db
def test_revoke_ends_a_token_and_the_list_says_so() -> None:
    token("create", "--name", "ci", "--expires", "30m")
    assert "expires" in token("list")

    token("revoke", Token.objects.get().id)

    assert "revoked" in token("list")


@pytest.mark.django_db
def test_what_cannot_be_done_is_one_line() -> None:
    with pytest.raises(CommandError, match=r"there is no token 'nope'"):
        token("revoke", "nope")


def test_an_expiry_is_a_span_or_a_time() -> None:
    assert _expiry("2030-01-02") == datetime(2030, 1, 2, tzinfo=UTC)
    assert _expiry("2w") - timezone.now() > timedelta(days=13)
    with pytest.raises(ArgumentTypeError, match="'soon' is neither"):
        _expiry("soon")


def test_a_scope_that_is_not_one_is_told_with_those_there_are() -> None:
    with pytest.raises(CommandError) as refused:
        call_command("token", "create", "--name", "ci", "--scope", "foo")

    assert "jobs:read" in str(refused.value)
    assert "<Scope" not in str(refused.value)


@pytest.mark.django_db
def test_rotate_prints_a_new_token_and_the_old_one_opens_while_they_overlap() -> None:
    first = token("create", "--name", "ci").strip()
    second = token("rotate", first.split("_")[1], "--overlap", "1h").strip()

    assert first != second
    assert tokens.authenticate(first) == tokens.authenticate(second)
    assert "the secret before opens until" in token("show", first.split("_")[1])
    third = token("rotate", first.split("_")[1]).strip()
    assert [tokens.authenticate(text) is not None for text in (first, second, third)] == [False, False, True]


@pytest.mark.django_db
def test_a_token_may_have_a_rate_of_its_own() -> None:
    token_id = token("create", "--name", "ci", "--rate-limit", "60/60").split("_")[1]

    assert "rate 60/60" in token("show", token_id)
    with pytest.raises(CommandError, match="rate_limit 'many' must be"):
        token("create", "--name", "ci", "--rate-limit", "many")


@pytest.mark.django_db
def test_the_list_can_be_of_one_namespace() -> None:
    token("create", "--name", "ci", "--namespace", "team-a")
    token("create", "--name", "ci", "--namespace", "team-b")

    assert token("list", "--namespace", "team-a").count("\n") == 1

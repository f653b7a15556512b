"""Who may ask what: every operation of the URL conf with every kind of token, and nothing changed by a refusal.

A new route is in here by itself. It must declare its operation, and may be open only if it is named here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.apps import apps
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, path
from django.utils import timezone

from api import schema
from api.endpoint import Endpoint, View
from container_manager import secrets, tokens, webhooks
from container_manager.identifiers import uuid7
from container_manager.models import AuditEntry, Job, RateWindow, Token, WebhookDelivery
from container_manager.spec import execution_id
from container_manager.tokens import Scope
from container_manager.webhooks import WebhookRequest
from tests.api.conftest import client_with
from tests.factories import AttemptFactory, ContainerJobFactory, TokenFactory

OPEN = {"getLiveness", "getReadiness", "getSchema"}
PAGES = {"api/docs", "api/docs/problems"}
MAKES_WHAT_IT_NAMES = {"putSecret"}
OF_ALL_EXECUTORS = {"secret", "token"}

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Operation:
    """One method of one route."""

    method: str
    route: str
    parameters: tuple[str, ...]
    endpoint: Endpoint

    @property
    def name(self) -> str:
        return self.endpoint.operation_id(self.parameters)

    @property
    def is_of_a_namespace(self) -> bool:
        """Whether its path names something that belongs to a namespace."""
        return self.name not in MAKES_WHAT_IT_NAMES and any(name != "executor" for name in self.parameters)

    def body(self) -> Any:
        """What the contract gives as an example, so that only the token can be what is wrong."""
        methods = schema.document()["paths"]["/" + template(self.route)]
        content = methods[self.method].get("requestBody", {}).get("content", {})
        examples = content.get("application/json", {}).get("examples", {})
        return {**next(iter(examples.values()))["value"]} if examples else {}


def template(route: str) -> str:
    return route.replace("<str:", "{").replace(">", "}")


def undeclared(routes: Iterable[URLPattern]) -> Iterator[str]:
    """Routes that are no declared operation."""
    for pattern in routes:
        view = getattr(pattern.callback, "view_class", None)
        if view is None:
            yield str(pattern.pattern)
        elif not issubclass(view, View):
            yield f"{pattern.pattern} {view.__name__}"
        else:
            yield from (f"{pattern.pattern} {m}" for m in handled(view) if not hasattr(getattr(view, m), "endpoint"))


def patterns() -> Iterator[URLPattern]:
    for pattern in get_resolver().url_patterns:
        assert isinstance(pattern, URLPattern), f"{pattern} is not a plain path: the matrix does not see into it"
        yield pattern


def handled(view: type[View]) -> list[str]:
    return [name for name in view.http_method_names if name != "head" and hasattr(view, name)]


def operations() -> Iterator[Operation]:
    for pattern in patterns():
        view = getattr(pattern.callback, "view_class", None)
        for method in handled(view) if view and issubclass(view, View) else ():
            declared = getattr(getattr(view, method), "endpoint", None)
            if declared:
                route, parameters = str(pattern.pattern), tuple(pattern.pattern.converters)
                yield Operation(method, route, parameters, declared)


EVERY = list(operations())
CLOSED = [pytest.param(each, id=each.name) for each in EVERY if each.name not in OPEN]
OF_A_NAMESPACE = [pytest.param(each, id=each.name) for each in EVERY if each.is_of_a_namespace]
OF_AN_EXECUTOR = [pytest.param(each, id=each.name) for each in EVERY if set(each.parameters) - OF_ALL_EXECUTORS]
OF_THE_OPERATOR = [pytest.param(each, id=each.name) for each in EVERY if each.endpoint.operator]
SHARED = [
    pytest.param(each, id=each.name)
    for each in EVERY
    if each.endpoint.scope and not each.is_of_a_namespace and not each.endpoint.operator
]


@pytest.fixture
def things() -> dict[str, str]:
    """What paths name, all of it of namespace `default`: a running job, and a token; other tables have rows too."""
    ContainerJobFactory.create()
    ContainerJobFactory.create(ended=True)
    secrets.put("default", "deploy-key", "hunter2")
    webhook, _ = webhooks.register("default", WebhookRequest(url="https://hooks.example.org/"))
    now = timezone.now()
    delivery = WebhookDelivery.objects.create(
        webhook=webhook, job_id=uuid7(), event="job.succeeded", body="{}", give_up_at=now
    )
    return {
        "executor": "mock",
        "secret": "deploy-key",
        "webhook": str(webhook.pk),
        "delivery": str(delivery.pk),
        "job": str(AttemptFactory.create().job_id),
        "token": TokenFactory.create(scopes=["jobs:read"]).pk,
    }


def make(namespace: str = "default", scopes: Any = (Scope.ADMIN,), **fields: Any) -> tuple[Token, str]:
    return tokens.create(namespace=namespace, name="t", scopes=scopes, **fields)


def ask(client: Client, operation: Operation, things: Mapping[str, str]) -> Any:
    target = "/" + template(operation.route).format(
        **{name: things.get(name, str(uuid7())) for name in operation.parameters}
    )
    headers = {"Accept": "*/*"}
    return client.generic(
        operation.method.upper(),
        target,
        orjson.dumps(operation.body()),
        content_type="application/json",
        headers=headers,
    )


def books() -> dict[str, list[Any]]:
    """Every row of every table but the audit log and the count of requests."""
    models = set(apps.get_app_config("container_manager").get_models()) - {AuditEntry, RateWindow}
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def refuses(client: Client, operation: Operation, things: Mapping[str, str], status: int, code: str) -> None:
    """It is refused so, changes nothing, and is in the audit log once."""
    client.get("/api/v1/jobs/0")  # so that the token's use of this minute is on record already
    before, audited = books(), AuditEntry.objects.count()
    answer = ask(client, operation, things)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert str(status) in schema.document()["paths"]["/" + template(operation.route)][operation.method]["responses"]
    assert books() == before
    entry = AuditEntry.objects.latest("pk")
    assert AuditEntry.objects.count() == audited + 1
    assert (entry.operation, entry.outcome, entry.status, entry.code) == (operation.name, "refused", status, code)


def test_every_route_declares_its_operation() -> None:
    assert set(undeclared(patterns())) == PAGES


def test_a_route_that_declares_nothing_would_be_found() -> None:
    class Bare(View):
        def get(self, request: Any) -> HttpResponse:
            return HttpResponse()

    assert list(undeclared([path("bare", Bare.as_view())])) == ["bare get"]


def test_every_operation_of_the_contract_is_in_the_matrix() -> None:
    described = {each["operationId"] for path in schema.document()["paths"].values() for each in path.values()}

    assert {operation.name for operation in EVERY} == described
    assert len(EVERY) == len(described)


def test_what_needs_no_token_is_named() -> None:
    assert {operation.name for operation in EVERY if operation.endpoint.scope is None} == OPEN


@pytest.mark.parametrize("operation", CLOSED)
def test_without_a_token(operation: Operation, things: dict[str, str]) -> None:
    refuses(Client(), operation, things, 401, "missing_token")


@pytest.mark.parametrize("text", ["purser_1_2", "x", "purser_" + "0" * 12 + "_" + "0" * 64])
@pytest.mark.parametrize("operation", CLOSED)
def test_with_a_token_that_is_malformed_or_unknown(operation: Operation, things: dict[str, str], text: str) -> None:
    refuses(client_with(text), operation, things, 401, "unusable_token")


@pytest.mark.parametrize("operation", CLOSED)
def test_with_an_expired_token(operation: Operation, things: dict[str, str]) -> None:
    token, text = make()
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    refuses(client_with(text), operation, things, 401, "unusable_token")


@pytest.mark.parametrize("operation", CLOSED)
def test_with_a_revoked_token(operation: Operation, things: dict[str, str]) -> None:
    token, text = make()
    tokens.revoke(token.pk)

    refuses(client_with(text), operation, things, 401, "unusable_token")


@pytest.mark.parametrize("operation", CLOSED)
def test_with_a_secret_that_was_rotated_away(operation: Operation, things: dict[str, str]) -> None:
    token, text = make()
    tokens.rotate(token.pk)

    refuses(client_with(text), operation, things, 401, "unusable_token")


@pytest.mark.parametrize("operation", CLOSED)
def test_with_every_scope_but_the_one_it_needs(operation: Operation, things: dict[str, str]) -> None:
    others = [scope for scope in Scope if scope not in (operation.endpoint.scope, Scope.ADMIN)]

    refuses(client_with(make(scopes=others)[1]), operation, things, 403, "insufficient_scope")


@pytest.mark.parametrize("operation", CLOSED)
def test_with_the_scope_it_needs_it_is_not_refused(operation: Operation, things: dict[str, str]) -> None:
    answer = ask(client_with(make(scopes=[operation.endpoint.scope])[1]), operation, things)

    assert answer.status_code < 400 or answer.json()["code"] == "token_exceeds"


@pytest.mark.parametrize("operation", OF_A_NAMESPACE)
def test_with_a_token_of_another_namespace(operation: Operation, things: dict[str, str]) -> None:
    parameter = next(name for name in operation.parameters if name != "executor")

    refuses(client_with(make("elsewhere")[1]), operation, things, 404, f"unknown_{parameter}")


@pytest.mark.parametrize("operation", [each for each in CLOSED if each.id in MAKES_WHAT_IT_NAMES])
def test_what_another_namespace_makes_under_the_same_name_is_its_own(
    operation: Operation, things: dict[str, str]
) -> None:
    before = books()
    answer = ask(client_with(make("elsewhere")[1]), operation, things)
    after = books()

    assert answer.status_code == 201
    for table, rows in before.items():
        assert [row for row in after[table] if row.get("namespace") != "elsewhere"] == rows


@pytest.mark.parametrize("operation", OF_THE_OPERATOR)
def test_with_a_token_of_another_namespace_than_the_operators(operation: Operation, things: dict[str, str]) -> None:
    refuses(client_with(make("elsewhere")[1]), operation, things, 403, "operator_only")


@pytest.mark.parametrize("operation", SHARED)
def test_what_is_in_no_namespace_shows_nothing_of_another(operation: Operation, things: dict[str, str]) -> None:
    Job.objects.update(labels={"secret": "label-of-default"})
    answer = ask(client_with(make("elsewhere")[1]), operation, things)

    assert answer.status_code < 400
    for name in (things["job"], execution_id(UUID(things["job"]), 1), things["token"], "label-of-default", '"default"'):
        assert name not in answer.content.decode()


@pytest.mark.parametrize("operation", OF_AN_EXECUTOR)
def test_with_a_token_for_another_executor(operation: Operation, things: dict[str, str]) -> None:
    first = operation.parameters[0]
    expected = (403, "executor_forbidden") if first == "executor" else (404, f"unknown_{first}")

    refuses(client_with(make(executors=["other"])[1]), operation, things, *expected)

"""GET /api/v1/executors and /api/v1/executors/{executor}."""

from django.test import Client

from container_manager import tokens
from container_manager.executors.registry import executors
from container_manager.models import Capacity
from container_manager.spec import HONOURED_BY_PURSER
from container_manager.tokens import Scope
from tests.api.conftest import client_with


def test_all_registered_executors_are_listed_by_name(client: Client) -> None:
    results = client.get("/api/v1/executors").json()["results"]

    assert [executor["name"] for executor in results] == ["mock", "other"]


def test_a_token_for_one_executor_lists_only_that(db: None) -> None:
    text = tokens.create(namespace="default", name="ci", scopes=[Scope.EXECUTORS_READ], executors=["other"])[1]
    results = client_with(text).get("/api/v1/executors").json()["results"]

    assert [executor["name"] for executor in results] == ["other"]


def test_an_executor_says_what_it_can_and_its_limits(client: Client) -> None:
    document = client.get("/api/v1/executors/mock").json()

    assert document["capabilities"]["fields"] == sorted(executors["mock"].capabilities.fields | HONOURED_BY_PURSER)
    assert document["limits"]["max_memory_mib"] == 1024
    assert document["defaults"]["memory_mib"] == 256
    assert document["utilization"]["memory_used_mib"] == 0


def test_an_unknown_executor_is_told_with_those_there_are(client: Client) -> None:
    answer = client.get("/api/v1/executors/dokcer")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_executor")
    assert "mock, other" in answer.json()["detail"]


def test_totals_are_those_that_dispatchers_have_found_in_any_process(client: Client) -> None:
    Capacity.objects.create(executor="other", memory_total=2048, cpu_millis_total=1500)
    limits = client.get("/api/v1/executors/other").json()["limits"]

    assert (limits["total_memory_mib"], limits["total_cpu_cores"]) == (2048, 1.5)

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

from container_manager import tokens, webhooks
from container_manager.models import Webhook
from container_manager.webhooks import WebhookRequest
from tests.api.conftest import client_with

PATH = "/api/v1/webhooks"
URL = "https://ci.example.org/hooks/purser"


def post(client: Client, path: str = PATH, **body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def patch(client: Client, path: str, **body: Any) -> Any:
    return client.patch(path, body, content_type="application/json")


def registered(client: Client, **body: Any) -> str:
    answer = post(client, **{"url": URL, **body})
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])


def holder(*scopes: str, namespace: str = "default", executors: tuple[str, ...] = ()) -> Client:
    return client_with(tokens.create(namespace=namespace, name="x", scopes=scopes, executors=executors)[1])


def errors(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(error["pointer"], error["detail"]) for error in answer.json()["errors"]]


def test_a_webhook_is_registered_and_its_secret_shown_once(client: Client) -> None:
    answer = post(client, url=URL, events=["failed", "succeeded"], executors=["mock"], labels={"team": "a"})
    assert answer.status_code == 201
    made = answer.json()
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["events"], made["executors"]) == (URL, ["succeeded", "failed"], ["mock"])
    shown = client.get(answer["Location"]).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert client.get(PATH).json() == {"results": [shown]}


def test_the_secret_is_encrypted_in_the_database(client: Client) -> None:
    made = post(client, url=URL).json()
    assert made["secret"].removeprefix("whsec_") not in Webhook.objects.get().secret


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        ({}, "/url", "is required"),
        ({"url": 1}, "/url", "must be a string"),
        ({"url": "ftp://example.org/"}, "/url", "must be an http:// or https:// URL with a host"),
        ({"url": "http://127.0.0.1/"}, "/url", "leads to 127.0.0.1, which is not a public address"),
        ({"url": "http://[::ffff:169.254.169.254]/"}, "/url", "which is not a public address"),
        ({"url": URL, "events": ["done"]}, "/events/0", "must be 'queued', 'launching'"),
        ({"url": URL, "executors": ["nowhere"]}, "/executors/0", "'nowhere' is not an executor that you may use"),
        ({"url": URL, "labels": {"a": 1}}, "/labels/a", "must be a string"),
        ({"url": URL, "labels": {"a\x00": "b"}}, "/labels/a\x00", "must not contain NUL"),
        ({"url": URL, "secret": "x"}, "/secret", "'secret' is unknown"),
    ],
)
def test_a_wrong_field_is_named(client: Client, body: dict[str, Any], pointer: str, told: str) -> None:
    found = errors(post(client, **body))
    assert (pointer, True) in [(where, told in detail) for where, detail in found], found


def test_credentials_in_a_url_are_refused_and_not_repeated(client: Client) -> None:
    answer = post(client, url="https://user:hunter2@example.org/")
    assert errors(answer) == [("/url", "must not carry a user name or password")]
    assert b"hunter2" not in answer.content


def test_what_the_operator_allows_is_taken(client: Client, settings: Any) -> None:
    allowed = (ip_network("10.0.0.0/8"),)
    settings.PURSER = settings.PURSER.model_copy(update={"webhook_allowed_networks": allowed})
    assert post(client, url="http://10.1.2.3:8080/hook").status_code == 201


def test_a_change_leaves_what_it_does_not_name(client: Client) -> None:
    path = registered(client, events=["failed"], labels={"team": "a"})
    changed = patch(client, path, events=["succeeded"], url=URL + "/2").json()
    assert (changed["events"], changed["labels"], changed["url"]) == (["succeeded"], {"team": "a"}, URL + "/2")
    assert patch(client, path, labels={}, events=[]).json()["labels"] == {}
    assert errors(patch(client, path, url="http://localhost:1#x")) == [("/url", "must not have a fragment")]


def test_a_webhook_is_switched_off_and_on(client: Client) -> None:
    path = registered(client)
    off = patch(client, path, enabled=False).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "it was switched off")
    on = patch(client, path, enabled=True).json()
    assert (on["enabled"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)


def test_a_rotation_shows_the_new_secret_and_how_long_the_old_one_signs(client: Client) -> None:
    made = post(client, url=URL).json()
    rotated = post(client, f"{PATH}/{made['id']}/rotate", overlap_seconds=60).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"]
    assert errors(post(client, f"{PATH}/{made['id']}/rotate", overlap_seconds=-1))[0][0] == "/overlap_seconds"


def test_a_removed_webhook_is_gone(client: Client) -> None:
    path = registered(client)
    assert client.delete(path).status_code == 204
    for answer in (client.get(path), client.delete(path), patch(client, path, enabled=True)):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_webhook")


@pytest.mark.parametrize("webhook", ["1", "0193a1c2-6c8f-7d22-8e54-1b2c3d4e5f60"])
def test_an_unknown_webhook_is_404(client: Client, webhook: str) -> None:
    assert client.get(f"{PATH}/{webhook}").json()["code"] == "unknown_webhook"


def test_another_namespace_sees_none_of_it(client: Client) -> None:
    path = registered(client)
    stranger = holder("admin", namespace="elsewhere")
    assert stranger.get(PATH).json() == {"results": []}
    for answer in (
        stranger.get(path), stranger.delete(path), patch(stranger, path, enabled=False),
        post(stranger, f"{path}/rotate"), stranger.get(f"{path}/deliveries"),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert Webhook.objects.get().disabled_at is None


def test_reading_needs_jobs_read_and_changing_jobs_write(client: Client) -> None:
    path = registered(client)
    reader, writer = holder("jobs:read"), holder("jobs:write")
    assert (reader.get(path).status_code, writer.get(path).status_code) == (200, 403)
    for answer in (
        post(reader, url=URL), patch(reader, path, enabled=False), reader.delete(path), post(reader, f"{path}/rotate"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_a_token_for_some_executors_makes_webhooks_for_those_only(client: Client) -> None:
    everything = registered(client)
    narrow = holder("jobs:read", "jobs:write", executors=("mock",))
    path = registered(narrow)
    assert narrow.get(path).json()["executors"] == ["mock"]
    assert patch(narrow, path, executors=[]).json()["executors"] == ["mock"]
    assert errors(post(narrow, url=URL, executors=["other"]))[0][0] == "/executors/0"
    assert narrow.get(everything).status_code == 404
    assert [found["id"] for found in narrow.get(PATH).json()["results"]] == [path.rpartition("/")[2]]


def test_a_namespace_has_a_bounded_number_of_webhooks(client: Client) -> None:
    for _ in range(webhooks.MOST):
        webhooks.register("default", WebhookRequest(url=URL))
    answer = post(client, url=URL)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
    assert holder("admin", namespace="other").get(PATH).status_code == 200

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from container_manager import webhooks
from container_manager.dispatcher.courier import record
from container_manager.dispatcher.postman import Receipt
from container_manager.models import Webhook, WebhookDelivery
from container_manager.webhooks import WebhookChange, WebhookRequest
from tests.api.conftest import launch


@pytest.fixture
def webhook(db: None) -> Webhook:
    return webhooks.register("default", WebhookRequest(url="https://ci.example.org/hook"))[0]


def path(webhook: Webhook, *parts: object) -> str:
    return "/".join(["/api/v1/webhooks", str(webhook.pk), "deliveries", *map(str, parts)])


def launched(client: Client) -> WebhookDelivery:
    job = launch(client, {"command": ["true"]}).json()["id"]
    return WebhookDelivery.objects.get(job_id=job)


def tried(delivery: WebhookDelivery, status: int) -> None:
    delivery.leased_until = timezone.now()
    delivery.save()
    record(delivery, Receipt(timezone.now(), 0.25, status, "" if status < 300 else f"it answered {status}"))


def test_a_delivery_says_what_is_sent_and_how_each_attempt_went(client: Client, webhook: Webhook) -> None:
    delivery = launched(client)
    tried(delivery, 500)
    found = client.get(path(webhook, delivery.pk)).json()
    assert (found["state"], found["event"], found["attempt_count"]) == ("pending", "job.queued", 1)
    assert found["payload"]["data"]["id"] == found["job"] == str(delivery.job_id)
    (attempt,) = found["attempts"]
    assert (attempt["status_code"], attempt["error"], attempt["seconds"]) == (500, "it answered 500", 0.25)
    assert found["next_attempt_at"] > attempt["at"]
    assert client.get(f"/api/v1/webhooks/{webhook.pk}").json()["failing_since"] == attempt["at"]


def test_deliveries_are_listed_newest_first_page_by_page(client: Client, webhook: Webhook) -> None:
    made = [str(launched(client).pk) for _ in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = client.get(path(webhook), query).json()
        seen += [found["id"] for found in page["results"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == made[::-1]


def test_deliveries_are_listed_by_state(client: Client, webhook: Webhook) -> None:
    waits, done = launched(client), launched(client)
    tried(done, 200)
    for state, wanted in (("pending", waits), ("delivered", done)):
        (found,) = client.get(path(webhook), {"state": state}).json()["results"]
        assert (found["id"], found["state"]) == (str(wanted.pk), state)
    assert client.get(path(webhook), {"state": "lost"}).status_code == 422


@pytest.mark.parametrize("cursor", ["x", "1"])
def test_a_cursor_of_somebody_else_is_refused(client: Client, webhook: Webhook, cursor: str) -> None:
    answer = client.get(path(webhook), {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


def test_a_delivery_is_sent_again_on_demand(client: Client, webhook: Webhook) -> None:
    delivery = launched(client)
    tried(delivery, 200)
    answer = client.post(path(webhook, delivery.pk, "redeliver"), content_type="application/json")
    assert answer.status_code == 202
    again = answer.json()
    assert (again["id"], again["state"], again["finished_at"]) == (str(delivery.pk), "pending", None)
    assert again["next_attempt_at"]


def test_nothing_is_sent_again_to_a_disabled_webhook(client: Client, webhook: Webhook) -> None:
    delivery = launched(client)
    webhooks.change(webhook, WebhookChange(enabled=False))
    found = client.get(path(webhook, delivery.pk)).json()
    assert (found["state"], found["reason"]) == ("failed", "the webhook was disabled")
    answer = client.post(path(webhook, delivery.pk, "redeliver"), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "webhook_disabled")


def test_a_delivery_of_another_webhook_is_unknown(client: Client, webhook: Webhook) -> None:
    delivery = launched(client)
    other = webhooks.register("default", WebhookRequest(url="https://ci.example.org/other"))[0]
    for answer in (client.get(path(other, delivery.pk)), client.get(path(webhook, "1"))):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_delivery")
    assert client.post(path(other, delivery.pk, "redeliver"), content_type="application/json").status_code == 404

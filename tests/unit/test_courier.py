"""From the outbox to the receiver, whatever dies or answers badly in between."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone

from container_manager import jobs, webhooks
from container_manager.bell import bell
from container_manager.dispatcher import courier, retention
from container_manager.dispatcher.courier import Courier, backoff, record
from container_manager.dispatcher.postman import Receipt
from container_manager.dispatcher.workers import loop
from container_manager.identifiers import uuid7
from container_manager.models import Webhook, WebhookDelivery
from container_manager.outbox import DeliveryState
from container_manager.spec import JobRequest
from container_manager.webhooks import Rotation, WebhookChange, WebhookRequest
from tests.receiver import Receiver, answering, receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    configure(settings, webhook_allowed_networks=(ip_network("127.0.0.0/8"),), webhook_timeout_seconds=2)
    monkeypatch.setattr(courier, "_FIRST_BACKOFF_SECONDS", 0.05)
    yield
    bell.close()


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def configure(settings: Any, **values: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update=values)


@contextmanager
def carrying() -> Iterator[Courier]:
    """A courier at work."""
    stop = threading.Event()
    carrier = Courier(stop)
    thread = loop("webhooks", stop, carrier.step)
    try:
        yield carrier
    finally:
        stop.set()
        carrier.close()
        thread.join()


def register(url: str) -> tuple[Webhook, str]:
    return webhooks.register("default", WebhookRequest(url=url))


def launch() -> None:
    jobs.launch("mock", JobRequest(command=["x"]), namespace="default", describe=lambda job: {})


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 15
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
    return found


def finished(webhook: Webhook) -> list[WebhookDelivery]:
    until(lambda: webhook.deliveries.exists() and not webhook.deliveries.filter(finished_at=None).exists())
    return list(webhook.deliveries.order_by("id"))


def test_a_change_is_delivered_at_once_and_can_be_verified(there: Receiver) -> None:
    webhook, secret = register(there.url)
    with carrying():
        time.sleep(0.1)
        began = time.monotonic()
        launch()
        until(lambda: there.received)
        assert time.monotonic() - began < 4  # it was woken: looking by itself takes 5 s
        (delivery,) = finished(webhook)
    assert there.received[0].verified(secret)["data"]["state"] == "queued"
    assert there.ids == [str(delivery.pk)]
    assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == ("delivered", 1, None)
    assert delivery.log[0]["status_code"] == 204


def test_what_was_not_received_is_sent_again_under_the_same_id(there: Receiver) -> None:
    there.respond = answering(500, 503, 200)
    webhook, _ = register(there.url)
    with carrying():
        launch()
        (delivery,) = finished(webhook)
    assert there.ids == [str(delivery.pk)] * 3
    assert len({one.body for one in there.received}) == 1
    assert [attempt["status_code"] for attempt in delivery.log] == [500, 503, 200]
    assert Webhook.objects.get().failing_since is None


def test_a_dead_webhook_does_not_delay_others(there: Receiver, settings: Any) -> None:
    configure(settings, webhook_timeout_seconds=60)
    let_go = threading.Event()
    with receiver(lambda handler: (let_go.wait(60), None)[1]) as dead:
        held = [register(dead.url)[0] for _ in range(3)]
        webhook, _ = register(there.url)
        with carrying():
            for _ in range(20):
                launch()
            finished(webhook)
            assert not WebhookDelivery.objects.filter(webhook__in=held, attempts__gt=0).exists()
            let_go.set()
    assert len(set(there.ids)) == 20


def test_a_webhook_that_fails_is_asked_once_at_a_time() -> None:
    at_once, most = 0, 0

    def slow(handler: Any) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.1)
        at_once -= 1
        answering(500)(handler)

    with receiver(slow) as dead:
        register(dead.url)
        Webhook.objects.update(failing_since=timezone.now())
        for _ in range(5):
            launch()
        with carrying():
            until(lambda: len(set(dead.ids)) == 5)
    assert most == 1


def test_two_dispatchers_send_each_delivery_once(there: Receiver) -> None:
    webhook, _ = register(there.url)
    with carrying(), carrying():
        for _ in range(30):
            launch()
        finished(webhook)
    assert len(there.ids) == len(set(there.ids)) == 30


def test_what_a_dead_dispatcher_had_taken_is_sent_by_another(there: Receiver) -> None:
    webhook, _ = register(there.url)
    launch()
    held = timezone.now() + timedelta(seconds=0.5)
    WebhookDelivery.objects.update(leased_until=held)
    with carrying():
        finished(webhook)
        assert timezone.now() > held
    assert len(there.ids) == 1


def test_what_another_has_taken_meanwhile_is_not_recorded(there: Receiver) -> None:
    register(there.url)
    launch()
    delivery = WebhookDelivery.objects.get()
    delivery.leased_until = timezone.now()
    WebhookDelivery.objects.update(leased_until=timezone.now() + timedelta(seconds=60))
    record(delivery, Receipt(timezone.now(), 0.1, 200, ""))
    assert WebhookDelivery.objects.get().state == DeliveryState.PENDING


def test_a_delivery_is_given_up_in_the_end(there: Receiver, settings: Any) -> None:
    configure(settings, webhook_retry_seconds=1)
    there.respond = answering(500)
    webhook, _ = register(there.url)
    with carrying():
        launch()
        (delivery,) = finished(webhook)
    assert (delivery.state, delivery.next_attempt_at) == ("failed", None)
    assert delivery.reason == f"given up after {delivery.attempts} attempts; the last: it answered 500"
    assert delivery.attempts > 1
    assert Webhook.objects.get().disabled_at is None


def test_a_webhook_that_has_failed_for_long_is_disabled_with_its_reason(there: Receiver, settings: Any) -> None:
    configure(settings, webhook_disable_seconds=1)
    there.respond = answering(500)
    webhook, _ = register(there.url)
    Webhook.objects.update(failing_since=datetime(2026, 1, 2, tzinfo=UTC))
    with carrying():
        launch()
        (delivery,) = finished(webhook)
    webhook.refresh_from_db()
    assert webhook.disabled_reason == "failing since 2026-01-02T00:00:00+00:00; the last: it answered 500"
    assert (delivery.state, delivery.reason) == ("failed", f"the webhook was disabled: {webhook.disabled_reason}")
    launch()
    assert webhook.deliveries.count() == 1


def test_a_webhook_that_says_that_it_is_gone_is_disabled_at_once(there: Receiver) -> None:
    there.respond = answering(410)
    webhook, _ = register(there.url)
    with carrying():
        launch()
        finished(webhook)
    webhook.refresh_from_db()
    assert webhook.disabled_reason == "it answered 410"


def test_a_disabled_webhook_is_told_again_once_it_is_enabled(there: Receiver) -> None:
    webhook, _ = register(there.url)
    webhooks.change(webhook, WebhookChange(enabled=False))
    launch()
    webhooks.change(webhook, WebhookChange(enabled=True))
    with carrying():
        launch()
        assert len(finished(webhook)) == 1


def test_both_secrets_sign_during_a_rotation_and_the_old_one_no_longer(there: Receiver) -> None:
    webhook, old = register(there.url)
    webhook, new = webhooks.rotate(webhook, Rotation(overlap_seconds=60))
    with carrying():
        launch()
        finished(webhook)
        Webhook.objects.update(old_secret_until=timezone.now())
        launch()
        until(lambda: len(there.received) == 2)
    during, after = there.received
    assert during.verified(old) == during.verified(new)
    assert len(after.headers["webhook-signature"].split()) == 1
    after.verified(new)


def test_a_delivered_one_can_be_sent_again(there: Receiver) -> None:
    webhook, _ = register(there.url)
    with carrying():
        launch()
        (delivery,) = finished(webhook)
        webhooks.redeliver(delivery)
        until(lambda: len(there.received) == 2)
        (delivery,) = finished(webhook)
    assert there.ids == [str(delivery.pk)] * 2
    assert delivery.attempts == 2


def test_a_key_that_does_not_open_the_secret_is_told(there: Receiver, settings: Any) -> None:
    webhook, _ = register(there.url)
    launch()
    settings.SECRET_KEY = "n" * 40
    with carrying():
        until(lambda: webhook.deliveries.get().attempts)
    assert "present keys" in webhook.deliveries.get().log[0]["error"]
    assert there.received == []


def test_waits_grow_up_to_a_cap_and_differ() -> None:
    courier._FIRST_BACKOFF_SECONDS = 5.0
    waits = [backoff(attempts) for attempts in range(1, 40)]
    assert 2.5 <= waits[0] <= 5
    assert 7.5 <= waits[1] <= 15
    assert all(10_800 <= wait <= 21_600 for wait in waits[10:])
    assert len({round(backoff(9), 3) for _ in range(5)}) > 1


def test_deliveries_are_forgotten_after_their_retention(there: Receiver, settings: Any) -> None:
    webhook, _ = register(there.url)
    long_ago = timezone.now() - timedelta(days=8)
    facts: dict[str, Any] = {"job_id": uuid7(), "event": "job.failed", "body": "{}", "give_up_at": long_ago}
    webhook.deliveries.create(**facts, finished_at=long_ago, state="delivered")
    kept = [webhook.deliveries.create(**facts), webhook.deliveries.create(**facts, finished_at=timezone.now())]
    assert retention.forget_deliveries() == 1
    assert set(webhook.deliveries.all()) == set(kept)

"""Tells webhooks what has happened: takes what is due, has it sent, and records how that went.

Any number of dispatchers share the work: each takes a delivery by a lease, and what a dispatcher that died had taken is
sent by another once the lease is over, under the same id. The sending is done by threads that touch no database.
"""

import logging
import queue
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from container_manager import outbox, vault
from container_manager.bell import WEBHOOKS_TOPIC, bell
from container_manager.dispatcher.postman import GONE, Parcel, Receipt, send
from container_manager.exceptions import SecretUnreadable
from container_manager.models import Webhook, WebhookDelivery
from container_manager.outbox import DeliveryState
from container_manager.spans import span

logger = logging.getLogger(__name__)

_MOST = 32  # attempts under way in this process
_MOST_FAILING = 16  # of these, to webhooks that fail: they must not keep the others waiting
_MOST_EACH = 4
_LOOK_SECONDS = 5.0
_LOOKUP_SECONDS = 30.0  # what a resolver may take, beside the attempt itself
_FIRST_BACKOFF_SECONDS = 5.0
_BACKOFF_FACTOR = 3
_LONGEST_BACKOFF_SECONDS = 21_600.0
_LOGGED = 20


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """An attempt that a thread makes: the delivery as it was taken."""

    delivery: WebhookDelivery
    failing: bool


class Courier:
    """The deliveries of one dispatcher."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._wake = threading.Event()
        self._under_way: dict[UUID, _UnderWay] = {}
        self._done: queue.SimpleQueue[tuple[_UnderWay, Receipt]] = queue.SimpleQueue()
        self._unsubscribe = bell.subscribe(WEBHOOKS_TOPIC, self._wake.set)

    def close(self) -> None:
        """Take no more. What is under way is not waited for: another sends it again if it must."""
        self._unsubscribe()
        self._wake.set()

    def step(self) -> None:
        """Record what has been sent, take what is due, and wait until there may be more of either."""
        self._wake.clear()
        self._record_done()
        for webhook in self._due_webhooks():
            self._take_from(webhook)
        self._wake.wait(self._pause())

    def _due_webhooks(self) -> list[Webhook]:
        """In no order, so that none is always the last."""
        if len(self._under_way) >= _MOST:
            return []
        due = _due(timezone.now()).filter(webhook=OuterRef("pk"))
        webhooks = list(Webhook.objects.filter(Exists(due), disabled_at=None))
        random.shuffle(webhooks)
        return webhooks

    def _take_from(self, webhook: Webhook) -> None:
        now = timezone.now()
        for delivery in _due(now).filter(webhook=webhook).order_by("next_attempt_at")[: self._room(webhook)]:
            if delivery.pk not in self._under_way and _lease(delivery, now):
                self._send(webhook, delivery)

    def _room(self, webhook: Webhook) -> int:
        """How many more attempts this webhook may have: one that fails is asked once at a time."""
        each = Counter(one.delivery.webhook_id for one in self._under_way.values())[webhook.pk]
        if webhook.failing_since is None:
            return max(min(_MOST - len(self._under_way), _MOST_EACH - each), 0)
        failing = sum(one.failing for one in self._under_way.values())
        return max(min(_MOST - len(self._under_way), _MOST_FAILING - failing, 1 - each), 0)

    def _send(self, webhook: Webhook, delivery: WebhookDelivery) -> None:
        under_way = _UnderWay(delivery, webhook.failing_since is not None)
        self._under_way[delivery.pk] = under_way
        try:
            parcel = Parcel(str(delivery.pk), webhook.url, delivery.body, list(_secrets(webhook, timezone.now())))
        except SecretUnreadable as error:
            self._finish(under_way, Receipt(timezone.now(), 0, None, str(error)))
            return
        name = f"webhook {webhook.pk}"
        threading.Thread(target=self._deliver, args=(under_way, parcel), name=name, daemon=True).start()

    def _deliver(self, under_way: _UnderWay, parcel: Parcel) -> None:
        try:
            receipt = send(parcel, settings.PURSER.webhook_timeout_seconds)
        except Exception:  # the edge of a thread: an attempt that nobody records would never be made again
            logger.exception("an attempt to tell a webhook broke")
            receipt = Receipt(timezone.now(), 0, None, "Purser could not make the request")
        self._finish(under_way, receipt)

    def _finish(self, under_way: _UnderWay, receipt: Receipt) -> None:
        self._done.put((under_way, receipt))
        self._wake.set()

    def _record_done(self) -> None:
        while not self._done.empty():
            under_way, receipt = self._done.get()
            try:
                with span("deliver"):
                    record(under_way.delivery, receipt)
            except DatabaseError:
                self._done.put((under_way, receipt))
                raise
            del self._under_way[under_way.delivery.pk]

    def _pause(self) -> float:
        """Until the next one is due; while as many as may be are under way, until one of them ends."""
        if self._stop.is_set():
            return 0
        if len(self._under_way) >= _MOST:
            return _LOOK_SECONDS
        now = timezone.now()
        coming = WebhookDelivery.objects.filter(state=DeliveryState.PENDING, next_attempt_at__gt=now)
        first = coming.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
        return _LOOK_SECONDS if first is None else min(max((first - now).total_seconds(), 0), _LOOK_SECONDS)


@transaction.atomic
def record(delivery: WebhookDelivery, receipt: Receipt) -> None:
    """Write down how an attempt went, unless its lease was over before and somebody else has it now."""
    attempts = delivery.attempts + 1
    columns: dict[str, Any] = {
        "attempts": attempts,
        "log": [*delivery.log, _logged(receipt)][-_LOGGED:],
        "leased_until": None,
        **_next(delivery, receipt, attempts),
    }
    rows = WebhookDelivery.objects.filter(pk=delivery.pk, leased_until=delivery.leased_until)
    if not rows.update(**columns):
        return
    if receipt.ok:
        Webhook.objects.filter(pk=delivery.webhook_id, failing_since__isnull=False).update(failing_since=None)
        return
    webhook_id = str(delivery.webhook_id)
    logger.info("webhook not told", extra={"webhook_id": webhook_id, "attempt": attempts, "error": receipt.error})
    Webhook.objects.filter(pk=delivery.webhook_id, failing_since=None).update(failing_since=receipt.at)
    _disable_if_dead(delivery.webhook_id, receipt)


def backoff(attempts: int) -> float:
    """Seconds until the next attempt: exponential, capped, with jitter so that attempts do not come together."""
    seconds = min(_FIRST_BACKOFF_SECONDS * _BACKOFF_FACTOR ** min(attempts - 1, 32), _LONGEST_BACKOFF_SECONDS)
    return random.uniform(seconds / 2, seconds)  # noqa: S311  (jitter, not a secret)


def _due(now: datetime) -> "QuerySet[WebhookDelivery]":
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    return WebhookDelivery.objects.filter(free, state=DeliveryState.PENDING, next_attempt_at__lte=now)


def _lease(delivery: WebhookDelivery, now: datetime) -> bool:
    """Whether it is this process that sends it now."""
    until = now + timedelta(seconds=settings.PURSER.webhook_timeout_seconds + _LOOKUP_SECONDS)
    taken = _due(now).filter(pk=delivery.pk).update(leased_until=until) == 1
    delivery.leased_until = until
    return taken


def _secrets(webhook: Webhook, now: datetime) -> Iterator[str]:
    yield vault.open_sealed(webhook.secret)
    if webhook.old_secret_until and now < webhook.old_secret_until:
        yield vault.open_sealed(webhook.old_secret)


def _next(delivery: WebhookDelivery, receipt: Receipt, attempts: int) -> dict[str, Any]:
    now = timezone.now()
    if receipt.ok:
        return {"state": DeliveryState.DELIVERED, "finished_at": now, "next_attempt_at": None}
    again = now + timedelta(seconds=backoff(attempts))
    if again < delivery.give_up_at:
        return {"next_attempt_at": again}
    reason = f"given up after {attempts} attempts; the last: {receipt.error}"
    return {"state": DeliveryState.FAILED, "reason": reason, "finished_at": now, "next_attempt_at": None}


def _disable_if_dead(webhook_id: UUID, receipt: Receipt) -> None:
    """Stop telling who says that it is gone, or has not been reached for long."""
    long_ago = timezone.now() - timedelta(seconds=settings.PURSER.webhook_disable_seconds)
    rows = Webhook.objects.filter(pk=webhook_id, disabled_at=None)
    if receipt.status_code != GONE:
        rows = rows.filter(failing_since__lt=long_ago)
    webhook = rows.first()
    if webhook is None:
        return
    since = webhook.failing_since.isoformat(timespec="seconds") if webhook.failing_since else ""
    reason = "it answered 410" if receipt.status_code == GONE else f"failing since {since}; the last: {receipt.error}"
    if rows.update(disabled_at=timezone.now(), disabled_reason=reason):
        logger.warning("webhook disabled", extra={"webhook_id": str(webhook_id), "reason": reason})
        outbox.stop(webhook_id, "the webhook was disabled: " + reason)


def _logged(receipt: Receipt) -> dict[str, Any]:
    return {
        "at": receipt.at.isoformat().replace("+00:00", "Z"),
        "seconds": receipt.seconds,
        "status_code": receipt.status_code,
        "error": receipt.error or None,
    }

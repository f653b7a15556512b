"""What webhooks are to be told: written in the transaction of the change itself, so that none is lost."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from container_manager.bell import WEBHOOKS_TOPIC, bell
from container_manager.models import Job, Webhook, WebhookDelivery

Row = TypeVar("Row", bound=models.Model)


class DeliveryState(StrEnum):
    """How a delivery is doing."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


def with_watchers(rows: "models.QuerySet[Row]") -> "models.QuerySet[Row]":
    """The same rows, each knowing whether its namespace has webhooks: asked with what is read anyway."""
    watchers = Webhook.objects.filter(namespace=OuterRef("namespace"), disabled_at=None)
    return cast("models.QuerySet[Row]", rows.annotate(watched=Exists(watchers)))


def is_watched(row: models.Model) -> bool:
    """What a row that `with_watchers` gave knows."""
    return bool(vars(row)["watched"])


def has_webhooks(namespace: str) -> bool:
    """Whether the namespace has a webhook that is not disabled."""
    return Webhook.objects.filter(namespace=namespace, disabled_at=None).exists()


def post(job: Job, detail: Mapping[str, Any]) -> None:
    """Have every webhook told that asks for this change of state, which has just been made in this transaction."""
    active = Webhook.objects.filter(namespace=job.namespace, disabled_at=None)
    if wanting := [webhook for webhook in active if _wants(webhook, job)]:
        now = timezone.now()
        WebhookDelivery.objects.bulk_create(_deliveries(wanting, job, detail, now))
        bell.ring(WEBHOOKS_TOPIC)


def stop(webhook_id: UUID, reason: str) -> None:
    """What waits to be sent to this webhook has failed."""
    waiting = WebhookDelivery.objects.filter(webhook=webhook_id, state=DeliveryState.PENDING)
    ended = {"finished_at": timezone.now(), "next_attempt_at": None, "leased_until": None}
    waiting.update(state=DeliveryState.FAILED, reason=reason, **ended)


def give_up_at(now: datetime) -> datetime:
    """Until when a delivery that is begun now is tried."""
    return now + timedelta(seconds=settings.PURSER.webhook_retry_seconds)


def _wants(webhook: Webhook, job: Job) -> bool:
    return (
        (not webhook.events or job.state in webhook.events)
        and (not webhook.executors or job.executor in webhook.executors)
        and webhook.labels.items() <= job.labels.items()
    )


def _deliveries(
    webhooks: Iterable[Webhook], job: Job, detail: Mapping[str, Any], now: datetime
) -> Iterable[WebhookDelivery]:
    event = f"job.{job.state}"
    body = json.dumps({"type": event, "timestamp": _time(now), "data": _data(job, detail)}, separators=(",", ":"))
    return (
        WebhookDelivery(
            webhook=webhook,
            job_id=job.pk,
            event=event,
            body=body,
            created_at=now,
            next_attempt_at=now,
            give_up_at=give_up_at(now),
        )
        for webhook in webhooks
    )


def _data(job: Job, detail: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(job.pk),
        "seq": job.version,
        "executor": job.executor,
        "namespace": job.namespace,
        "state": job.state,
        "reason": job.reason or None,
        "exit_code": job.exit_code,
        "attempt": job.attempt,
        "labels": job.labels,
        "detail": detail,
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

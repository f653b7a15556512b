"""What a namespace may do with its webhooks: register, change, rotate, remove, look at what was sent, send again."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from typing_extensions import TypeAliasType

from container_manager import audit, destinations, outbox, vault
from container_manager.bell import WEBHOOKS_TOPIC, bell
from container_manager.exceptions import (
    FieldError,
    InvalidBody,
    InvalidCursor,
    TooManyWebhooks,
    UnknownDelivery,
    UnknownWebhook,
    WebhookDisabled,
)
from container_manager.executors.registry import executors as registry
from container_manager.models import Webhook, WebhookDelivery
from container_manager.outbox import DeliveryState, give_up_at
from container_manager.states import JobState

MOST = 50
"""Webhooks of a namespace at most."""

SECRET_PREFIX = "whsec_"  # noqa: S105

Name = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[^\x00]+$")]
Label = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00]*$")]
LabelSelector = TypeAliasType(
    "LabelSelector",
    Annotated[
        dict[Name, Label],
        Field(max_length=64, description="Names and values that a job's labels must have.", examples=[{"team": "a"}]),
    ],
)


class WebhookFields(BaseModel):
    """What a webhook is told, and where."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    events: list[Annotated[JobState, Field(strict=False)]] = Field(
        default_factory=list, max_length=len(JobState), description="States whose beginning is told. Empty: all."
    )
    executors: list[Name] = Field(
        default_factory=list, max_length=64, description="Executors whose jobs are told of. Empty: all."
    )
    labels: LabelSelector = Field(default_factory=dict, description="Labels that a job must have to be told of.")


class WebhookRequest(WebhookFields):
    """A webhook to register."""

    url: str = Field(
        min_length=1,
        max_length=2048,
        description="Where to POST: http or https, without credentials. Addresses that are not public are refused.",
        examples=["https://ci.example.org/hooks/purser"],
    )

    @field_validator("url")
    @classmethod
    def _may_be_sent_to(cls, url: str) -> str:
        check_url(url)
        return url


class WebhookChange(WebhookFields):
    """What to change of a webhook; what is not named stays."""

    url: str | None = Field(default=None, min_length=1, max_length=2048, description="Where to POST from now on.")
    enabled: bool | None = Field(
        default=None, description="False stops it; true takes it up again, also after it was disabled for its failures."
    )

    @field_validator("url")
    @classmethod
    def _may_be_sent_to(cls, url: str | None) -> str | None:
        if url is not None:
            check_url(url)
        return url


class Rotation(BaseModel):
    """How to change to a new secret."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    overlap_seconds: float = Field(
        default=86_400,
        ge=0,
        le=2_592_000,
        allow_inf_nan=False,
        description="For so long (s) what is sent is signed with the old secret as well.",
    )


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, newest first, and where the next page begins."""

    deliveries: list[WebhookDelivery]
    next_cursor: str | None


def check_url(url: str) -> None:
    """Raises ValueError that says what is wrong with it, or DestinationRefused, which is one."""
    destinations.check_literal(destinations.parse(url), settings.PURSER.webhook_allowed_networks)


@transaction.atomic
def register(namespace: str, request: WebhookRequest, *, executors: Sequence[str] = ()) -> tuple[Webhook, str]:
    """Make a webhook; the secret that is returned with it cannot be had again.

    `executors` are those that the caller may use, none is all. Raises InvalidBody, or TooManyWebhooks.
    """
    wanted = _executors(request.executors, executors)
    if Webhook.objects.filter(namespace=namespace).count() >= MOST:
        raise TooManyWebhooks(f"namespace {namespace!r} has {MOST} webhooks, the most that it may have")
    secret = _new_secret()
    webhook = Webhook.objects.create(
        namespace=namespace,
        url=request.url,
        events=_states(request.events),
        executors=wanted,
        labels=request.labels,
        secret=vault.seal(secret),
    )
    audit.note("webhook", webhook.pk, namespace)
    return webhook, secret


@transaction.atomic
def change(webhook: Webhook, request: WebhookChange, *, executors: Sequence[str] = ()) -> Webhook:
    """Change what is named. Raises InvalidBody."""
    columns: dict[str, Any] = request.model_dump(mode="json", include=request.model_fields_set & {"events", "labels"})
    if request.url is not None:
        columns["url"] = request.url
    if "executors" in request.model_fields_set:
        columns["executors"] = _executors(request.executors, executors)
    if request.enabled is not None:
        columns |= _switched(request.enabled, webhook)
    if columns:
        Webhook.objects.filter(pk=webhook.pk).update(**columns)
    if request.enabled is False:
        outbox.stop(webhook.pk, "the webhook was disabled")
    audit.note("webhook", webhook.pk, webhook.namespace)
    return get(webhook.pk, namespace=webhook.namespace)


@transaction.atomic
def rotate(webhook: Webhook, request: Rotation) -> tuple[Webhook, str]:
    """Sign with a new secret, which is returned, and for a time with the old one too."""
    secret = _new_secret()
    until = timezone.now() + timedelta(seconds=request.overlap_seconds)
    Webhook.objects.filter(pk=webhook.pk).update(
        secret=vault.seal(secret), old_secret=webhook.secret, old_secret_until=until
    )
    audit.note("webhook", webhook.pk, webhook.namespace)
    return get(webhook.pk, namespace=webhook.namespace), secret


@transaction.atomic
def remove(webhook: Webhook) -> None:
    """Forget it, its secrets and its deliveries; again is no change."""
    audit.note("webhook", webhook.pk, webhook.namespace)
    webhook.delete()


def listed(namespace: str, *, executors: Sequence[str] = ()) -> list[Webhook]:
    """The namespace's webhooks, oldest first: those that a caller may see who may use these executors, none is all."""
    found = Webhook.objects.filter(namespace=namespace).order_by("id")
    return [webhook for webhook in found if _may_see(webhook, executors)]


def get(webhook_id: UUID, *, namespace: str, executors: Sequence[str] = ()) -> Webhook:
    """Raises UnknownWebhook, also for one of another namespace, or that tells of executors the caller may not use."""
    webhook = Webhook.objects.filter(pk=webhook_id, namespace=namespace).first()
    if webhook is None or not _may_see(webhook, executors):
        raise UnknownWebhook(f"there is no webhook {str(webhook_id)!r}")
    return webhook


def deliveries(
    webhook: Webhook, *, limit: int, cursor: str | None = None, states: Sequence[DeliveryState] = ()
) -> DeliveryPage:
    """What was or is to be sent to it, newest first. Raises InvalidCursor."""
    rows = webhook.deliveries.order_by("-id")
    if states:
        rows = rows.filter(state__in=states)
    if cursor:
        rows = rows.filter(pk__lt=_parse_cursor(cursor))
    found = list(rows[: limit + 1])
    return DeliveryPage(found[:limit], str(found[limit - 1].pk) if len(found) > limit else None)


def delivery(webhook: Webhook, delivery_id: UUID) -> WebhookDelivery:
    """Raises UnknownDelivery."""
    found = webhook.deliveries.filter(pk=delivery_id).first()
    if found is None:
        raise UnknownDelivery(f"there is no delivery {str(delivery_id)!r}")
    return found


@transaction.atomic
def redeliver(found: WebhookDelivery) -> WebhookDelivery:
    """Send it again, now, under the same id; one that waits is not waited for. Raises WebhookDisabled."""
    now = timezone.now()
    if found.webhook.disabled_at:
        raise WebhookDisabled("the webhook is disabled; enable it first")
    WebhookDelivery.objects.filter(pk=found.pk).update(
        state=DeliveryState.PENDING, reason="", next_attempt_at=now, give_up_at=give_up_at(now), finished_at=None
    )
    audit.note("delivery", found.pk, found.webhook.namespace)
    bell.ring(WEBHOOKS_TOPIC)
    return WebhookDelivery.objects.get(pk=found.pk)


def _switched(enabled: bool, webhook: Webhook) -> dict[str, Any]:
    if enabled:
        return {"disabled_at": None, "disabled_reason": "", "failing_since": None}
    return {
        "disabled_at": webhook.disabled_at or timezone.now(),
        "disabled_reason": webhook.disabled_reason or "it was switched off",
    }


def _executors(wanted: Sequence[str], usable: Sequence[str]) -> list[str]:
    """Sorted, and never more than the caller may use."""
    errors = [
        FieldError(f"/executors/{index}", "not_allowed", f"{name!r} is not an executor that you may use")
        for index, name in enumerate(wanted)
        if name not in registry or (usable and name not in usable)
    ]
    if errors:
        raise InvalidBody(errors)
    return sorted(set(wanted or usable))


def _may_see(webhook: Webhook, usable: Sequence[str]) -> bool:
    return not usable or (bool(webhook.executors) and set(webhook.executors) <= set(usable))


def _states(events: Sequence[JobState]) -> list[str]:
    return [state.value for state in JobState if state in events]


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _parse_cursor(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise InvalidCursor(f"cursor {cursor!r} was not given out by this list") from None

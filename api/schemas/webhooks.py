"""Answers about webhooks."""

from typing import Any
from uuid import UUID

from pydantic import Field

from api.schemas.base import Answer, Time
from container_manager.outbox import DeliveryState
from container_manager.states import JobState
from container_manager.webhooks import LabelSelector


class Webhook(Answer):
    """Where the namespace is told of its jobs' changes of state, and of which."""

    id: UUID = Field(description="The webhook's id.")
    url: str = Field(description="Where to.", examples=["https://ci.example.org/hooks/purser"])
    events: list[JobState] = Field(description="States whose beginning is told. Empty: all.")
    executors: list[str] = Field(description="Executors whose jobs are told of. Empty: all.", examples=[["docker"]])
    labels: LabelSelector = Field(description="Labels that a job must have to be told of.", examples=[{"team": "a"}])
    enabled: bool = Field(description="Whether it is told.", examples=[True])
    disabled_reason: str | None = Field(description="Why it is not; null while it is.", examples=[None])
    created_at: Time = Field(description="When it was registered.")
    failing_since: Time | None = Field(
        description="Since when nothing could be delivered; null when the last could.", examples=[None]
    )
    disabled_at: Time | None = Field(description="Since when it is not told; null while it is.", examples=[None])
    old_secret_until: Time | None = Field(
        description="Until when the secret before the last rotation signs as well.", examples=[None]
    )


class WebhookWithSecret(Webhook):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(
        description="What signs what is sent, in the form that Standard Webhooks libraries take.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="],
    )


class WebhookPage(Answer):
    """The namespace's webhooks, oldest first."""

    results: list[Webhook] = Field(description="All of them.")


class DeliveryAttempt(Answer):
    """One attempt to deliver."""

    at: Time = Field(description="When it was made.")
    seconds: float = Field(ge=0, description="How long it took, in seconds.", examples=[0.041])
    status_code: int | None = Field(
        ge=100, le=599, description="The HTTP status that came back; null when none did.", examples=[200]
    )
    error: str | None = Field(description="Why it did not succeed; null when it did.", examples=[None])


class Delivery(Answer):
    """One change of a job, and how telling the webhook of it went."""

    id: UUID = Field(description="The delivery's id: `webhook-id` of each attempt, by which a receiver tells repeats.")
    job: UUID = Field(description="The job that changed.")
    event: str = Field(description="`job.` and the state that began.", examples=["job.succeeded"])
    state: DeliveryState = Field(description="How it is doing.", examples=["delivered"])
    reason: str | None = Field(description="Why it failed; null otherwise.", examples=[None])
    created_at: Time = Field(description="When the job changed.")
    finished_at: Time | None = Field(description="When it was delivered, or given up.")
    next_attempt_at: Time | None = Field(description="When it is tried next; null at its end.", examples=[None])
    attempt_count: int = Field(ge=0, description="How often it was tried.", examples=[1])
    attempts: list[DeliveryAttempt] = Field(description="The last 20 attempts, in order.")
    payload: dict[str, Any] = Field(
        description="The body that is sent.",
        examples=[{"type": "job.succeeded", "timestamp": "2026-11-22T17:02:11.482913Z", "data": {}}],
    )


class DeliveryPage(Answer):
    """Some deliveries, newest first."""

    results: list[Delivery] = Field(description="The deliveries of this page.")
    next_cursor: str | None = Field(
        description="Give it as `cursor` for the next page; null on the last.", examples=[None]
    )

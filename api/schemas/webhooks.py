"""Answers about webhooks."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.schemas.base import Answer, Time
from container_manager.outbox import DeliveryState
from container_manager.spec import Labels
from container_manager.states import JobState, Reason
from container_manager.webhooks import LabelSelector

MessageType = TypeAliasType(
    "MessageType",
    Annotated[
        Literal["job.queued", "job.launching", "job.running", "job.succeeded", "job.failed", "job.cancelled"],
        Field(description="`job.` and the state that began.", examples=["job.succeeded"]),
    ],
)


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


class JobChange(Answer):
    """One change of a job, as webhooks are told of it: how it was right after. Its request is not in it."""

    id: UUID = Field(description="The job's id.")
    seq: int = Field(ge=1, description="Counts the job's events: a later change has a higher one.", examples=[4])
    executor: str = Field(description="The executor it runs on.", examples=["docker"])
    namespace: str = Field(description="The tenant it belongs to.", examples=["default"])
    state: JobState = Field(description="The state that began.", examples=["succeeded"])
    reason: Reason | None = Field(description="Why it ended; null until then.", examples=["completed"])
    exit_code: int | None = Field(
        ge=0, le=255, description="The command's exit code, where there was one.", examples=[0]
    )
    attempt: int = Field(ge=0, description="Number of the present launch; 0 before the first.", examples=[1])
    labels: Labels = Field(description="The labels it was launched with.", examples=[{"team": "a"}])
    detail: dict[str, Any] = Field(description="What is known about it besides.", examples=[{"exit_code": 0}])
    created_at: Time = Field(description="When the launch request was accepted.")
    started_at: Time | None = Field(description="When the present attempt started.")
    finished_at: Time | None = Field(description="When the job ended.")


class WebhookMessage(Answer):
    """What a webhook is sent: the body of a POST, signed as Standard Webhooks has it."""

    type: MessageType = Field(description="What happened.")
    timestamp: Time = Field(description="When it happened.")
    data: JobChange = Field(description="The job.")


class Delivery(Answer):
    """One change of a job, and how telling the webhook of it went."""

    id: UUID = Field(description="The delivery's id: `webhook-id` of each attempt, by which a receiver tells repeats.")
    job: UUID = Field(description="The job that changed.")
    event: MessageType = Field(description="What happened to it.")
    state: DeliveryState = Field(description="How it is doing.", examples=["delivered"])
    reason: str | None = Field(description="Why it failed; null otherwise.", examples=[None])
    created_at: Time = Field(description="When the job changed.")
    finished_at: Time | None = Field(description="When it was delivered, or given up.")
    next_attempt_at: Time | None = Field(description="When it is tried next; null at its end.", examples=[None])
    attempt_count: int = Field(ge=0, description="How often it was tried.", examples=[1])
    attempts: list[DeliveryAttempt] = Field(description="The last 20 attempts, in order.")
    payload: WebhookMessage = Field(description="The body that is sent.")


class DeliveryPage(Answer):
    """Some deliveries, newest first."""

    results: list[Delivery] = Field(description="The deliveries of this page.")
    next_cursor: str | None = Field(
        description="Give it as `cursor` for the next page; null on the last.", examples=[None]
    )

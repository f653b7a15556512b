from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define

from ..models.delivery_state import DeliveryState
from ..models.message_type import MessageType

if TYPE_CHECKING:
    from ..models.delivery_attempt import DeliveryAttempt
    from ..models.webhook_message import WebhookMessage


T = TypeVar("T", bound="Delivery")


@_attrs_define
class Delivery:
    """One change of a job, and how telling the webhook of it went.

    Attributes:
        id (UUID): The delivery's id: `webhook-id` of each attempt, by which a receiver tells repeats.
        job (UUID): The job that changed.
        event (MessageType): `job.` and the state that began.
        state (DeliveryState): How a delivery is doing.
        reason (None | str): Why it failed; null otherwise.
        created_at (datetime.datetime): When the job changed.
        finished_at (datetime.datetime | None): When it was delivered, or given up.
        next_attempt_at (datetime.datetime | None): When it is tried next; null at its end.
        attempt_count (int): How often it was tried.
        attempts (list[DeliveryAttempt]): The last 20 attempts, in order.
        payload (WebhookMessage): What a webhook is sent: the body of a POST, signed as Standard Webhooks has it.
    """

    id: UUID
    job: UUID
    event: MessageType
    state: DeliveryState
    reason: None | str
    created_at: datetime.datetime
    finished_at: datetime.datetime | None
    next_attempt_at: datetime.datetime | None
    attempt_count: int
    attempts: list[DeliveryAttempt]
    payload: WebhookMessage

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        job = str(self.job)

        event = self.event.value

        state = self.state.value

        reason: None | str
        reason = self.reason

        created_at = self.created_at.isoformat()

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        next_attempt_at: None | str
        if isinstance(self.next_attempt_at, datetime.datetime):
            next_attempt_at = self.next_attempt_at.isoformat()
        else:
            next_attempt_at = self.next_attempt_at

        attempt_count = self.attempt_count

        attempts = []
        for attempts_item_data in self.attempts:
            attempts_item = attempts_item_data.to_dict()
            attempts.append(attempts_item)

        payload = self.payload.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "job": job,
                "event": event,
                "state": state,
                "reason": reason,
                "created_at": created_at,
                "finished_at": finished_at,
                "next_attempt_at": next_attempt_at,
                "attempt_count": attempt_count,
                "attempts": attempts,
                "payload": payload,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.delivery_attempt import DeliveryAttempt  # noqa: PLC0415
        from ..models.webhook_message import WebhookMessage  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        job = UUID(d.pop("job"))

        event = MessageType(d.pop("event"))

        state = DeliveryState(d.pop("state"))

        def _parse_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reason = _parse_reason(d.pop("reason"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finished_at"))

        def _parse_next_attempt_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_attempt_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_attempt_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        next_attempt_at = _parse_next_attempt_at(d.pop("next_attempt_at"))

        attempt_count = d.pop("attempt_count")

        attempts = []
        _attempts = d.pop("attempts")
        for attempts_item_data in _attempts:
            attempts_item = DeliveryAttempt.from_dict(attempts_item_data)

            attempts.append(attempts_item)

        payload = WebhookMessage.from_dict(d.pop("payload"))

        delivery = cls(
            id=id,
            job=job,
            event=event,
            state=state,
            reason=reason,
            created_at=created_at,
            finished_at=finished_at,
            next_attempt_at=next_attempt_at,
            attempt_count=attempt_count,
            attempts=attempts,
            payload=payload,
        )

        return delivery

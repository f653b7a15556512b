from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..models.message_type import MessageType

if TYPE_CHECKING:
    from ..models.job_change import JobChange


T = TypeVar("T", bound="WebhookMessage")


@_attrs_define
class WebhookMessage:
    """What a webhook is sent: the body of a POST, signed as Standard Webhooks has it.

    Attributes:
        type_ (MessageType): `job.` and the state that began.
        timestamp (datetime.datetime): When it happened.
        data (JobChange): One change of a job, as webhooks are told of it: how it was right after. Its request is not in
            it.
    """

    type_: MessageType
    timestamp: datetime.datetime
    data: JobChange

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_.value

        timestamp = self.timestamp.isoformat()

        data = self.data.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "type": type_,
                "timestamp": timestamp,
                "data": data,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.job_change import JobChange  # noqa: PLC0415

        d = dict(src_dict)
        type_ = MessageType(d.pop("type"))

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        data = JobChange.from_dict(d.pop("data"))

        webhook_message = cls(
            type_=type_,
            timestamp=timestamp,
            data=data,
        )

        return webhook_message

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.event_type import EventType
from ..models.job_state import JobState
from ..models.reason import Reason

if TYPE_CHECKING:
    from ..models.event_detail import EventDetail


T = TypeVar("T", bound="Event")


@_attrs_define
class Event:
    """One thing that happened to a job.

    Attributes:
        seq (int): Counts the job's events without a gap.
        at (datetime.datetime): When it happened.
        type_ (EventType): What happened: `state` is a change of state; the others change none.
        state (JobState): Where a job is in its life; `succeeded`, `failed` and `cancelled` are its ends.
        reason (None | Reason): Why the job ended; null before its end.
        detail (EventDetail): What is known about it besides.
    """

    seq: int
    at: datetime.datetime
    type_: EventType
    state: JobState
    reason: None | Reason
    detail: EventDetail

    def to_dict(self) -> dict[str, Any]:
        seq = self.seq

        at = self.at.isoformat()

        type_ = self.type_.value

        state = self.state.value

        reason: None | str
        if isinstance(self.reason, Reason):
            reason = self.reason.value
        else:
            reason = self.reason

        detail = self.detail.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "seq": seq,
                "at": at,
                "type": type_,
                "state": state,
                "reason": reason,
                "detail": detail,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.event_detail import EventDetail  # noqa: PLC0415

        d = dict(src_dict)
        seq = d.pop("seq")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        type_ = EventType(d.pop("type"))

        state = JobState(d.pop("state"))

        def _parse_reason(data: object) -> None | Reason:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = Reason(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Reason, data)

        reason = _parse_reason(d.pop("reason"))

        detail = EventDetail.from_dict(d.pop("detail"))

        event = cls(
            seq=seq,
            at=at,
            type_=type_,
            state=state,
            reason=reason,
            detail=detail,
        )

        return event

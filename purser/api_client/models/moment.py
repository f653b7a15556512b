from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.phase import Phase
from ..models.reason import Reason

T = TypeVar("T", bound="Moment")


@_attrs_define
class Moment:
    """One phase of one attempt.

    Attributes:
        phase (Phase): A part of an attempt, or a moment in it.
        at (datetime.datetime): When it began.
        attempt (int): Which launch of the job it was part of, or before.
        seconds (float | None): How long it took, in seconds; null while it goes on, or if it is a moment.
        reason (None | Reason): With `ended`: why.
    """

    phase: Phase
    at: datetime.datetime
    attempt: int
    seconds: float | None
    reason: None | Reason

    def to_dict(self) -> dict[str, Any]:
        phase = self.phase.value

        at = self.at.isoformat()

        attempt = self.attempt

        seconds: float | None
        seconds = self.seconds

        reason: None | str
        if isinstance(self.reason, Reason):
            reason = self.reason.value
        else:
            reason = self.reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phase": phase,
                "at": at,
                "attempt": attempt,
                "seconds": seconds,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phase = Phase(d.pop("phase"))

        at = datetime.datetime.fromisoformat(d.pop("at"))

        attempt = d.pop("attempt")

        def _parse_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        seconds = _parse_seconds(d.pop("seconds"))

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

        moment = cls(
            phase=phase,
            at=at,
            attempt=attempt,
            seconds=seconds,
            reason=reason,
        )

        return moment

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.reason import Reason

T = TypeVar("T", bound="BackoffEvidence")


@_attrs_define
class BackoffEvidence:
    """The attempt that failed, and when the next one may begin.

    Attributes:
        not_before (datetime.datetime): When the next attempt may begin at the earliest.
        attempt (int): The attempt that failed.
        reason (Reason): Why a job ended: one closed list, the same on every engine.
        attempts_left (int): How many more there may be.
    """

    not_before: datetime.datetime
    attempt: int
    reason: Reason
    attempts_left: int

    def to_dict(self) -> dict[str, Any]:
        not_before = self.not_before.isoformat()

        attempt = self.attempt

        reason = self.reason.value

        attempts_left = self.attempts_left

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "not_before": not_before,
                "attempt": attempt,
                "reason": reason,
                "attempts_left": attempts_left,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        not_before = datetime.datetime.fromisoformat(d.pop("not_before"))

        attempt = d.pop("attempt")

        reason = Reason(d.pop("reason"))

        attempts_left = d.pop("attempts_left")

        backoff_evidence = cls(
            not_before=not_before,
            attempt=attempt,
            reason=reason,
            attempts_left=attempts_left,
        )

        return backoff_evidence

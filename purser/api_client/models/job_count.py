from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.job_state import JobState
from ..models.reason import Reason

T = TypeVar("T", bound="JobCount")


@_attrs_define
class JobCount:
    """How many times jobs have entered a state, ever: a counter, not how many are in it.

    Attributes:
        state (JobState): Where a job is in its life; `succeeded`, `failed` and `cancelled` are its ends.
        reason (None | Reason): Why they ended; null for a state that is no end.
        count (int): How many times.
    """

    state: JobState
    reason: None | Reason
    count: int

    def to_dict(self) -> dict[str, Any]:
        state = self.state.value

        reason: None | str
        if isinstance(self.reason, Reason):
            reason = self.reason.value
        else:
            reason = self.reason

        count = self.count

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "state": state,
                "reason": reason,
                "count": count,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
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

        count = d.pop("count")

        job_count = cls(
            state=state,
            reason=reason,
            count=count,
        )

        return job_count

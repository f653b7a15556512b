from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="JobCount")


@_attrs_define
class JobCount:
    """How many times jobs have entered a state, ever: a counter, not how many are in it.

    Attributes:
        state (str): The state.
        reason (None | str): Why they ended; null for a state that is no end.
        count (int): How many.
    """

    state: str
    reason: None | str
    count: int

    def to_dict(self) -> dict[str, Any]:
        state = self.state

        reason: None | str
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
        state = d.pop("state")

        def _parse_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reason = _parse_reason(d.pop("reason"))

        count = d.pop("count")

        job_count = cls(
            state=state,
            reason=reason,
            count=count,
        )

        return job_count

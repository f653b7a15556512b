from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.breaker_state import BreakerState

T = TypeVar("T", bound="BreakerEvidence")


@_attrs_define
class BreakerEvidence:
    """The circuit breaker that holds launches back.

    Attributes:
        state (BreakerState): `closed`: launches go through. `open`: they pause. `half-open`: one is let through to try.
        failures (int): How many launches failed in a row.
        causes (list[str]): What they failed with, a word each.
        until (datetime.datetime | None): When the next launch is let through to try.
    """

    state: BreakerState
    failures: int
    causes: list[str]
    until: datetime.datetime | None

    def to_dict(self) -> dict[str, Any]:
        state = self.state.value

        failures = self.failures

        causes = self.causes

        until: None | str
        if isinstance(self.until, datetime.datetime):
            until = self.until.isoformat()
        else:
            until = self.until

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "state": state,
                "failures": failures,
                "causes": causes,
                "until": until,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        state = BreakerState(d.pop("state"))

        failures = d.pop("failures")

        causes = cast(list[str], d.pop("causes"))

        def _parse_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                until_type_0 = datetime.datetime.fromisoformat(data)

                return until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        until = _parse_until(d.pop("until"))

        breaker_evidence = cls(
            state=state,
            failures=failures,
            causes=causes,
            until=until,
        )

        return breaker_evidence

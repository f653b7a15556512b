from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.breaker_state import BreakerState

T = TypeVar("T", bound="Health")


@_attrs_define
class Health:
    """What dispatchers last saw of an executor's engine.

    Attributes:
        healthy (bool): Whether jobs can be launched on it.
        detail (str): Why not; may be empty when it is healthy.
        breaker (BreakerState): `closed`: launches go through. `open`: they pause. `half-open`: one is let through to
            try.
        latency_seconds (float | None): How long the engine took to answer, in seconds.
        checked_at (datetime.datetime | None): When it was last looked at.
        dispatchers (int): How many dispatchers have looked lately.
    """

    healthy: bool
    detail: str
    breaker: BreakerState
    latency_seconds: float | None
    checked_at: datetime.datetime | None
    dispatchers: int

    def to_dict(self) -> dict[str, Any]:
        healthy = self.healthy

        detail = self.detail

        breaker = self.breaker.value

        latency_seconds: float | None
        latency_seconds = self.latency_seconds

        checked_at: None | str
        if isinstance(self.checked_at, datetime.datetime):
            checked_at = self.checked_at.isoformat()
        else:
            checked_at = self.checked_at

        dispatchers = self.dispatchers

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "healthy": healthy,
                "detail": detail,
                "breaker": breaker,
                "latency_seconds": latency_seconds,
                "checked_at": checked_at,
                "dispatchers": dispatchers,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        healthy = d.pop("healthy")

        detail = d.pop("detail")

        breaker = BreakerState(d.pop("breaker"))

        def _parse_latency_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        latency_seconds = _parse_latency_seconds(d.pop("latency_seconds"))

        def _parse_checked_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                checked_at_type_0 = datetime.datetime.fromisoformat(data)

                return checked_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        checked_at = _parse_checked_at(d.pop("checked_at"))

        dispatchers = d.pop("dispatchers")

        health = cls(
            healthy=healthy,
            detail=detail,
            breaker=breaker,
            latency_seconds=latency_seconds,
            checked_at=checked_at,
            dispatchers=dispatchers,
        )

        return health

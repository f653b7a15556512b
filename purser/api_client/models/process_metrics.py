from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.counters import Counters
    from ..models.launch_times import LaunchTimes


T = TypeVar("T", bound="ProcessMetrics")


@_attrs_define
class ProcessMetrics:
    """What one dispatcher process has observed of the executor since it started.

    Attributes:
        dispatcher (UUID): The dispatcher's id.
        checked_at (datetime.datetime): When it was published.
        metrics (Counters): `jobs_launched`, `errors`, `uptime` in seconds, and `calls` by method.
        performance (LaunchTimes): Times of launches in seconds: `operation_times`, `average_time`, `total_time`, `p50`,
            `p95`, `p99`; and in `stages` the last three of each stage of a job seen here: `accepted`, `woken`, `claimed`,
            `reserved`, `created`, `started`, `ended`, `noticed`, `recorded`.
    """

    dispatcher: UUID
    checked_at: datetime.datetime
    metrics: Counters
    performance: LaunchTimes

    def to_dict(self) -> dict[str, Any]:
        dispatcher = str(self.dispatcher)

        checked_at = self.checked_at.isoformat()

        metrics = self.metrics.to_dict()

        performance = self.performance.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "dispatcher": dispatcher,
                "checked_at": checked_at,
                "metrics": metrics,
                "performance": performance,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.counters import Counters  # noqa: PLC0415
        from ..models.launch_times import LaunchTimes  # noqa: PLC0415

        d = dict(src_dict)
        dispatcher = UUID(d.pop("dispatcher"))

        checked_at = datetime.datetime.fromisoformat(d.pop("checked_at"))

        metrics = Counters.from_dict(d.pop("metrics"))

        performance = LaunchTimes.from_dict(d.pop("performance"))

        process_metrics = cls(
            dispatcher=dispatcher,
            checked_at=checked_at,
            metrics=metrics,
            performance=performance,
        )

        return process_metrics

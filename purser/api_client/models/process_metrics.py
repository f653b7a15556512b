from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.process_metrics_metrics import ProcessMetricsMetrics
    from ..models.process_metrics_performance import ProcessMetricsPerformance


T = TypeVar("T", bound="ProcessMetrics")


@_attrs_define
class ProcessMetrics:
    """What one dispatcher process has observed of the executor since it started.

    Attributes:
        dispatcher (str): The dispatcher's id.
        checked_at (datetime.datetime): When it was published.
        metrics (ProcessMetricsMetrics): `jobs_launched`, `errors`, `uptime` (s) and `calls` by method.
        performance (ProcessMetricsPerformance): Times of launches in seconds: `average_time`, `total_time`, `p50`,
            `p95`, `p99`.
    """

    dispatcher: str
    checked_at: datetime.datetime
    metrics: ProcessMetricsMetrics
    performance: ProcessMetricsPerformance

    def to_dict(self) -> dict[str, Any]:
        dispatcher = self.dispatcher

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
        from ..models.process_metrics_metrics import ProcessMetricsMetrics  # noqa: PLC0415
        from ..models.process_metrics_performance import ProcessMetricsPerformance  # noqa: PLC0415

        d = dict(src_dict)
        dispatcher = d.pop("dispatcher")

        checked_at = datetime.datetime.fromisoformat(d.pop("checked_at"))

        metrics = ProcessMetricsMetrics.from_dict(d.pop("metrics"))

        performance = ProcessMetricsPerformance.from_dict(d.pop("performance"))

        process_metrics = cls(
            dispatcher=dispatcher,
            checked_at=checked_at,
            metrics=metrics,
            performance=performance,
        )

        return process_metrics

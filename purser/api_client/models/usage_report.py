from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.executor_usage import ExecutorUsage


T = TypeVar("T", bound="UsageReport")


@_attrs_define
class UsageReport:
    """What the token's namespace has used, by executor.

    Attributes:
        namespace (str): The token's namespace.
        from_ (datetime.datetime): Attempts that ended at this time or later.
        to (datetime.datetime): Attempts that ended before this time.
        results (list[ExecutorUsage]): Executors on which an attempt ended in this time, by name.
    """

    namespace: str
    from_: datetime.datetime
    to: datetime.datetime
    results: list[ExecutorUsage]

    def to_dict(self) -> dict[str, Any]:
        namespace = self.namespace

        from_ = self.from_.isoformat()

        to = self.to.isoformat()

        results = []
        for results_item_data in self.results:
            results_item = results_item_data.to_dict()
            results.append(results_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "namespace": namespace,
                "from": from_,
                "to": to,
                "results": results,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.executor_usage import ExecutorUsage  # noqa: PLC0415

        d = dict(src_dict)
        namespace = d.pop("namespace")

        from_ = datetime.datetime.fromisoformat(d.pop("from"))

        to = datetime.datetime.fromisoformat(d.pop("to"))

        results = []
        _results = d.pop("results")
        for results_item_data in _results:
            results_item = ExecutorUsage.from_dict(results_item_data)

            results.append(results_item)

        usage_report = cls(
            namespace=namespace,
            from_=from_,
            to=to,
            results=results,
        )

        return usage_report

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.job import Job


T = TypeVar("T", bound="JobPage")


@_attrs_define
class JobPage:
    """Some jobs, newest first; with `updated_since` by their last change, oldest first.

    Attributes:
        results (list[Job]): The jobs of this page.
        next_cursor (None | str): Give it as `cursor` for the next page; null on the last.
        watermark (datetime.datetime | None): With `updated_since`: on the last page, give it as the next
            `updated_since` to read on without loss. What has changed a moment ago may be behind it, and comes then. Else
            null.
    """

    results: list[Job]
    next_cursor: None | str
    watermark: datetime.datetime | None

    def to_dict(self) -> dict[str, Any]:
        results = []
        for results_item_data in self.results:
            results_item = results_item_data.to_dict()
            results.append(results_item)

        next_cursor: None | str
        next_cursor = self.next_cursor

        watermark: None | str
        if isinstance(self.watermark, datetime.datetime):
            watermark = self.watermark.isoformat()
        else:
            watermark = self.watermark

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "results": results,
                "next_cursor": next_cursor,
                "watermark": watermark,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.job import Job  # noqa: PLC0415

        d = dict(src_dict)
        results = []
        _results = d.pop("results")
        for results_item_data in _results:
            results_item = Job.from_dict(results_item_data)

            results.append(results_item)

        def _parse_next_cursor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_cursor = _parse_next_cursor(d.pop("next_cursor"))

        def _parse_watermark(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                watermark_type_0 = datetime.datetime.fromisoformat(data)

                return watermark_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        watermark = _parse_watermark(d.pop("watermark"))

        job_page = cls(
            results=results,
            next_cursor=next_cursor,
            watermark=watermark,
        )

        return job_page

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.dropped_bytes import DroppedBytes
    from ..models.log_line import LogLine


T = TypeVar("T", bound="LogPage")


@_attrs_define
class LogPage:
    """Some lines of what an attempt has written.

    Attributes:
        attempt (int): The attempt that wrote them; 0 when the job was never launched.
        lines (list[LogLine]): The lines, in order.
        next_cursor (str): Give it as `cursor` to go on from here.
        complete (bool): Whether nothing will follow.
        truncated (bool): Whether the log was larger than what is kept of it.
        dropped_bytes (DroppedBytes): Bytes that were not kept, by stream; a stream that lost none is left out.
    """

    attempt: int
    lines: list[LogLine]
    next_cursor: str
    complete: bool
    truncated: bool
    dropped_bytes: DroppedBytes

    def to_dict(self) -> dict[str, Any]:
        attempt = self.attempt

        lines = []
        for lines_item_data in self.lines:
            lines_item = lines_item_data.to_dict()
            lines.append(lines_item)

        next_cursor = self.next_cursor

        complete = self.complete

        truncated = self.truncated

        dropped_bytes = self.dropped_bytes.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "attempt": attempt,
                "lines": lines,
                "next_cursor": next_cursor,
                "complete": complete,
                "truncated": truncated,
                "dropped_bytes": dropped_bytes,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.dropped_bytes import DroppedBytes  # noqa: PLC0415
        from ..models.log_line import LogLine  # noqa: PLC0415

        d = dict(src_dict)
        attempt = d.pop("attempt")

        lines = []
        _lines = d.pop("lines")
        for lines_item_data in _lines:
            lines_item = LogLine.from_dict(lines_item_data)

            lines.append(lines_item)

        next_cursor = d.pop("next_cursor")

        complete = d.pop("complete")

        truncated = d.pop("truncated")

        dropped_bytes = DroppedBytes.from_dict(d.pop("dropped_bytes"))

        log_page = cls(
            attempt=attempt,
            lines=lines,
            next_cursor=next_cursor,
            complete=complete,
            truncated=truncated,
            dropped_bytes=dropped_bytes,
        )

        return log_page

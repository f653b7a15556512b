from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.log_stream import LogStream

T = TypeVar("T", bound="LogLine")


@_attrs_define
class LogLine:
    """One line of one stream: `text` if it is UTF-8, else `data_base64`; the other of the two is null.

    Attributes:
        seq (int): Counts the attempt's lines of both streams in the order they came.
        stream (LogStream): One of the two streams that a job writes.
        at (datetime.datetime): When the engine took it.
        text (None | str): The line without its newline.
        data_base64 (None | str): Bytes that are not UTF-8.
        partial (bool): Whether no newline ends it: what follows in its stream is the same line.
    """

    seq: int
    stream: LogStream
    at: datetime.datetime
    text: None | str
    data_base64: None | str
    partial: bool

    def to_dict(self) -> dict[str, Any]:
        seq = self.seq

        stream = self.stream.value

        at = self.at.isoformat()

        text: None | str
        text = self.text

        data_base64: None | str
        data_base64 = self.data_base64

        partial = self.partial

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "seq": seq,
                "stream": stream,
                "at": at,
                "text": text,
                "data_base64": data_base64,
                "partial": partial,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        seq = d.pop("seq")

        stream = LogStream(d.pop("stream"))

        at = datetime.datetime.fromisoformat(d.pop("at"))

        def _parse_text(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        text = _parse_text(d.pop("text"))

        def _parse_data_base64(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        data_base64 = _parse_data_base64(d.pop("data_base64"))

        partial = d.pop("partial")

        log_line = cls(
            seq=seq,
            stream=stream,
            at=at,
            text=text,
            data_base64=data_base64,
            partial=partial,
        )

        return log_line

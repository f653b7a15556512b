from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="DeliveryAttempt")


@_attrs_define
class DeliveryAttempt:
    """One attempt to deliver.

    Attributes:
        at (datetime.datetime): When it was made.
        seconds (float): How long it took, in seconds.
        status_code (int | None): The HTTP status that came back; null when none did.
        error (None | str): Why it did not succeed; null when it did.
    """

    at: datetime.datetime
    seconds: float
    status_code: int | None
    error: None | str

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        seconds = self.seconds

        status_code: int | None
        status_code = self.status_code

        error: None | str
        error = self.error

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "at": at,
                "seconds": seconds,
                "status_code": status_code,
                "error": error,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        seconds = d.pop("seconds")

        def _parse_status_code(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        status_code = _parse_status_code(d.pop("status_code"))

        def _parse_error(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error = _parse_error(d.pop("error"))

        delivery_attempt = cls(
            at=at,
            seconds=seconds,
            status_code=status_code,
            error=error,
        )

        return delivery_attempt

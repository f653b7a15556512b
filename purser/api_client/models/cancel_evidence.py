from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="CancelEvidence")


@_attrs_define
class CancelEvidence:
    """Who asked for the job's end.

    Attributes:
        at (datetime.datetime): When.
        by (None | str): Id and name of the token that asked; null if it is not known.
    """

    at: datetime.datetime
    by: None | str

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        by: None | str
        by = self.by

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "at": at,
                "by": by,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        def _parse_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        by = _parse_by(d.pop("by"))

        cancel_evidence = cls(
            at=at,
            by=by,
        )

        return cancel_evidence

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Check")


@_attrs_define
class Check:
    """One thing that must be so before requests are of use.

    Attributes:
        ready (bool): Whether it is so.
        detail (str): What is missing; empty when nothing is.
    """

    ready: bool
    detail: str

    def to_dict(self) -> dict[str, Any]:
        ready = self.ready

        detail = self.detail

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "ready": ready,
                "detail": detail,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        ready = d.pop("ready")

        detail = d.pop("detail")

        check = cls(
            ready=ready,
            detail=detail,
        )

        return check

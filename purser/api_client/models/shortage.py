from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Shortage")


@_attrs_define
class Shortage:
    """How much of something a job asks for, and how much of it is free.

    Attributes:
        asked (float): What the job asks for, in the unit of the field.
        free (float): What the executor or the quota has left now, in the same unit; below 0 where too much is held.
    """

    asked: float
    free: float

    def to_dict(self) -> dict[str, Any]:
        asked = self.asked

        free = self.free

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "asked": asked,
                "free": free,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        asked = d.pop("asked")

        free = d.pop("free")

        shortage = cls(
            asked=asked,
            free=free,
        )

        return shortage

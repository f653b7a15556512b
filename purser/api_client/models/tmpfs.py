from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="Tmpfs")


@_attrs_define
class Tmpfs:
    """An empty file system in memory, gone with the execution.

    Attributes:
        target (str): Where it is mounted.
        size_mib (int | Unset): Its size in MiB. Default: 64.
    """

    target: str
    size_mib: int | Unset = 64

    def to_dict(self) -> dict[str, Any]:
        target = self.target

        size_mib = self.size_mib

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "target": target,
            }
        )
        if size_mib is not UNSET:
            field_dict["size_mib"] = size_mib

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        target = d.pop("target")

        size_mib = d.pop("size_mib", UNSET)

        tmpfs = cls(
            target=target,
            size_mib=size_mib,
        )

        return tmpfs

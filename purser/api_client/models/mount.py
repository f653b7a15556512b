from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.mount_type import MountType
from ..types import UNSET, Unset

T = TypeVar("T", bound="Mount")


@_attrs_define
class Mount:
    """A directory of the host or a volume of the engine, under a root that the operator allows.

    Attributes:
        type_ (MountType): A host directory, or a named volume.
        source (str): The host directory or the volume's name.
        target (str): Where it is mounted.
        read_only (bool | Unset): Whether the job may only read it. Default: True.
    """

    type_: MountType
    source: str
    target: str
    read_only: bool | Unset = True

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_.value

        source = self.source

        target = self.target

        read_only = self.read_only

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "type": type_,
                "source": source,
                "target": target,
            }
        )
        if read_only is not UNSET:
            field_dict["read_only"] = read_only

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = MountType(d.pop("type"))

        source = d.pop("source")

        target = d.pop("target")

        read_only = d.pop("read_only", UNSET)

        mount = cls(
            type_=type_,
            source=source,
            target=target,
            read_only=read_only,
        )

        return mount

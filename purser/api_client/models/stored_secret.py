from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="StoredSecret")


@_attrs_define
class StoredSecret:
    """A value that the namespace keeps for its jobs; it is only ever given to them.

    Attributes:
        name (str): What a launch request names it by.
        created_at (datetime.datetime): When the name was first given a value.
        updated_at (datetime.datetime): When it was given the present one.
    """

    name: str
    created_at: datetime.datetime
    updated_at: datetime.datetime

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "created_at": created_at,
                "updated_at": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        stored_secret = cls(
            name=name,
            created_at=created_at,
            updated_at=updated_at,
        )

        return stored_secret

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Launches")


@_attrs_define
class Launches:
    """How many launches have taken each way, ever, in all namespaces together; 0 where there is one way only.

    Attributes:
        cold (int): How many with nothing made ahead.
        prepared_network (int): How many with a network namespace that was made ahead.
        warm (int): How many into a container that was started ahead.
    """

    cold: int
    prepared_network: int
    warm: int

    def to_dict(self) -> dict[str, Any]:
        cold = self.cold

        prepared_network = self.prepared_network

        warm = self.warm

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "cold": cold,
                "prepared_network": prepared_network,
                "warm": warm,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        cold = d.pop("cold")

        prepared_network = d.pop("prepared_network")

        warm = d.pop("warm")

        launches = cls(
            cold=cold,
            prepared_network=prepared_network,
            warm=warm,
        )

        return launches

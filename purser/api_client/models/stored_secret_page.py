from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.stored_secret import StoredSecret


T = TypeVar("T", bound="StoredSecretPage")


@_attrs_define
class StoredSecretPage:
    """The namespace's stored secrets, by name.

    Attributes:
        results (list[StoredSecret]): All of them.
    """

    results: list[StoredSecret]

    def to_dict(self) -> dict[str, Any]:
        results = []
        for results_item_data in self.results:
            results_item = results_item_data.to_dict()
            results.append(results_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "results": results,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.stored_secret import StoredSecret  # noqa: PLC0415

        d = dict(src_dict)
        results = []
        _results = d.pop("results")
        for results_item_data in _results:
            results_item = StoredSecret.from_dict(results_item_data)

            results.append(results_item)

        stored_secret_page = cls(
            results=results,
        )

        return stored_secret_page

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.missing_execution import MissingExecution
    from ..models.unowned_execution import UnownedExecution


T = TypeVar("T", bound="Drift")


@_attrs_define
class Drift:
    """How an engine differed from the books when they were last compared.

    Attributes:
        executor (str): The executor's name.
        checked_at (datetime.datetime | None): When that was; null if never, or if the engine cannot list.
        unowned (list[UnownedExecution]): What runs, or lies there, for nobody: the first 100.
        unowned_count (int): How many there were.
        missing (list[MissingExecution]): What should run and is gone: the first 100.
        missing_count (int): How many there were.
    """

    executor: str
    checked_at: datetime.datetime | None
    unowned: list[UnownedExecution]
    unowned_count: int
    missing: list[MissingExecution]
    missing_count: int

    def to_dict(self) -> dict[str, Any]:
        executor = self.executor

        checked_at: None | str
        if isinstance(self.checked_at, datetime.datetime):
            checked_at = self.checked_at.isoformat()
        else:
            checked_at = self.checked_at

        unowned = []
        for unowned_item_data in self.unowned:
            unowned_item = unowned_item_data.to_dict()
            unowned.append(unowned_item)

        unowned_count = self.unowned_count

        missing = []
        for missing_item_data in self.missing:
            missing_item = missing_item_data.to_dict()
            missing.append(missing_item)

        missing_count = self.missing_count

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "executor": executor,
                "checked_at": checked_at,
                "unowned": unowned,
                "unowned_count": unowned_count,
                "missing": missing,
                "missing_count": missing_count,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.missing_execution import MissingExecution  # noqa: PLC0415
        from ..models.unowned_execution import UnownedExecution  # noqa: PLC0415

        d = dict(src_dict)
        executor = d.pop("executor")

        def _parse_checked_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                checked_at_type_0 = datetime.datetime.fromisoformat(data)

                return checked_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        checked_at = _parse_checked_at(d.pop("checked_at"))

        unowned = []
        _unowned = d.pop("unowned")
        for unowned_item_data in _unowned:
            unowned_item = UnownedExecution.from_dict(unowned_item_data)

            unowned.append(unowned_item)

        unowned_count = d.pop("unowned_count")

        missing = []
        _missing = d.pop("missing")
        for missing_item_data in _missing:
            missing_item = MissingExecution.from_dict(missing_item_data)

            missing.append(missing_item)

        missing_count = d.pop("missing_count")

        drift = cls(
            executor=executor,
            checked_at=checked_at,
            unowned=unowned,
            unowned_count=unowned_count,
            missing=missing,
            missing_count=missing_count,
        )

        return drift

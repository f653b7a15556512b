from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="UnownedExecution")


@_attrs_define
class UnownedExecution:
    """An execution that no attempt of a job stands for.

    Attributes:
        execution_id (str): The engine's name for it.
        status (str): What the engine says of it.
        cause (str): `unknown_attempt` (there is no such attempt, or no longer) or `attempt_cleaned` (it came back).
    """

    execution_id: str
    status: str
    cause: str

    def to_dict(self) -> dict[str, Any]:
        execution_id = self.execution_id

        status = self.status

        cause = self.cause

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "execution_id": execution_id,
                "status": status,
                "cause": cause,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        execution_id = d.pop("execution_id")

        status = d.pop("status")

        cause = d.pop("cause")

        unowned_execution = cls(
            execution_id=execution_id,
            status=status,
            cause=cause,
        )

        return unowned_execution

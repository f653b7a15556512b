from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.drift_cause import DriftCause
from ..models.execution_status import ExecutionStatus

T = TypeVar("T", bound="UnownedExecution")


@_attrs_define
class UnownedExecution:
    """An execution that no attempt of a job stands for.

    Attributes:
        execution_id (str): The engine's name for it.
        status (ExecutionStatus): What an engine knows of an execution. No answer is `unknown`, never `failed`.
        cause (DriftCause): `unknown_attempt`: there is no such attempt, or no longer. `attempt_cleaned`: it came back
            after its cleanup.
    """

    execution_id: str
    status: ExecutionStatus
    cause: DriftCause

    def to_dict(self) -> dict[str, Any]:
        execution_id = self.execution_id

        status = self.status.value

        cause = self.cause.value

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

        status = ExecutionStatus(d.pop("status"))

        cause = DriftCause(d.pop("cause"))

        unowned_execution = cls(
            execution_id=execution_id,
            status=status,
            cause=cause,
        )

        return unowned_execution

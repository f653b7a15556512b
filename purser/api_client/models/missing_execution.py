from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

T = TypeVar("T", bound="MissingExecution")


@_attrs_define
class MissingExecution:
    """A running attempt whose execution the engine does not have.

    Attributes:
        execution_id (str): The engine's name for it.
        job_id (UUID): The job.
    """

    execution_id: str
    job_id: UUID

    def to_dict(self) -> dict[str, Any]:
        execution_id = self.execution_id

        job_id = str(self.job_id)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "execution_id": execution_id,
                "job_id": job_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        execution_id = d.pop("execution_id")

        job_id = UUID(d.pop("job_id"))

        missing_execution = cls(
            execution_id=execution_id,
            job_id=job_id,
        )

        return missing_execution

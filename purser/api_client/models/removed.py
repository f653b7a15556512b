from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Removed")


@_attrs_define
class Removed:
    """What was removed of itself, ever, in all namespaces together.

    Attributes:
        reaped (int): How many executions that nobody owned.
        logs_deleted (int): How many jobs whose logs were past their retention.
        jobs_deleted (int): How many jobs that were past their retention.
        idempotency_keys_deleted (int): How many idempotency keys that were past their retention, without those that
            went with their job.
    """

    reaped: int
    logs_deleted: int
    jobs_deleted: int
    idempotency_keys_deleted: int

    def to_dict(self) -> dict[str, Any]:
        reaped = self.reaped

        logs_deleted = self.logs_deleted

        jobs_deleted = self.jobs_deleted

        idempotency_keys_deleted = self.idempotency_keys_deleted

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "reaped": reaped,
                "logs_deleted": logs_deleted,
                "jobs_deleted": jobs_deleted,
                "idempotency_keys_deleted": idempotency_keys_deleted,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        reaped = d.pop("reaped")

        logs_deleted = d.pop("logs_deleted")

        jobs_deleted = d.pop("jobs_deleted")

        idempotency_keys_deleted = d.pop("idempotency_keys_deleted")

        removed = cls(
            reaped=reaped,
            logs_deleted=logs_deleted,
            jobs_deleted=jobs_deleted,
            idempotency_keys_deleted=idempotency_keys_deleted,
        )

        return removed

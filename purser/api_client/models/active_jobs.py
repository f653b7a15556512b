from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="ActiveJobs")


@_attrs_define
class ActiveJobs:
    """How many jobs there are now that have not ended.

    Attributes:
        queued (int): How many wait.
        launching (int): How many are being launched.
        running (int): How many run.
    """

    queued: int
    launching: int
    running: int

    def to_dict(self) -> dict[str, Any]:
        queued = self.queued

        launching = self.launching

        running = self.running

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "queued": queued,
                "launching": launching,
                "running": running,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        queued = d.pop("queued")

        launching = d.pop("launching")

        running = d.pop("running")

        active_jobs = cls(
            queued=queued,
            launching=launching,
            running=running,
        )

        return active_jobs

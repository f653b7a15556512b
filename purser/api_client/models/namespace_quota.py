from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="NamespaceQuota")


@_attrs_define
class NamespaceQuota:
    """What the namespace may hold on all executors together; null is unlimited.

    Attributes:
        max_jobs (int | None): How many jobs may run at once.
        max_memory_mib (int | None): Memory of all its jobs together, in MiB.
        max_cpu_cores (float | None): Cpu of all its jobs together, in cores.
        max_queued (int | None): How many jobs may wait.
    """

    max_jobs: int | None
    max_memory_mib: int | None
    max_cpu_cores: float | None
    max_queued: int | None

    def to_dict(self) -> dict[str, Any]:
        max_jobs: int | None
        max_jobs = self.max_jobs

        max_memory_mib: int | None
        max_memory_mib = self.max_memory_mib

        max_cpu_cores: float | None
        max_cpu_cores = self.max_cpu_cores

        max_queued: int | None
        max_queued = self.max_queued

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "max_jobs": max_jobs,
                "max_memory_mib": max_memory_mib,
                "max_cpu_cores": max_cpu_cores,
                "max_queued": max_queued,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_max_jobs(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_jobs = _parse_max_jobs(d.pop("max_jobs"))

        def _parse_max_memory_mib(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_memory_mib = _parse_max_memory_mib(d.pop("max_memory_mib"))

        def _parse_max_cpu_cores(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        max_cpu_cores = _parse_max_cpu_cores(d.pop("max_cpu_cores"))

        def _parse_max_queued(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_queued = _parse_max_queued(d.pop("max_queued"))

        namespace_quota = cls(
            max_jobs=max_jobs,
            max_memory_mib=max_memory_mib,
            max_cpu_cores=max_cpu_cores,
            max_queued=max_queued,
        )

        return namespace_quota

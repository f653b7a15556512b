from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="Limits")


@_attrs_define
class Limits:
    """What one job may ask for, and what all may hold together; null is unlimited.

    Attributes:
        max_memory_mib (float | None): Most memory of one job, in MiB.
        max_cpu_cores (float | None): Most cpu of one job, in cores.
        total_memory_mib (float | None): Memory of all jobs together, in MiB.
        total_cpu_cores (float | None): Cpu of all jobs together, in cores.
        max_jobs (int | None): How many jobs may run at once.
    """

    max_memory_mib: float | None
    max_cpu_cores: float | None
    total_memory_mib: float | None
    total_cpu_cores: float | None
    max_jobs: int | None

    def to_dict(self) -> dict[str, Any]:
        max_memory_mib: float | None
        max_memory_mib = self.max_memory_mib

        max_cpu_cores: float | None
        max_cpu_cores = self.max_cpu_cores

        total_memory_mib: float | None
        total_memory_mib = self.total_memory_mib

        total_cpu_cores: float | None
        total_cpu_cores = self.total_cpu_cores

        max_jobs: int | None
        max_jobs = self.max_jobs

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "max_memory_mib": max_memory_mib,
                "max_cpu_cores": max_cpu_cores,
                "total_memory_mib": total_memory_mib,
                "total_cpu_cores": total_cpu_cores,
                "max_jobs": max_jobs,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_max_memory_mib(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        max_memory_mib = _parse_max_memory_mib(d.pop("max_memory_mib"))

        def _parse_max_cpu_cores(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        max_cpu_cores = _parse_max_cpu_cores(d.pop("max_cpu_cores"))

        def _parse_total_memory_mib(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        total_memory_mib = _parse_total_memory_mib(d.pop("total_memory_mib"))

        def _parse_total_cpu_cores(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        total_cpu_cores = _parse_total_cpu_cores(d.pop("total_cpu_cores"))

        def _parse_max_jobs(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_jobs = _parse_max_jobs(d.pop("max_jobs"))

        limits = cls(
            max_memory_mib=max_memory_mib,
            max_cpu_cores=max_cpu_cores,
            total_memory_mib=total_memory_mib,
            total_cpu_cores=total_cpu_cores,
            max_jobs=max_jobs,
        )

        return limits

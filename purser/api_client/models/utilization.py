from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="Utilization")


@_attrs_define
class Utilization:
    """What jobs hold of an executor now, in all processes together.

    Attributes:
        memory_used_mib (float): Memory reserved, in MiB.
        memory_total_mib (float | None): Memory there is, in MiB; null is unlimited.
        memory_percent (float | None): The first of the second, in percent.
        cpu_used_cores (float): Cpu reserved, in cores.
        cpu_total_cores (float | None): Cpu there is, in cores; null is unlimited.
        cpu_percent (float | None): The first of the second, in percent.
        jobs_used (int): How many jobs hold a reservation.
        jobs_total (int | None): How many jobs may hold one at once; null is unlimited.
        jobs_percent (float | None): The first of the second, in percent.
    """

    memory_used_mib: float
    memory_total_mib: float | None
    memory_percent: float | None
    cpu_used_cores: float
    cpu_total_cores: float | None
    cpu_percent: float | None
    jobs_used: int
    jobs_total: int | None
    jobs_percent: float | None

    def to_dict(self) -> dict[str, Any]:
        memory_used_mib = self.memory_used_mib

        memory_total_mib: float | None
        memory_total_mib = self.memory_total_mib

        memory_percent: float | None
        memory_percent = self.memory_percent

        cpu_used_cores = self.cpu_used_cores

        cpu_total_cores: float | None
        cpu_total_cores = self.cpu_total_cores

        cpu_percent: float | None
        cpu_percent = self.cpu_percent

        jobs_used = self.jobs_used

        jobs_total: int | None
        jobs_total = self.jobs_total

        jobs_percent: float | None
        jobs_percent = self.jobs_percent

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "memory_used_mib": memory_used_mib,
                "memory_total_mib": memory_total_mib,
                "memory_percent": memory_percent,
                "cpu_used_cores": cpu_used_cores,
                "cpu_total_cores": cpu_total_cores,
                "cpu_percent": cpu_percent,
                "jobs_used": jobs_used,
                "jobs_total": jobs_total,
                "jobs_percent": jobs_percent,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        memory_used_mib = d.pop("memory_used_mib")

        def _parse_memory_total_mib(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        memory_total_mib = _parse_memory_total_mib(d.pop("memory_total_mib"))

        def _parse_memory_percent(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        memory_percent = _parse_memory_percent(d.pop("memory_percent"))

        cpu_used_cores = d.pop("cpu_used_cores")

        def _parse_cpu_total_cores(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cpu_total_cores = _parse_cpu_total_cores(d.pop("cpu_total_cores"))

        def _parse_cpu_percent(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cpu_percent = _parse_cpu_percent(d.pop("cpu_percent"))

        jobs_used = d.pop("jobs_used")

        def _parse_jobs_total(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        jobs_total = _parse_jobs_total(d.pop("jobs_total"))

        def _parse_jobs_percent(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        jobs_percent = _parse_jobs_percent(d.pop("jobs_percent"))

        utilization = cls(
            memory_used_mib=memory_used_mib,
            memory_total_mib=memory_total_mib,
            memory_percent=memory_percent,
            cpu_used_cores=cpu_used_cores,
            cpu_total_cores=cpu_total_cores,
            cpu_percent=cpu_percent,
            jobs_used=jobs_used,
            jobs_total=jobs_total,
            jobs_percent=jobs_percent,
        )

        return utilization

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.waiting_code import WaitingCode

if TYPE_CHECKING:
    from ..models.shortage import Shortage


T = TypeVar("T", bound="Waiting")


@_attrs_define
class Waiting:
    """Why a queued job has not been launched yet.

    Attributes:
        code (WaitingCode): `capacity`: the executor has no room. `quota`: the namespace has none. `queue`: others are
            first. `backoff`: a retry waits for its time. `breaker`: too many launches failed. `executor`: it is not
            healthy, or not looked after.
        detail (str): The same as a sentence.
        position (int): Its place in the executor's queue, fair shares between namespaces counted; 1 is next.
        memory_mib (None | Shortage): Memory that it waits for, in MiB; null if that is not why.
        cpu_cores (None | Shortage): Cpu that it waits for, in cores; null if that is not why.
        jobs (None | Shortage): A slot that it waits for, in jobs; null if that is not why.
    """

    code: WaitingCode
    detail: str
    position: int
    memory_mib: None | Shortage
    cpu_cores: None | Shortage
    jobs: None | Shortage

    def to_dict(self) -> dict[str, Any]:
        from ..models.shortage import Shortage  # noqa: PLC0415

        code = self.code.value

        detail = self.detail

        position = self.position

        memory_mib: dict[str, Any] | None
        if isinstance(self.memory_mib, Shortage):
            memory_mib = self.memory_mib.to_dict()
        else:
            memory_mib = self.memory_mib

        cpu_cores: dict[str, Any] | None
        if isinstance(self.cpu_cores, Shortage):
            cpu_cores = self.cpu_cores.to_dict()
        else:
            cpu_cores = self.cpu_cores

        jobs: dict[str, Any] | None
        if isinstance(self.jobs, Shortage):
            jobs = self.jobs.to_dict()
        else:
            jobs = self.jobs

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "code": code,
                "detail": detail,
                "position": position,
                "memory_mib": memory_mib,
                "cpu_cores": cpu_cores,
                "jobs": jobs,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.shortage import Shortage  # noqa: PLC0415

        d = dict(src_dict)
        code = WaitingCode(d.pop("code"))

        detail = d.pop("detail")

        position = d.pop("position")

        def _parse_memory_mib(data: object) -> None | Shortage:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                memory_mib_type_0 = Shortage.from_dict(data)

                return memory_mib_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Shortage, data)

        memory_mib = _parse_memory_mib(d.pop("memory_mib"))

        def _parse_cpu_cores(data: object) -> None | Shortage:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                cpu_cores_type_0 = Shortage.from_dict(data)

                return cpu_cores_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Shortage, data)

        cpu_cores = _parse_cpu_cores(d.pop("cpu_cores"))

        def _parse_jobs(data: object) -> None | Shortage:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                jobs_type_0 = Shortage.from_dict(data)

                return jobs_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Shortage, data)

        jobs = _parse_jobs(d.pop("jobs"))

        waiting = cls(
            code=code,
            detail=detail,
            position=position,
            memory_mib=memory_mib,
            cpu_cores=cpu_cores,
            jobs=jobs,
        )

        return waiting

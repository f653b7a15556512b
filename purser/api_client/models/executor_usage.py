from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="ExecutorUsage")


@_attrs_define
class ExecutorUsage:
    """What the namespace's attempts on one executor have used. What is unknown of some is counted, not taken as 0.

    Attributes:
        executor (str): The executor.
        jobs (int): How many jobs these attempts belong to.
        attempts (int): How many attempts ended in this time.
        run_seconds (float): Time that they ran, in seconds.
        memory_mib_seconds (float): Memory reserved (MiB) times the time it ran (s), summed.
        cpu_seconds (float | None): Cpu time, user and system, in seconds; null if known of none.
        unknown_cpu (int): How many attempts ran whose cpu time is unknown.
        peak_memory_bytes (int | None): The largest peak of memory, in bytes; null if known of none.
        unknown_peak_memory (int): How many attempts ran whose peak is unknown.
    """

    executor: str
    jobs: int
    attempts: int
    run_seconds: float
    memory_mib_seconds: float
    cpu_seconds: float | None
    unknown_cpu: int
    peak_memory_bytes: int | None
    unknown_peak_memory: int

    def to_dict(self) -> dict[str, Any]:
        executor = self.executor

        jobs = self.jobs

        attempts = self.attempts

        run_seconds = self.run_seconds

        memory_mib_seconds = self.memory_mib_seconds

        cpu_seconds: float | None
        cpu_seconds = self.cpu_seconds

        unknown_cpu = self.unknown_cpu

        peak_memory_bytes: int | None
        peak_memory_bytes = self.peak_memory_bytes

        unknown_peak_memory = self.unknown_peak_memory

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "executor": executor,
                "jobs": jobs,
                "attempts": attempts,
                "run_seconds": run_seconds,
                "memory_mib_seconds": memory_mib_seconds,
                "cpu_seconds": cpu_seconds,
                "unknown_cpu": unknown_cpu,
                "peak_memory_bytes": peak_memory_bytes,
                "unknown_peak_memory": unknown_peak_memory,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        executor = d.pop("executor")

        jobs = d.pop("jobs")

        attempts = d.pop("attempts")

        run_seconds = d.pop("run_seconds")

        memory_mib_seconds = d.pop("memory_mib_seconds")

        def _parse_cpu_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cpu_seconds = _parse_cpu_seconds(d.pop("cpu_seconds"))

        unknown_cpu = d.pop("unknown_cpu")

        def _parse_peak_memory_bytes(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        peak_memory_bytes = _parse_peak_memory_bytes(d.pop("peak_memory_bytes"))

        unknown_peak_memory = d.pop("unknown_peak_memory")

        executor_usage = cls(
            executor=executor,
            jobs=jobs,
            attempts=attempts,
            run_seconds=run_seconds,
            memory_mib_seconds=memory_mib_seconds,
            cpu_seconds=cpu_seconds,
            unknown_cpu=unknown_cpu,
            peak_memory_bytes=peak_memory_bytes,
            unknown_peak_memory=unknown_peak_memory,
        )

        return executor_usage

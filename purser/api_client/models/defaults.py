from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Defaults")


@_attrs_define
class Defaults:
    """What a launch request takes that does not say.

    Attributes:
        memory_mib (int): Memory limit in MiB.
        cpu_cores (float): Cpu limit in cores.
        timeout_seconds (float): Wall time in seconds.
        grace_seconds (float): Seconds between SIGTERM and SIGKILL.
        max_retries (int): How many launches again for a reason of `retry_on`.
    """

    memory_mib: int
    cpu_cores: float
    timeout_seconds: float
    grace_seconds: float
    max_retries: int

    def to_dict(self) -> dict[str, Any]:
        memory_mib = self.memory_mib

        cpu_cores = self.cpu_cores

        timeout_seconds = self.timeout_seconds

        grace_seconds = self.grace_seconds

        max_retries = self.max_retries

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "memory_mib": memory_mib,
                "cpu_cores": cpu_cores,
                "timeout_seconds": timeout_seconds,
                "grace_seconds": grace_seconds,
                "max_retries": max_retries,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        memory_mib = d.pop("memory_mib")

        cpu_cores = d.pop("cpu_cores")

        timeout_seconds = d.pop("timeout_seconds")

        grace_seconds = d.pop("grace_seconds")

        max_retries = d.pop("max_retries")

        defaults = cls(
            memory_mib=memory_mib,
            cpu_cores=cpu_cores,
            timeout_seconds=timeout_seconds,
            grace_seconds=grace_seconds,
            max_retries=max_retries,
        )

        return defaults

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="Usage")


@_attrs_define
class Usage:
    """What an execution used. A figure that cannot be had is null, never 0.

    Attributes:
        peak_memory_bytes (int | None): Most memory held at once, in bytes, page cache included.
        cpu_user_seconds (float | None): Cpu time in user mode, in seconds.
        cpu_system_seconds (float | None): Cpu time in the kernel, in seconds.
        io_read_bytes (int | None): Bytes read from block devices.
        io_write_bytes (int | None): Bytes that were written to block devices by its end.
    """

    peak_memory_bytes: int | None
    cpu_user_seconds: float | None
    cpu_system_seconds: float | None
    io_read_bytes: int | None
    io_write_bytes: int | None

    def to_dict(self) -> dict[str, Any]:
        peak_memory_bytes: int | None
        peak_memory_bytes = self.peak_memory_bytes

        cpu_user_seconds: float | None
        cpu_user_seconds = self.cpu_user_seconds

        cpu_system_seconds: float | None
        cpu_system_seconds = self.cpu_system_seconds

        io_read_bytes: int | None
        io_read_bytes = self.io_read_bytes

        io_write_bytes: int | None
        io_write_bytes = self.io_write_bytes

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "peak_memory_bytes": peak_memory_bytes,
                "cpu_user_seconds": cpu_user_seconds,
                "cpu_system_seconds": cpu_system_seconds,
                "io_read_bytes": io_read_bytes,
                "io_write_bytes": io_write_bytes,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_peak_memory_bytes(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        peak_memory_bytes = _parse_peak_memory_bytes(d.pop("peak_memory_bytes"))

        def _parse_cpu_user_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cpu_user_seconds = _parse_cpu_user_seconds(d.pop("cpu_user_seconds"))

        def _parse_cpu_system_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cpu_system_seconds = _parse_cpu_system_seconds(d.pop("cpu_system_seconds"))

        def _parse_io_read_bytes(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        io_read_bytes = _parse_io_read_bytes(d.pop("io_read_bytes"))

        def _parse_io_write_bytes(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        io_write_bytes = _parse_io_write_bytes(d.pop("io_write_bytes"))

        usage = cls(
            peak_memory_bytes=peak_memory_bytes,
            cpu_user_seconds=cpu_user_seconds,
            cpu_system_seconds=cpu_system_seconds,
            io_read_bytes=io_read_bytes,
            io_write_bytes=io_write_bytes,
        )

        return usage

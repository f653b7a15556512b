from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="Phases")


@_attrs_define
class Phases:
    """How long each part of an attempt took, in seconds; null where it has not happened or was not seen.

    Attributes:
        queued_seconds (float | None): Seconds in the queue, a retry's backoff included.
        pull_seconds (float | None): Seconds of pulling the image; null when it was there.
        launch_seconds (float | None): Seconds from leaving the queue to the start, without the pull.
        run_seconds (float | None): Seconds from the start to the end, by the engine's clock.
        cleanup_seconds (float | None): Seconds of removing what it left on the engine.
    """

    queued_seconds: float | None
    pull_seconds: float | None
    launch_seconds: float | None
    run_seconds: float | None
    cleanup_seconds: float | None

    def to_dict(self) -> dict[str, Any]:
        queued_seconds: float | None
        queued_seconds = self.queued_seconds

        pull_seconds: float | None
        pull_seconds = self.pull_seconds

        launch_seconds: float | None
        launch_seconds = self.launch_seconds

        run_seconds: float | None
        run_seconds = self.run_seconds

        cleanup_seconds: float | None
        cleanup_seconds = self.cleanup_seconds

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "queued_seconds": queued_seconds,
                "pull_seconds": pull_seconds,
                "launch_seconds": launch_seconds,
                "run_seconds": run_seconds,
                "cleanup_seconds": cleanup_seconds,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_queued_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        queued_seconds = _parse_queued_seconds(d.pop("queued_seconds"))

        def _parse_pull_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        pull_seconds = _parse_pull_seconds(d.pop("pull_seconds"))

        def _parse_launch_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        launch_seconds = _parse_launch_seconds(d.pop("launch_seconds"))

        def _parse_run_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        run_seconds = _parse_run_seconds(d.pop("run_seconds"))

        def _parse_cleanup_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cleanup_seconds = _parse_cleanup_seconds(d.pop("cleanup_seconds"))

        phases = cls(
            queued_seconds=queued_seconds,
            pull_seconds=pull_seconds,
            launch_seconds=launch_seconds,
            run_seconds=run_seconds,
            cleanup_seconds=cleanup_seconds,
        )

        return phases

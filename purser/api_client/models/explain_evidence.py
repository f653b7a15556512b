from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.launch_path import LaunchPath

if TYPE_CHECKING:
    from ..models.backoff_evidence import BackoffEvidence
    from ..models.breaker_evidence import BreakerEvidence
    from ..models.cancel_evidence import CancelEvidence
    from ..models.explain_evidence_short_of import ExplainEvidenceShortOf


T = TypeVar("T", bound="ExplainEvidence")


@_attrs_define
class ExplainEvidence:
    """What an explanation rests on. What has no part in it, or is not known, is null.

    Attributes:
        exit_code (int | None): The command's exit code.
        signal (None | str): The signal that is known to have ended it.
        possible_signal (None | str): The signal that its exit code may stand for.
        engine (None | str): What the engine, or the registry, said.
        warning (None | str): What went wrong although the job succeeded.
        logs (None | str): `incomplete` when not all that it wrote could be kept.
        memory_mib (int | None): Its memory limit in MiB.
        peak_memory_bytes (int | None): Most memory that it held at once, in bytes.
        launch_path (LaunchPath | None): Which way its last launch took.
        launch_path_detail (None | str): Why that was not a faster one.
        timeout_seconds (float | None): Its longest wall time in seconds.
        queue_timeout_seconds (float | None): How long it may wait to be launched, in seconds.
        waited_seconds (float | None): How long it has waited, in seconds.
        position (int | None): Its place in the executor's queue; 1 is next.
        short_of (ExplainEvidenceShortOf): What it lacks, by `memory_mib`, `cpu_cores` or `jobs`: how much it asks for,
            and what is free.
        breaker (BreakerEvidence | None): Why launches pause.
        backoff (BackoffEvidence | None): Which attempt failed, and when the next one begins.
        cancel (CancelEvidence | None): Who asked for its end.
        stale_since (datetime.datetime | None): Since when the engine has not answered for it.
    """

    exit_code: int | None
    signal: None | str
    possible_signal: None | str
    engine: None | str
    warning: None | str
    logs: None | str
    memory_mib: int | None
    peak_memory_bytes: int | None
    launch_path: LaunchPath | None
    launch_path_detail: None | str
    timeout_seconds: float | None
    queue_timeout_seconds: float | None
    waited_seconds: float | None
    position: int | None
    short_of: ExplainEvidenceShortOf
    breaker: BreakerEvidence | None
    backoff: BackoffEvidence | None
    cancel: CancelEvidence | None
    stale_since: datetime.datetime | None

    def to_dict(self) -> dict[str, Any]:
        from ..models.backoff_evidence import BackoffEvidence  # noqa: PLC0415
        from ..models.breaker_evidence import BreakerEvidence  # noqa: PLC0415
        from ..models.cancel_evidence import CancelEvidence  # noqa: PLC0415

        exit_code: int | None
        exit_code = self.exit_code

        signal: None | str
        signal = self.signal

        possible_signal: None | str
        possible_signal = self.possible_signal

        engine: None | str
        engine = self.engine

        warning: None | str
        warning = self.warning

        logs: None | str
        logs = self.logs

        memory_mib: int | None
        memory_mib = self.memory_mib

        peak_memory_bytes: int | None
        peak_memory_bytes = self.peak_memory_bytes

        launch_path: None | str
        if isinstance(self.launch_path, LaunchPath):
            launch_path = self.launch_path.value
        else:
            launch_path = self.launch_path

        launch_path_detail: None | str
        launch_path_detail = self.launch_path_detail

        timeout_seconds: float | None
        timeout_seconds = self.timeout_seconds

        queue_timeout_seconds: float | None
        queue_timeout_seconds = self.queue_timeout_seconds

        waited_seconds: float | None
        waited_seconds = self.waited_seconds

        position: int | None
        position = self.position

        short_of = self.short_of.to_dict()

        breaker: dict[str, Any] | None
        if isinstance(self.breaker, BreakerEvidence):
            breaker = self.breaker.to_dict()
        else:
            breaker = self.breaker

        backoff: dict[str, Any] | None
        if isinstance(self.backoff, BackoffEvidence):
            backoff = self.backoff.to_dict()
        else:
            backoff = self.backoff

        cancel: dict[str, Any] | None
        if isinstance(self.cancel, CancelEvidence):
            cancel = self.cancel.to_dict()
        else:
            cancel = self.cancel

        stale_since: None | str
        if isinstance(self.stale_since, datetime.datetime):
            stale_since = self.stale_since.isoformat()
        else:
            stale_since = self.stale_since

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "exit_code": exit_code,
                "signal": signal,
                "possible_signal": possible_signal,
                "engine": engine,
                "warning": warning,
                "logs": logs,
                "memory_mib": memory_mib,
                "peak_memory_bytes": peak_memory_bytes,
                "launch_path": launch_path,
                "launch_path_detail": launch_path_detail,
                "timeout_seconds": timeout_seconds,
                "queue_timeout_seconds": queue_timeout_seconds,
                "waited_seconds": waited_seconds,
                "position": position,
                "short_of": short_of,
                "breaker": breaker,
                "backoff": backoff,
                "cancel": cancel,
                "stale_since": stale_since,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.backoff_evidence import BackoffEvidence  # noqa: PLC0415
        from ..models.breaker_evidence import BreakerEvidence  # noqa: PLC0415
        from ..models.cancel_evidence import CancelEvidence  # noqa: PLC0415
        from ..models.explain_evidence_short_of import ExplainEvidenceShortOf  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_exit_code(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        exit_code = _parse_exit_code(d.pop("exit_code"))

        def _parse_signal(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        signal = _parse_signal(d.pop("signal"))

        def _parse_possible_signal(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        possible_signal = _parse_possible_signal(d.pop("possible_signal"))

        def _parse_engine(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        engine = _parse_engine(d.pop("engine"))

        def _parse_warning(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        warning = _parse_warning(d.pop("warning"))

        def _parse_logs(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        logs = _parse_logs(d.pop("logs"))

        def _parse_memory_mib(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        memory_mib = _parse_memory_mib(d.pop("memory_mib"))

        def _parse_peak_memory_bytes(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        peak_memory_bytes = _parse_peak_memory_bytes(d.pop("peak_memory_bytes"))

        def _parse_launch_path(data: object) -> LaunchPath | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                launch_path_type_0 = LaunchPath(data)

                return launch_path_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(LaunchPath | None, data)

        launch_path = _parse_launch_path(d.pop("launch_path"))

        def _parse_launch_path_detail(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        launch_path_detail = _parse_launch_path_detail(d.pop("launch_path_detail"))

        def _parse_timeout_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        timeout_seconds = _parse_timeout_seconds(d.pop("timeout_seconds"))

        def _parse_queue_timeout_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        queue_timeout_seconds = _parse_queue_timeout_seconds(d.pop("queue_timeout_seconds"))

        def _parse_waited_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        waited_seconds = _parse_waited_seconds(d.pop("waited_seconds"))

        def _parse_position(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        position = _parse_position(d.pop("position"))

        short_of = ExplainEvidenceShortOf.from_dict(d.pop("short_of"))

        def _parse_breaker(data: object) -> BreakerEvidence | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                breaker_type_0 = BreakerEvidence.from_dict(data)

                return breaker_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BreakerEvidence | None, data)

        breaker = _parse_breaker(d.pop("breaker"))

        def _parse_backoff(data: object) -> BackoffEvidence | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                backoff_type_0 = BackoffEvidence.from_dict(data)

                return backoff_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BackoffEvidence | None, data)

        backoff = _parse_backoff(d.pop("backoff"))

        def _parse_cancel(data: object) -> CancelEvidence | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                cancel_type_0 = CancelEvidence.from_dict(data)

                return cancel_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CancelEvidence | None, data)

        cancel = _parse_cancel(d.pop("cancel"))

        def _parse_stale_since(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                stale_since_type_0 = datetime.datetime.fromisoformat(data)

                return stale_since_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        stale_since = _parse_stale_since(d.pop("stale_since"))

        explain_evidence = cls(
            exit_code=exit_code,
            signal=signal,
            possible_signal=possible_signal,
            engine=engine,
            warning=warning,
            logs=logs,
            memory_mib=memory_mib,
            peak_memory_bytes=peak_memory_bytes,
            launch_path=launch_path,
            launch_path_detail=launch_path_detail,
            timeout_seconds=timeout_seconds,
            queue_timeout_seconds=queue_timeout_seconds,
            waited_seconds=waited_seconds,
            position=position,
            short_of=short_of,
            breaker=breaker,
            backoff=backoff,
            cancel=cancel,
            stale_since=stale_since,
        )

        return explain_evidence

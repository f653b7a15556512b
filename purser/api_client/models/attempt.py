from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.launch_path import LaunchPath
from ..models.reason import Reason

if TYPE_CHECKING:
    from ..models.evidence import Evidence
    from ..models.phases import Phases
    from ..models.usage import Usage


T = TypeVar("T", bound="Attempt")


@_attrs_define
class Attempt:
    """One launch of a job. Kept when the job is launched again.

    Attributes:
        number (int): 1 for the first launch.
        launching_at (datetime.datetime): When the engine was asked.
        pulling_at (datetime.datetime | None): When it began to pull the image; null when it was there.
        started_at (datetime.datetime | None): When the engine said that it started.
        finished_at (datetime.datetime | None): When it ended.
        reason (None | Reason): Why it ended; null until then.
        evidence (Evidence): What a reason rests on: `exit_code`, `signal`, `limit` and `value`, `message` and others.
        exit_code (int | None): The command's exit code, where there was one.
        image_digest (None | str): Digest of the image that ran.
        launch_path (LaunchPath | None): Which way the launch took: `cold`, with a `prepared_network`, or into a `warm`
            container; null until it has started, and on an executor that has one way only.
        launch_path_detail (None | str): Why it was not a faster one; null if it was the fastest that there is, or is
            not known.
        usage (Usage): What an execution used. A figure that cannot be had is null, never 0.
        phases (Phases): How long each part of an attempt took, in seconds; null where it has not happened or was not
            seen.
        cleaned_at (datetime.datetime | None): Since when nothing of it is left on the engine.
    """

    number: int
    launching_at: datetime.datetime
    pulling_at: datetime.datetime | None
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    reason: None | Reason
    evidence: Evidence
    exit_code: int | None
    image_digest: None | str
    launch_path: LaunchPath | None
    launch_path_detail: None | str
    usage: Usage
    phases: Phases
    cleaned_at: datetime.datetime | None

    def to_dict(self) -> dict[str, Any]:
        number = self.number

        launching_at = self.launching_at.isoformat()

        pulling_at: None | str
        if isinstance(self.pulling_at, datetime.datetime):
            pulling_at = self.pulling_at.isoformat()
        else:
            pulling_at = self.pulling_at

        started_at: None | str
        if isinstance(self.started_at, datetime.datetime):
            started_at = self.started_at.isoformat()
        else:
            started_at = self.started_at

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        reason: None | str
        if isinstance(self.reason, Reason):
            reason = self.reason.value
        else:
            reason = self.reason

        evidence = self.evidence.to_dict()

        exit_code: int | None
        exit_code = self.exit_code

        image_digest: None | str
        image_digest = self.image_digest

        launch_path: None | str
        if isinstance(self.launch_path, LaunchPath):
            launch_path = self.launch_path.value
        else:
            launch_path = self.launch_path

        launch_path_detail: None | str
        launch_path_detail = self.launch_path_detail

        usage = self.usage.to_dict()

        phases = self.phases.to_dict()

        cleaned_at: None | str
        if isinstance(self.cleaned_at, datetime.datetime):
            cleaned_at = self.cleaned_at.isoformat()
        else:
            cleaned_at = self.cleaned_at

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "number": number,
                "launching_at": launching_at,
                "pulling_at": pulling_at,
                "started_at": started_at,
                "finished_at": finished_at,
                "reason": reason,
                "evidence": evidence,
                "exit_code": exit_code,
                "image_digest": image_digest,
                "launch_path": launch_path,
                "launch_path_detail": launch_path_detail,
                "usage": usage,
                "phases": phases,
                "cleaned_at": cleaned_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.evidence import Evidence  # noqa: PLC0415
        from ..models.phases import Phases  # noqa: PLC0415
        from ..models.usage import Usage  # noqa: PLC0415

        d = dict(src_dict)
        number = d.pop("number")

        launching_at = datetime.datetime.fromisoformat(d.pop("launching_at"))

        def _parse_pulling_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                pulling_at_type_0 = datetime.datetime.fromisoformat(data)

                return pulling_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        pulling_at = _parse_pulling_at(d.pop("pulling_at"))

        def _parse_started_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                started_at_type_0 = datetime.datetime.fromisoformat(data)

                return started_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        started_at = _parse_started_at(d.pop("started_at"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finished_at"))

        def _parse_reason(data: object) -> None | Reason:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = Reason(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Reason, data)

        reason = _parse_reason(d.pop("reason"))

        evidence = Evidence.from_dict(d.pop("evidence"))

        def _parse_exit_code(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        exit_code = _parse_exit_code(d.pop("exit_code"))

        def _parse_image_digest(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        image_digest = _parse_image_digest(d.pop("image_digest"))

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

        usage = Usage.from_dict(d.pop("usage"))

        phases = Phases.from_dict(d.pop("phases"))

        def _parse_cleaned_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                cleaned_at_type_0 = datetime.datetime.fromisoformat(data)

                return cleaned_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        cleaned_at = _parse_cleaned_at(d.pop("cleaned_at"))

        attempt = cls(
            number=number,
            launching_at=launching_at,
            pulling_at=pulling_at,
            started_at=started_at,
            finished_at=finished_at,
            reason=reason,
            evidence=evidence,
            exit_code=exit_code,
            image_digest=image_digest,
            launch_path=launch_path,
            launch_path_detail=launch_path_detail,
            usage=usage,
            phases=phases,
            cleaned_at=cleaned_at,
        )

        return attempt

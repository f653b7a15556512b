from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define

from ..models.job_state import JobState
from ..models.reason import Reason

if TYPE_CHECKING:
    from ..models.job_change_detail import JobChangeDetail
    from ..models.labels import Labels


T = TypeVar("T", bound="JobChange")


@_attrs_define
class JobChange:
    """One change of a job, as webhooks are told of it: how it was right after. Its request is not in it.

    Attributes:
        id (UUID): The job's id.
        seq (int): Counts the job's events: a later change has a higher one.
        executor (str): The executor it runs on.
        namespace (str): The tenant it belongs to.
        state (JobState): Where a job is in its life; `succeeded`, `failed` and `cancelled` are its ends.
        reason (None | Reason): Why it ended; null until then.
        exit_code (int | None): The command's exit code, where there was one.
        attempt (int): Number of the present launch; 0 before the first.
        labels (Labels): Names and values to find a job by; a name has 1 to 63 letters, digits, `.`, `_`, `-` or `/`,
            with a letter or digit at both ends.
        detail (JobChangeDetail): What is known about it besides.
        created_at (datetime.datetime): When the launch request was accepted.
        started_at (datetime.datetime | None): When the present attempt started.
        finished_at (datetime.datetime | None): When the job ended.
    """

    id: UUID
    seq: int
    executor: str
    namespace: str
    state: JobState
    reason: None | Reason
    exit_code: int | None
    attempt: int
    labels: Labels
    detail: JobChangeDetail
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        seq = self.seq

        executor = self.executor

        namespace = self.namespace

        state = self.state.value

        reason: None | str
        if isinstance(self.reason, Reason):
            reason = self.reason.value
        else:
            reason = self.reason

        exit_code: int | None
        exit_code = self.exit_code

        attempt = self.attempt

        labels = self.labels.to_dict()

        detail = self.detail.to_dict()

        created_at = self.created_at.isoformat()

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

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "seq": seq,
                "executor": executor,
                "namespace": namespace,
                "state": state,
                "reason": reason,
                "exit_code": exit_code,
                "attempt": attempt,
                "labels": labels,
                "detail": detail,
                "created_at": created_at,
                "started_at": started_at,
                "finished_at": finished_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.job_change_detail import JobChangeDetail  # noqa: PLC0415
        from ..models.labels import Labels  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        seq = d.pop("seq")

        executor = d.pop("executor")

        namespace = d.pop("namespace")

        state = JobState(d.pop("state"))

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

        def _parse_exit_code(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        exit_code = _parse_exit_code(d.pop("exit_code"))

        attempt = d.pop("attempt")

        labels = Labels.from_dict(d.pop("labels"))

        detail = JobChangeDetail.from_dict(d.pop("detail"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

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

        job_change = cls(
            id=id,
            seq=seq,
            executor=executor,
            namespace=namespace,
            state=state,
            reason=reason,
            exit_code=exit_code,
            attempt=attempt,
            labels=labels,
            detail=detail,
            created_at=created_at,
            started_at=started_at,
            finished_at=finished_at,
        )

        return job_change

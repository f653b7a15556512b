from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define

from ..models.job_state import JobState
from ..models.reason import Reason

if TYPE_CHECKING:
    from ..models.attempt import Attempt
    from ..models.evidence import Evidence
    from ..models.job_request import JobRequest
    from ..models.labels import Labels
    from ..models.links import Links
    from ..models.usage import Usage
    from ..models.waiting import Waiting


T = TypeVar("T", bound="Job")


@_attrs_define
class Job:
    """A job: what was asked for, how it is doing, and why it ended.

    Attributes:
        id (UUID): The job's id. Ids sort by the time of the launch request.
        executor (str): The executor it runs on.
        namespace (str): The tenant it belongs to.
        state (JobState): Where a job is in its life; `succeeded`, `failed` and `cancelled` are its ends.
        version (int): Counts the job's changes; also the `seq` of its last event.
        reason (None | Reason): Why it ended; null until then.
        evidence (Evidence): What a reason rests on: `exit_code`, `signal`, `limit` and `value`, `message` and others.
        exit_code (int | None): The command's exit code, where there was one.
        attempt (int): Number of the present launch; 0 before the first.
        attempts (list[Attempt]): Every launch so far, in order.
        labels (Labels): Names and values to find a job by; a name has 1 to 63 letters, digits, `.`, `_`, `-` or `/`,
            with a letter or digit at both ends.
        request (JobRequest): What to run, with which limits. Everything has a default but the command or the image.
        memory_mib (int): Memory limit in MiB: reserved and enforced.
        cpu_cores (float): Cpu limit in cores: reserved and enforced.
        timeout_seconds (float): Longest wall time of an attempt, in seconds.
        priority (int): Higher is launched earlier.
        created_at (datetime.datetime): When the launch request was accepted.
        queued_at (datetime.datetime): Since when it waits, or last waited, in the queue.
        launching_at (datetime.datetime | None): When the engine was asked to run the present attempt.
        started_at (datetime.datetime | None): When the present attempt started.
        finished_at (datetime.datetime | None): When the job ended.
        cleaned_at (datetime.datetime | None): Since when nothing of it is left on the engine.
        logs_deleted_at (datetime.datetime | None): Since when its logs are gone: they were past their retention.
        cancel_requested_at (datetime.datetime | None): When somebody asked for its end.
        not_before (datetime.datetime | None): When a retry may be launched at the earliest.
        stale_since (datetime.datetime | None): Since when the engine has not answered for it; null while it does.
        waiting (None | Waiting): Why it waits; null unless it is queued, and in lists.
        usage (None | Usage): What the last attempt used; null before the first.
        image_digest (None | str): Digest of the image that the last attempt ran.
        links (Links): Where to go on from here.
    """

    id: UUID
    executor: str
    namespace: str
    state: JobState
    version: int
    reason: None | Reason
    evidence: Evidence
    exit_code: int | None
    attempt: int
    attempts: list[Attempt]
    labels: Labels
    request: JobRequest
    memory_mib: int
    cpu_cores: float
    timeout_seconds: float
    priority: int
    created_at: datetime.datetime
    queued_at: datetime.datetime
    launching_at: datetime.datetime | None
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    cleaned_at: datetime.datetime | None
    logs_deleted_at: datetime.datetime | None
    cancel_requested_at: datetime.datetime | None
    not_before: datetime.datetime | None
    stale_since: datetime.datetime | None
    waiting: None | Waiting
    usage: None | Usage
    image_digest: None | str
    links: Links

    def to_dict(self) -> dict[str, Any]:
        from ..models.usage import Usage  # noqa: PLC0415
        from ..models.waiting import Waiting  # noqa: PLC0415

        id = str(self.id)

        executor = self.executor

        namespace = self.namespace

        state = self.state.value

        version = self.version

        reason: None | str
        if isinstance(self.reason, Reason):
            reason = self.reason.value
        else:
            reason = self.reason

        evidence = self.evidence.to_dict()

        exit_code: int | None
        exit_code = self.exit_code

        attempt = self.attempt

        attempts = []
        for attempts_item_data in self.attempts:
            attempts_item = attempts_item_data.to_dict()
            attempts.append(attempts_item)

        labels = self.labels.to_dict()

        request = self.request.to_dict()

        memory_mib = self.memory_mib

        cpu_cores = self.cpu_cores

        timeout_seconds = self.timeout_seconds

        priority = self.priority

        created_at = self.created_at.isoformat()

        queued_at = self.queued_at.isoformat()

        launching_at: None | str
        if isinstance(self.launching_at, datetime.datetime):
            launching_at = self.launching_at.isoformat()
        else:
            launching_at = self.launching_at

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

        cleaned_at: None | str
        if isinstance(self.cleaned_at, datetime.datetime):
            cleaned_at = self.cleaned_at.isoformat()
        else:
            cleaned_at = self.cleaned_at

        logs_deleted_at: None | str
        if isinstance(self.logs_deleted_at, datetime.datetime):
            logs_deleted_at = self.logs_deleted_at.isoformat()
        else:
            logs_deleted_at = self.logs_deleted_at

        cancel_requested_at: None | str
        if isinstance(self.cancel_requested_at, datetime.datetime):
            cancel_requested_at = self.cancel_requested_at.isoformat()
        else:
            cancel_requested_at = self.cancel_requested_at

        not_before: None | str
        if isinstance(self.not_before, datetime.datetime):
            not_before = self.not_before.isoformat()
        else:
            not_before = self.not_before

        stale_since: None | str
        if isinstance(self.stale_since, datetime.datetime):
            stale_since = self.stale_since.isoformat()
        else:
            stale_since = self.stale_since

        waiting: dict[str, Any] | None
        if isinstance(self.waiting, Waiting):
            waiting = self.waiting.to_dict()
        else:
            waiting = self.waiting

        usage: dict[str, Any] | None
        if isinstance(self.usage, Usage):
            usage = self.usage.to_dict()
        else:
            usage = self.usage

        image_digest: None | str
        image_digest = self.image_digest

        links = self.links.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "executor": executor,
                "namespace": namespace,
                "state": state,
                "version": version,
                "reason": reason,
                "evidence": evidence,
                "exit_code": exit_code,
                "attempt": attempt,
                "attempts": attempts,
                "labels": labels,
                "request": request,
                "memory_mib": memory_mib,
                "cpu_cores": cpu_cores,
                "timeout_seconds": timeout_seconds,
                "priority": priority,
                "created_at": created_at,
                "queued_at": queued_at,
                "launching_at": launching_at,
                "started_at": started_at,
                "finished_at": finished_at,
                "cleaned_at": cleaned_at,
                "logs_deleted_at": logs_deleted_at,
                "cancel_requested_at": cancel_requested_at,
                "not_before": not_before,
                "stale_since": stale_since,
                "waiting": waiting,
                "usage": usage,
                "image_digest": image_digest,
                "links": links,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.attempt import Attempt  # noqa: PLC0415
        from ..models.evidence import Evidence  # noqa: PLC0415
        from ..models.job_request import JobRequest  # noqa: PLC0415
        from ..models.labels import Labels  # noqa: PLC0415
        from ..models.links import Links  # noqa: PLC0415
        from ..models.usage import Usage  # noqa: PLC0415
        from ..models.waiting import Waiting  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        executor = d.pop("executor")

        namespace = d.pop("namespace")

        state = JobState(d.pop("state"))

        version = d.pop("version")

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

        attempt = d.pop("attempt")

        attempts = []
        _attempts = d.pop("attempts")
        for attempts_item_data in _attempts:
            attempts_item = Attempt.from_dict(attempts_item_data)

            attempts.append(attempts_item)

        labels = Labels.from_dict(d.pop("labels"))

        request = JobRequest.from_dict(d.pop("request"))

        memory_mib = d.pop("memory_mib")

        cpu_cores = d.pop("cpu_cores")

        timeout_seconds = d.pop("timeout_seconds")

        priority = d.pop("priority")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        queued_at = datetime.datetime.fromisoformat(d.pop("queued_at"))

        def _parse_launching_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                launching_at_type_0 = datetime.datetime.fromisoformat(data)

                return launching_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        launching_at = _parse_launching_at(d.pop("launching_at"))

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

        def _parse_logs_deleted_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                logs_deleted_at_type_0 = datetime.datetime.fromisoformat(data)

                return logs_deleted_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        logs_deleted_at = _parse_logs_deleted_at(d.pop("logs_deleted_at"))

        def _parse_cancel_requested_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                cancel_requested_at_type_0 = datetime.datetime.fromisoformat(data)

                return cancel_requested_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        cancel_requested_at = _parse_cancel_requested_at(d.pop("cancel_requested_at"))

        def _parse_not_before(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                not_before_type_0 = datetime.datetime.fromisoformat(data)

                return not_before_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        not_before = _parse_not_before(d.pop("not_before"))

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

        def _parse_waiting(data: object) -> None | Waiting:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                waiting_type_0 = Waiting.from_dict(data)

                return waiting_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Waiting, data)

        waiting = _parse_waiting(d.pop("waiting"))

        def _parse_usage(data: object) -> None | Usage:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                usage_type_0 = Usage.from_dict(data)

                return usage_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Usage, data)

        usage = _parse_usage(d.pop("usage"))

        def _parse_image_digest(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        image_digest = _parse_image_digest(d.pop("image_digest"))

        links = Links.from_dict(d.pop("links"))

        job = cls(
            id=id,
            executor=executor,
            namespace=namespace,
            state=state,
            version=version,
            reason=reason,
            evidence=evidence,
            exit_code=exit_code,
            attempt=attempt,
            attempts=attempts,
            labels=labels,
            request=request,
            memory_mib=memory_mib,
            cpu_cores=cpu_cores,
            timeout_seconds=timeout_seconds,
            priority=priority,
            created_at=created_at,
            queued_at=queued_at,
            launching_at=launching_at,
            started_at=started_at,
            finished_at=finished_at,
            cleaned_at=cleaned_at,
            logs_deleted_at=logs_deleted_at,
            cancel_requested_at=cancel_requested_at,
            not_before=not_before,
            stale_since=stale_since,
            waiting=waiting,
            usage=usage,
            image_digest=image_digest,
            links=links,
        )

        return job

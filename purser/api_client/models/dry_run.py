from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.capabilities import Capabilities
    from ..models.engine_request import EngineRequest
    from ..models.job_request import JobRequest
    from ..models.limits import Limits
    from ..models.namespace_quota import NamespaceQuota
    from ..models.waiting import Waiting


T = TypeVar("T", bound="DryRun")


@_attrs_define
class DryRun:
    """What a launch would do. Stars stand for the values of `env` and of secrets, and for `stdin`.

    Attributes:
        dry_run (bool): Nothing was launched.
        executor (str): The executor it would run on.
        namespace (str): The tenant it would belong to.
        effective (JobRequest): What to run, with which limits. Everything has a default but the command or the image.
        defaulted (list[str]): The fields that the executor's defaults have filled.
        limits (Limits): What one job may ask for, and what all may hold together; null is unlimited.
        quota (NamespaceQuota): What the namespace may hold on all executors together; null is unlimited.
        policy (Capabilities): What an executor can do on this host.
        queued (bool): Whether it would have to wait.
        waiting (None | Waiting): Why it would have to wait; null if it would be launched at once.
        engine_request (EngineRequest | None): What the engine would be asked, in its own terms; null where the executor
            does not tell. On docker `method`, `path` and `body` of its create request, on process the command line with its
            surroundings, on mock the script.
    """

    dry_run: bool
    executor: str
    namespace: str
    effective: JobRequest
    defaulted: list[str]
    limits: Limits
    quota: NamespaceQuota
    policy: Capabilities
    queued: bool
    waiting: None | Waiting
    engine_request: EngineRequest | None

    def to_dict(self) -> dict[str, Any]:
        from ..models.engine_request import EngineRequest  # noqa: PLC0415
        from ..models.waiting import Waiting  # noqa: PLC0415

        dry_run = self.dry_run

        executor = self.executor

        namespace = self.namespace

        effective = self.effective.to_dict()

        defaulted = self.defaulted

        limits = self.limits.to_dict()

        quota = self.quota.to_dict()

        policy = self.policy.to_dict()

        queued = self.queued

        waiting: dict[str, Any] | None
        if isinstance(self.waiting, Waiting):
            waiting = self.waiting.to_dict()
        else:
            waiting = self.waiting

        engine_request: dict[str, Any] | None
        if isinstance(self.engine_request, EngineRequest):
            engine_request = self.engine_request.to_dict()
        else:
            engine_request = self.engine_request

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "dry_run": dry_run,
                "executor": executor,
                "namespace": namespace,
                "effective": effective,
                "defaulted": defaulted,
                "limits": limits,
                "quota": quota,
                "policy": policy,
                "queued": queued,
                "waiting": waiting,
                "engine_request": engine_request,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.capabilities import Capabilities  # noqa: PLC0415
        from ..models.engine_request import EngineRequest  # noqa: PLC0415
        from ..models.job_request import JobRequest  # noqa: PLC0415
        from ..models.limits import Limits  # noqa: PLC0415
        from ..models.namespace_quota import NamespaceQuota  # noqa: PLC0415
        from ..models.waiting import Waiting  # noqa: PLC0415

        d = dict(src_dict)
        dry_run = d.pop("dry_run")

        executor = d.pop("executor")

        namespace = d.pop("namespace")

        effective = JobRequest.from_dict(d.pop("effective"))

        defaulted = cast(list[str], d.pop("defaulted"))

        limits = Limits.from_dict(d.pop("limits"))

        quota = NamespaceQuota.from_dict(d.pop("quota"))

        policy = Capabilities.from_dict(d.pop("policy"))

        queued = d.pop("queued")

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

        def _parse_engine_request(data: object) -> EngineRequest | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                engine_request_type_0 = EngineRequest.from_dict(data)

                return engine_request_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(EngineRequest | None, data)

        engine_request = _parse_engine_request(d.pop("engine_request"))

        dry_run = cls(
            dry_run=dry_run,
            executor=executor,
            namespace=namespace,
            effective=effective,
            defaulted=defaulted,
            limits=limits,
            quota=quota,
            policy=policy,
            queued=queued,
            waiting=waiting,
            engine_request=engine_request,
        )

        return dry_run

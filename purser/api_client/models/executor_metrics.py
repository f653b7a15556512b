from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.active_jobs import ActiveJobs
    from ..models.job_count import JobCount
    from ..models.launches import Launches
    from ..models.process_metrics import ProcessMetrics
    from ..models.removed import Removed
    from ..models.utilization import Utilization


T = TypeVar("T", bound="ExecutorMetrics")


@_attrs_define
class ExecutorMetrics:
    """Accounting and counters of an executor.

    Attributes:
        executor (str): Its name.
        utilization (Utilization): What jobs hold of an executor now, in all processes together.
        active (ActiveJobs): How many jobs there are now that have not ended.
        jobs (list[JobCount]): Counters of the token's namespace: how often jobs have entered each state, ever. They
            only grow; `active` has the jobs there are now.
        removed (Removed): What was removed of itself, ever, in all namespaces together.
        launches (Launches): How many launches have taken each way, ever, in all namespaces together; 0 where there is
            one way only.
        processes (list[ProcessMetrics]): One entry a living dispatcher.
    """

    executor: str
    utilization: Utilization
    active: ActiveJobs
    jobs: list[JobCount]
    removed: Removed
    launches: Launches
    processes: list[ProcessMetrics]

    def to_dict(self) -> dict[str, Any]:
        executor = self.executor

        utilization = self.utilization.to_dict()

        active = self.active.to_dict()

        jobs = []
        for jobs_item_data in self.jobs:
            jobs_item = jobs_item_data.to_dict()
            jobs.append(jobs_item)

        removed = self.removed.to_dict()

        launches = self.launches.to_dict()

        processes = []
        for processes_item_data in self.processes:
            processes_item = processes_item_data.to_dict()
            processes.append(processes_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "executor": executor,
                "utilization": utilization,
                "active": active,
                "jobs": jobs,
                "removed": removed,
                "launches": launches,
                "processes": processes,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.active_jobs import ActiveJobs  # noqa: PLC0415
        from ..models.job_count import JobCount  # noqa: PLC0415
        from ..models.launches import Launches  # noqa: PLC0415
        from ..models.process_metrics import ProcessMetrics  # noqa: PLC0415
        from ..models.removed import Removed  # noqa: PLC0415
        from ..models.utilization import Utilization  # noqa: PLC0415

        d = dict(src_dict)
        executor = d.pop("executor")

        utilization = Utilization.from_dict(d.pop("utilization"))

        active = ActiveJobs.from_dict(d.pop("active"))

        jobs = []
        _jobs = d.pop("jobs")
        for jobs_item_data in _jobs:
            jobs_item = JobCount.from_dict(jobs_item_data)

            jobs.append(jobs_item)

        removed = Removed.from_dict(d.pop("removed"))

        launches = Launches.from_dict(d.pop("launches"))

        processes = []
        _processes = d.pop("processes")
        for processes_item_data in _processes:
            processes_item = ProcessMetrics.from_dict(processes_item_data)

            processes.append(processes_item)

        executor_metrics = cls(
            executor=executor,
            utilization=utilization,
            active=active,
            jobs=jobs,
            removed=removed,
            launches=launches,
            processes=processes,
        )

        return executor_metrics

"""What is reserved, in the database: one truth for all processes."""

from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from container_manager.models import Allocation, Capacity, Job
from container_manager.resources import Limits, Resources


class DatabaseLedger:
    """The ledger of one executor, shared by every process that uses the database.

    `Capacity` holds the sum, changed by conditional UPDATE; `Allocation` one row a job, whose insertion
    and deletion make that change happen exactly once.
    """

    def __init__(self, executor: str) -> None:
        self._executor = executor

    @transaction.atomic
    def reserve(self, job_id: str, wanted: Resources, limits: Limits) -> bool:
        held = self.held_by(job_id)
        if held is not None:
            return held == wanted
        memory, cpu_millis = _integers(wanted)
        if not (limits.allows(wanted) and self._add(memory, cpu_millis, limits)):
            return False
        namespace = Job.objects.values_list("namespace", flat=True).get(pk=job_id)
        Allocation.objects.create(
            job_id=UUID(str(job_id)),
            executor=self._executor,
            namespace=namespace,
            memory_mib=memory,
            cpu_millis=cpu_millis,
        )
        return True

    def _add(self, memory: int, cpu_millis: int, limits: Limits) -> bool:
        Capacity.objects.get_or_create(executor=self._executor)
        fits = Q(executor=self._executor)
        if limits.total_memory is not None:
            fits &= Q(memory_used__lte=int(limits.total_memory) - memory)
        if limits.total_cpu is not None:
            fits &= Q(cpu_millis_used__lte=round(limits.total_cpu * 1000) - cpu_millis)
        changed = Capacity.objects.filter(fits).update(
            memory_used=F("memory_used") + memory, cpu_millis_used=F("cpu_millis_used") + cpu_millis
        )
        return changed == 1

    @transaction.atomic
    def release(self, job_id: str) -> bool:
        held = Allocation.objects.filter(job_id=job_id).first()
        if held is None or not Allocation.objects.filter(job_id=job_id).delete()[0]:
            return False
        Capacity.objects.filter(executor=held.executor).update(
            memory_used=F("memory_used") - held.memory_mib, cpu_millis_used=F("cpu_millis_used") - held.cpu_millis
        )
        return True

    def held_by(self, job_id: str) -> Resources | None:
        held = Allocation.objects.filter(job_id=job_id).first()
        return Resources(held.memory_mib, held.cpu_millis / 1000) if held else None

    def used(self) -> Resources:
        row = Capacity.objects.filter(executor=self._executor).first()
        return Resources(row.memory_used, row.cpu_millis_used / 1000) if row else Resources()

    def set_total(self, limits: Limits) -> None:
        """Publish what there is in all, for processes that cannot ask the engine."""
        Capacity.objects.update_or_create(
            executor=self._executor,
            defaults={
                "memory_total": None if limits.total_memory is None else int(limits.total_memory),
                "cpu_millis_total": None if limits.total_cpu is None else round(limits.total_cpu * 1000),
            },
        )


def _integers(wanted: Resources) -> tuple[int, int]:
    # Whole numbers in the books, so that sums return to exactly 0.
    return round(wanted.memory), round(wanted.cpu * 1000)

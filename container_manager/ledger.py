"""What is reserved, in the database: one truth for all processes.

Rows are always locked in this order, so that no two transactions wait for each other: the job, the executor's
`Capacity`, the `Namespace`, its `Share`, counters. A transaction reserves for one job only.
"""

from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from container_manager.models import Allocation, Capacity, Job, Namespace, Share
from container_manager.resources import Limits, Resources


class _NoRoom(Exception):
    """Undoes what was begun of a reservation."""


class DatabaseLedger:
    """The ledger of one executor, shared by every process that uses the database.

    `Capacity` holds the executor's sum, with what is set aside beside all jobs, `Namespace` and `Share` the tenant's,
    all changed by conditional UPDATE; `Allocation` one row a job, whose insertion and deletion make that change happen
    exactly once.
    """

    def __init__(self, executor: str) -> None:
        self._executor = executor

    def reserve(self, job_id: str, wanted: Resources, limits: Limits) -> bool:
        try:
            with transaction.atomic():
                return self._reserve(UUID(str(job_id)), wanted, limits)
        except _NoRoom:
            return False

    def _reserve(self, job_id: UUID, wanted: Resources, limits: Limits) -> bool:
        held = self.held_by(str(job_id))
        if held is not None:
            return held == wanted
        if not limits.allows(wanted):
            return False
        memory, cpu_millis = _integers(wanted)
        namespace = Job.objects.values_list("namespace", flat=True).get(pk=job_id)
        new = Allocation(
            job_id=job_id, executor=self._executor, namespace=namespace, memory_mib=memory, cpu_millis=cpu_millis
        )
        self._take_capacity(new, limits)
        _take_quota(new)
        self._take_share(namespace)
        new.save(force_insert=True)
        return True

    def _take_capacity(self, new: Allocation, limits: Limits) -> None:
        fits = Q(executor=self._executor)
        if limits.total_memory is not None:
            fits &= Q(memory_used__lte=int(limits.total_memory) - new.memory_mib)
        if limits.total_cpu is not None:
            fits &= Q(cpu_millis_used__lte=round(limits.total_cpu * 1000) - new.cpu_millis)
        if limits.total_jobs is not None:
            fits &= Q(jobs_used__lt=limits.total_jobs)
        rows = Capacity.objects.filter(fits)
        if not _take(rows, new):
            Capacity.objects.get_or_create(executor=self._executor)
            if not _take(rows, new):
                raise _NoRoom

    def _take_share(self, namespace: str) -> None:
        rows = Share.objects.filter(executor=self._executor, namespace=namespace)
        columns = {"jobs_used": F("jobs_used") + 1, "served_at": timezone.now()}
        if not rows.update(**columns):
            Share.objects.get_or_create(executor=self._executor, namespace=namespace)
            rows.update(**columns)

    @transaction.atomic
    def release(self, job_id: str) -> bool:
        held = Allocation.objects.filter(job_id=job_id).first()
        if held is None or not Allocation.objects.filter(job_id=job_id).delete()[0]:
            return False
        _give_back(Capacity.objects.filter(executor=held.executor), held)
        _give_back(Namespace.objects.filter(name=held.namespace), held)
        Share.objects.filter(executor=held.executor, namespace=held.namespace).update(jobs_used=F("jobs_used") - 1)
        return True

    def set_aside(self, memory: int, limits: Limits) -> bool:
        try:
            return self._set_aside(memory, limits)
        finally:
            # Who keeps things ready is a thread that needs the books now and then, and closes no connection.
            if not connection.in_atomic_block:
                connection.close()

    @transaction.atomic
    def _set_aside(self, memory: int, limits: Limits) -> bool:
        row, _ = Capacity.objects.get_or_create(executor=self._executor)
        if row.memory_aside == memory:
            return True
        fits = Q()
        if limits.total_memory is not None:
            left = F("memory_aside") + (int(limits.total_memory) - memory)
            fits = Q(memory_aside__gte=memory) | Q(memory_used__lte=left)
        changed = Capacity.objects.filter(fits, pk=row.pk).update(
            memory_used=F("memory_used") - F("memory_aside") + memory, memory_aside=memory
        )
        return changed == 1

    def held_by(self, job_id: str) -> Resources | None:
        held = Allocation.objects.filter(job_id=job_id).first()
        return Resources(held.memory_mib, held.cpu_millis / 1000) if held else None

    def used(self) -> Resources:
        row = Capacity.objects.filter(executor=self._executor).first()
        return Resources(row.memory_used, row.cpu_millis_used / 1000) if row else Resources()

    def count(self) -> int:
        return Capacity.objects.filter(executor=self._executor).values_list("jobs_used", flat=True).first() or 0

    def set_total(self, limits: Limits) -> None:
        """Publish what there is in all, for processes that cannot ask the engine."""
        Capacity.objects.update_or_create(
            executor=self._executor,
            defaults={
                "memory_total": None if limits.total_memory is None else int(limits.total_memory),
                "cpu_millis_total": None if limits.total_cpu is None else round(limits.total_cpu * 1000),
                "jobs_total": limits.total_jobs,
            },
        )


def _take_quota(new: Allocation) -> None:
    fits = (
        (Q(max_jobs=None) | Q(jobs_used__lt=F("max_jobs")))
        & (Q(max_memory_mib=None) | Q(memory_used__lte=F("max_memory_mib") - new.memory_mib))
        & (Q(max_cpu_millis=None) | Q(cpu_millis_used__lte=F("max_cpu_millis") - new.cpu_millis))
    )
    rows = Namespace.objects.filter(fits, name=new.namespace)
    if not _take(rows, new):
        Namespace.objects.get_or_create(name=new.namespace)
        if not _take(rows, new):
            raise _NoRoom


def _take(row: "models.QuerySet[Capacity] | models.QuerySet[Namespace]", new: Allocation) -> bool:
    changed = row.update(
        jobs_used=F("jobs_used") + 1,
        memory_used=F("memory_used") + new.memory_mib,
        cpu_millis_used=F("cpu_millis_used") + new.cpu_millis,
    )
    return changed == 1


def _give_back(row: "models.QuerySet[Capacity] | models.QuerySet[Namespace]", held: Allocation) -> None:
    row.update(
        jobs_used=F("jobs_used") - 1,
        memory_used=F("memory_used") - held.memory_mib,
        cpu_millis_used=F("cpu_millis_used") - held.cpu_millis,
    )


def _integers(wanted: Resources) -> tuple[int, int]:
    # Whole numbers in the books, so that sums return to exactly 0.
    return round(wanted.memory), round(wanted.cpu * 1000)

"""The books under random interleavings: after each step they hold what docs/architecture.md promises.

Launches, with keys and without, claims, starts, ends, retries, cancels, timeouts, leases that lapse and are taken over,
old owners that wake up, cleanups and retention, in any order.
"""

import itertools
import os
from collections.abc import Collection
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import settings as limits
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from container_manager import jobs, lifecycle, namespaces
from container_manager.bell import bell
from container_manager.dispatcher import retention
from container_manager.dispatcher.claim import claim
from container_manager.dispatcher.control import Control
from container_manager.dispatcher.lease import Lease
from container_manager.exceptions import IdempotencyMismatch, IllegalTransition, InvalidJob, QueueFull
from container_manager.executors.mock import MockExecutor
from container_manager.ledger import DatabaseLedger
from container_manager.lifecycle import Outcome
from container_manager.models import (
    Allocation,
    Attempt,
    Capacity,
    DispatcherLease,
    IdempotencyKey,
    Job,
    JobCount,
    JobEvent,
    JobLabel,
    Namespace,
    Share,
    Tally,
)
from container_manager.resources import Resources
from container_manager.spec import JobRequest
from container_manager.states import ACTIVE, TERMINAL, TRANSITIONS, EventType, JobState, Reason

OPTIONS: dict[str, dict[str, float]] = {
    "mock": {"total_memory": 30, "total_cpu": 1.2},
    "other": {"total_memory": 60, "max_memory": 20, "max_jobs": 2},
}
QUEUED_AT_MOST = 6
EXAMPLES = int(os.environ.get("PURSER_TEST_EXAMPLES", "25"))


class Books(RuleBasedStateMachine):
    """Two executors, three namespaces and two dispatchers, with every way a job moves."""

    def __init__(self) -> None:
        super().__init__()
        for model in (Allocation, JobEvent, Attempt, JobLabel, IdempotencyKey, Job, Capacity, Share, Namespace,
                      DispatcherLease, JobCount, Tally):  # fmt: skip
            model.objects.all().delete()
        self.executors = {
            name: MockExecutor(options, name=name, ledger=DatabaseLedger(name)) for name, options in OPTIONS.items()
        }
        self.leases = [Lease(60), Lease(60)]
        self.control = Control({}, self.leases[0].id)
        self.accepted: set[UUID] = set()
        self.keys: dict[tuple[str, str], UUID] = {}
        self.fences: dict[UUID, int] = {}

    @initialize(most=st.integers(1, 4), memory=st.integers(5, 40), millis=st.integers(500, 3000))
    def set_quotas(self, most: int, memory: int, millis: int) -> None:
        namespaces.set_quotas("a", max_jobs=most, max_queued=QUEUED_AT_MOST)
        namespaces.set_quotas("b", max_memory_mib=memory, max_cpu_millis=millis)

    @rule(
        count=st.integers(1, 5), executor=st.sampled_from(sorted(OPTIONS)), namespace=st.sampled_from("abc"),
        memory=st.integers(1, 20), cpu=st.sampled_from([0.1, 0.5, 1.0]), priority=st.integers(0, 1),
        wait=st.sampled_from([None, 1e-6, 60.0]), key=st.sampled_from([None, None, "one", "two"]),
    )  # fmt: skip
    def submit(self, count: int, **wanted: Any) -> None:
        for _ in range(count):
            self.submit_one(**wanted)

    def submit_one(self, executor: str, namespace: str, key: str | None, **request: Any) -> None:
        body = JobRequest(
            command=["x"], memory_mib=request["memory"], cpu_cores=request["cpu"], priority=request["priority"],
            queue_timeout_seconds=request["wait"],
        )  # fmt: skip
        queued = Job.objects.filter(namespace=namespace, state=JobState.QUEUED).count()
        try:
            launched = jobs.launch(
                executor, body, namespace=namespace, describe=lambda job: {"id": str(job.pk)}, idempotency_key=key
            )
        except IdempotencyMismatch:
            assert (namespace, key) in self.keys
        except QueueFull:
            assert (namespace, queued) == ("a", QUEUED_AT_MOST)
        except InvalidJob:
            quota = Namespace.objects.get(name="b")
            assert namespace == "b"
            assert request["memory"] > (quota.max_memory_mib or 0) or request["cpu"] * 1000 > (
                quota.max_cpu_millis or 0
            )
        else:
            assert launched.replayed is (launched.job.pk in self.accepted)
            assert launched.document == {"id": str(launched.job.pk)}
            assert key is None or self.keys.setdefault((namespace, key), launched.job.pk) == launched.job.pk
            self.accepted.add(launched.job.pk)

    @precondition(lambda self: Job.objects.filter(state=JobState.QUEUED).exists())
    @rule(executor=st.sampled_from(sorted(OPTIONS)), most=st.integers(1, 5), by=st.integers(0, 1))
    def claim(self, executor: str, most: int, by: int) -> None:
        for job in claim(self.executors[executor], self.leases[by].id, most):
            assert (job.state, job.owner) == (JobState.LAUNCHING, self.leases[by].id)

    @precondition(lambda self: Job.objects.filter(state__in=ACTIVE).exists())
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        job = self.draw(data, ACTIVE)
        deadline = lifecycle.start(job.pk, fence=job.fence, timeout_seconds=60)
        assert deadline is not None
        assert lifecycle.start(job.pk, fence=job.fence, timeout_seconds=99) == deadline

    @precondition(lambda self: Job.objects.filter(state__in=ACTIVE).exists())
    @rule(data=st.data())
    def time_out(self, data: st.DataObject) -> None:
        job = self.draw(data, ACTIVE)
        marked = lifecycle.mark(
            job.pk, EventType.TIMED_OUT, states=ACTIVE, fence=job.fence, timed_out_at=timezone.now()
        )
        assert marked is (job.timed_out_at is None)

    @precondition(lambda self: Job.objects.filter(state="queued", queue_deadline__lte=timezone.now()).exists())
    @rule()
    def end_overdue(self) -> None:
        due = set(Job.objects.filter(state="queued", queue_deadline__lte=timezone.now()).values_list("pk", flat=True))
        self.control._end_overdue()
        ended = Job.objects.filter(pk__in=due)
        assert {(job.state, job.reason) for job in ended} <= {(JobState.FAILED, Reason.QUEUE_TIMEOUT)}

    @precondition(lambda self: Job.objects.filter(state__in=ACTIVE).exists())
    @rule(gone=st.integers(0, 1), data=st.data())
    def take_over_from_a_dispatcher_that_is_silent(self, gone: int, data: st.DataObject) -> None:
        DispatcherLease.objects.filter(pk=self.leases[gone].id).update(lease_expires_at=timezone.now())
        before = {job.pk: job for job in Job.objects.filter(state__in=ACTIVE)}
        orphaned = {job.pk for job in before.values() if job.owner == self.leases[gone].id}
        taken = self.leases[1 - gone].take_over(sorted(OPTIONS))
        assert {job.pk for job in taken} == orphaned
        for job in taken:
            assert (job.owner, job.fence) == (self.leases[1 - gone].id, before[job.pk].fence + 1)
            self.nothing_can_be_done_by_its_old_owner(before[job.pk])
        assert not self.leases[gone].renew()
        self.leases[gone].begin()

    def nothing_can_be_done_by_its_old_owner(self, job: Job) -> None:
        outcome = Outcome(JobState.FAILED, Reason.ENGINE_LOST)
        assert lifecycle.start(job.pk, fence=job.fence, timeout_seconds=60) is None
        assert not lifecycle.mark(
            job.pk, EventType.TIMED_OUT, states=ACTIVE, fence=job.fence, timed_out_at=timezone.now()
        )
        assert not lifecycle.retry(job.pk, outcome, fence=job.fence, not_before=timezone.now())
        assert not lifecycle.end(job.pk, outcome, fence=job.fence)

    @precondition(lambda self: Attempt.objects.filter(finished_at__isnull=False, cleaned_at=None).exists())
    @rule(data=st.data())
    def clean(self, data: st.DataObject) -> None:
        left = Attempt.objects.filter(finished_at__isnull=False, cleaned_at=None).order_by("pk")
        attempt = data.draw(st.sampled_from(list(left)))
        lifecycle.attempt_cleaned(attempt.job_id, attempt.number, 0.1)

    @precondition(lambda self: Job.objects.filter(cleaned_at__isnull=False).exists())
    @rule()
    def retire(self) -> None:
        over = set(Job.objects.filter(cleaned_at__isnull=False).values_list("pk", flat=True))
        assert {Job.objects.get(pk=pk).state for pk in over} <= set(TERMINAL)
        retention.delete_logs()
        assert retention.delete_jobs() == len(over)
        self.accepted -= over
        self.keys = {key: pk for key, pk in self.keys.items() if pk not in over}

    def draw(self, data: st.DataObject, states: Collection[JobState]) -> Job:
        return data.draw(st.sampled_from(list(Job.objects.filter(state__in=states).order_by("pk"))))

    @precondition(lambda self: Job.objects.filter(state__in=ACTIVE).exists())
    @rule(data=st.data(), again=st.booleans())
    def end(self, data: st.DataObject, again: bool) -> None:
        job = self.draw(data, ACTIVE)
        outcome = Outcome(JobState.FAILED, Reason.ENGINE_LOST)
        if again:
            tried = lifecycle.retry(job.pk, outcome, fence=job.fence, not_before=job.created_at)
            assert tried is (job.cancel_requested_at is None)
        if not again or job.cancel_requested_at:
            assert lifecycle.end(job.pk, outcome, fence=job.fence)
        assert not lifecycle.end(job.pk, outcome, fence=job.fence - 1)
        assert not DatabaseLedger(job.executor).release(str(job.pk))

    @precondition(lambda self: Job.objects.exists())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(list(Job.objects.order_by("pk"))))
        try:
            jobs.cancel(job)
        except IllegalTransition:
            assert job.state == JobState.FAILED
        else:
            assert Job.objects.get(pk=job.pk).state in (JobState.CANCELLED, *ACTIVE)

    @precondition(lambda self: Allocation.objects.exists())
    @rule(data=st.data())
    def reserve_again(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(list(Allocation.objects.order_by("pk"))))
        executor = self.executors[held.executor]
        same = Resources(held.memory_mib, held.cpu_millis / 1000)
        assert executor.ledger.reserve(str(held.pk), same, executor.limits)
        assert not executor.ledger.reserve(str(held.pk), Resources(same.memory + 1, same.cpu), executor.limits)

    @invariant()
    def nothing_that_was_accepted_is_lost(self) -> None:
        assert set(Job.objects.values_list("pk", flat=True)) == self.accepted

    @invariant()
    def every_job_has_come_along_the_arrows_with_an_event_each(self) -> None:
        for job in Job.objects.prefetch_related("events"):
            events = sorted(job.events.all(), key=lambda event: event.seq)
            assert [event.seq for event in events] == list(range(1, job.version + 1))
            path = [JobState(event.state) for event in events if event.type == "state"]
            assert (path[0], path[-1]) == (JobState.QUEUED, job.state)
            assert all(target in TRANSITIONS[source] for source, target in itertools.pairwise(path))
            assert path.count(JobState.LAUNCHING) == job.attempt

    @invariant()
    def a_job_has_one_open_attempt_while_it_is_active_and_none_otherwise(self) -> None:
        for job in Job.objects.prefetch_related("attempts"):
            attempts = sorted(job.attempts.all(), key=lambda attempt: attempt.number)
            assert [attempt.number for attempt in attempts] == list(range(1, job.attempt + 1))
            still_open = [attempt.number for attempt in attempts if attempt.finished_at is None]
            assert still_open == ([job.attempt] if job.state in ACTIVE else [])
            assert all(bool(attempt.reason) is (attempt.finished_at is not None) for attempt in attempts)
            assert job.cleaned_at is None or all(attempt.cleaned_at for attempt in attempts)

    @invariant()
    def an_active_job_has_an_owner_and_no_fence_goes_down(self) -> None:
        for job in Job.objects.all():
            assert (job.owner is not None) is (job.state in ACTIVE)
            assert job.fence >= self.fences.get(job.pk, 0)
            self.fences[job.pk] = job.fence

    @invariant()
    def whoever_runs_holds_and_nobody_else(self) -> None:
        active = Job.objects.filter(state__in=ACTIVE).values_list("pk", "memory_mib", "cpu_millis")
        assert set(active) == set(Allocation.objects.values_list("pk", "memory_mib", "cpu_millis"))

    @invariant()
    def the_sums_are_those_of_the_allocations(self) -> None:
        for capacity in Capacity.objects.all():
            assert used(capacity) == held(executor=capacity.executor)
        for namespace in Namespace.objects.all():
            assert used(namespace) == held(namespace=namespace.name)
        for share in Share.objects.all():
            assert share.jobs_used == held(executor=share.executor, namespace=share.namespace)[0]

    def teardown(self) -> None:
        self.control.close()

    @invariant()
    def nothing_is_over_a_limit(self) -> None:
        for executor in self.executors.values():
            amount = executor.ledger.used()
            assert amount.memory <= (executor.total_memory or 0)
            assert executor.total_cpu is None or amount.cpu <= executor.total_cpu
            assert executor.max_jobs is None or executor.ledger.count() <= executor.max_jobs
        for quota in Namespace.objects.all():
            assert quota.max_jobs is None or quota.jobs_used <= quota.max_jobs
            assert quota.max_memory_mib is None or quota.memory_used <= quota.max_memory_mib
            assert quota.max_cpu_millis is None or quota.cpu_millis_used <= quota.max_cpu_millis


def used(row: Capacity | Namespace) -> tuple[int, int, int]:
    return row.jobs_used, row.memory_used, row.cpu_millis_used


def held(**narrowed: str) -> tuple[int, int, int]:
    rows = list(Allocation.objects.filter(**narrowed))
    return len(rows), sum(row.memory_mib for row in rows), sum(row.cpu_millis for row in rows)


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_the_books_balance_after_every_step_of_any_interleaving(settings: Any) -> None:
    backend = "container_manager.executors.mock.MockExecutor"
    settings.PURSER = settings.PURSER.model_copy(update={"retention_seconds": 0, "log_retention_seconds": 0})
    settings.EXECUTORS = {name: {"BACKEND": backend, "OPTIONS": options} for name, options in OPTIONS.items()}
    try:
        run_state_machine_as_test(Books, settings=limits(max_examples=EXAMPLES, stateful_step_count=30, deadline=None))
    finally:
        bell.close()

"""The books under random interleavings: after each step the sums equal what is held, and nothing is over a limit."""

from typing import Any

import pytest
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
from container_manager.dispatcher.claim import claim
from container_manager.exceptions import IllegalTransition, InvalidJob, QueueFull
from container_manager.executors.mock import MockExecutor
from container_manager.identifiers import uuid7
from container_manager.ledger import DatabaseLedger
from container_manager.lifecycle import Outcome
from container_manager.models import Allocation, Attempt, Capacity, Job, JobEvent, JobLabel, Namespace, Share
from container_manager.resources import Resources
from container_manager.spec import JobRequest
from container_manager.states import ACTIVE, JobState, Reason

OPTIONS = {
    "mock": {"total_memory": 40, "total_cpu": 4, "max_jobs": 4},
    "other": {"total_memory": 30, "max_memory": 20},
}
QUEUED_AT_MOST = 6


class Books(RuleBasedStateMachine):
    """Two executors and three namespaces, with every way a reservation is made and given back."""

    def __init__(self) -> None:
        super().__init__()
        for model in (Allocation, JobEvent, Attempt, JobLabel, Job, Capacity, Share, Namespace):
            model.objects.all().delete()
        self.executors = {
            name: MockExecutor(options, name=name, ledger=DatabaseLedger(name)) for name, options in OPTIONS.items()
        }

    @initialize(most=st.integers(1, 4), memory=st.integers(5, 40), millis=st.integers(500, 3000))
    def set_quotas(self, most: int, memory: int, millis: int) -> None:
        namespaces.set_quotas("a", max_jobs=most, max_queued=QUEUED_AT_MOST)
        namespaces.set_quotas("b", max_memory_mib=memory, max_cpu_millis=millis)

    @rule(
        executor=st.sampled_from(sorted(OPTIONS)), namespace=st.sampled_from("abc"), memory=st.integers(1, 20),
        cpu=st.sampled_from([0.1, 0.5, 1.0]), priority=st.integers(0, 1),
    )  # fmt: skip
    def submit(self, executor: str, namespace: str, **request: Any) -> None:
        body = JobRequest(
            command=["x"], memory_mib=request["memory"], cpu_cores=request["cpu"], priority=request["priority"]
        )
        queued = Job.objects.filter(namespace=namespace, state=JobState.QUEUED).count()
        try:
            jobs.launch(executor, body, namespace=namespace, describe=lambda job: {})
        except QueueFull:
            assert (namespace, queued) == ("a", QUEUED_AT_MOST)
        except InvalidJob:
            quota = Namespace.objects.get(name="b")
            assert namespace == "b"
            assert request["memory"] > (quota.max_memory_mib or 0) or request["cpu"] * 1000 > (
                quota.max_cpu_millis or 0
            )

    @rule(executor=st.sampled_from(sorted(OPTIONS)), most=st.integers(1, 3))
    def claim(self, executor: str, most: int) -> None:
        for job in claim(self.executors[executor], uuid7(), most):
            assert job.state == JobState.LAUNCHING

    @precondition(lambda self: Job.objects.filter(state__in=ACTIVE).exists())
    @rule(data=st.data(), again=st.booleans())
    def end(self, data: st.DataObject, again: bool) -> None:
        job = data.draw(st.sampled_from(list(Job.objects.filter(state__in=ACTIVE).order_by("pk"))))
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

    @precondition(lambda self: Allocation.objects.exists())
    @rule(data=st.data())
    def reserve_again(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(list(Allocation.objects.order_by("pk"))))
        executor = self.executors[held.executor]
        same = Resources(held.memory_mib, held.cpu_millis / 1000)
        assert executor.ledger.reserve(str(held.pk), same, executor.limits)
        assert not executor.ledger.reserve(str(held.pk), Resources(same.memory + 1, same.cpu), executor.limits)

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
@pytest.mark.timeout(300)
def test_the_books_balance_after_every_step_of_any_interleaving(settings: Any) -> None:
    backend = "container_manager.executors.mock.MockExecutor"
    settings.EXECUTORS = {name: {"BACKEND": backend, "OPTIONS": options} for name, options in OPTIONS.items()}
    run_state_machine_as_test(Books, settings=limits(max_examples=10, stateful_step_count=20, deadline=None))

"""From the queue to the end: a real dispatcher, on the scripted engine."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from container_manager import breaker, jobs, lifecycle, logs, reports
from container_manager.bell import bell
from container_manager.breaker import DatabaseBreaker
from container_manager.dispatcher import Dispatcher
from container_manager.dispatcher.lease import Lease
from container_manager.executors.measure import measured
from container_manager.executors.mock import MockExecutor
from container_manager.executors.registry import executors
from container_manager.executors.results import LaunchResult
from container_manager.identifiers import uuid7
from container_manager.ledger import DatabaseLedger
from container_manager.models import Allocation, Attempt, DispatcherLease, ExecutorReport, Job
from container_manager.resources import Resources
from container_manager.spans import STAGES, SpanEvent, observe, span
from container_manager.spec import JobRequest, JobSpec
from container_manager.states import LaunchPath, Reason

pytestmark = pytest.mark.django_db(transaction=True)

MOCK = "container_manager.executors.mock.MockExecutor"


@pytest.fixture(autouse=True)
def quick(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.PURSER = settings.PURSER.model_copy(update={"report_seconds": 0.1, "dispatcher_lease_seconds": 3})
    settings.STORAGES = {
        **settings.STORAGES,
        "logs": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "logs"}},
    }
    settings.EXECUTORS = {
        "mock": {"BACKEND": MOCK, "OPTIONS": {"state_dir": str(tmp_path / "mock"), "default_cpu": 0.1}}
    }
    yield
    bell.close()


@contextmanager
def dispatching(options: dict[str, Any] | None = None) -> Iterator[Dispatcher]:
    """A dispatcher over the registered mock executor, or over one with further options."""
    config = {**executors["mock"].config, **(options or {})}
    mock = MockExecutor(config, name="mock", ledger=DatabaseLedger("mock"), breaker=DatabaseBreaker("mock"))
    dispatcher = Dispatcher({"mock": mock})
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        dispatcher.drain(10)


def launch(scenario: dict[str, Any] | None = None, **request: Any) -> Job:
    body = JobRequest.model_validate({"command": ["x"], "scenario": scenario or {}, **request})
    return jobs.launch("mock", body, namespace="default", describe=lambda job: {}).job


def until(condition: Callable[[], Any], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def cleaned(*wanted: Job) -> list[Job]:
    until(lambda: not Job.objects.filter(pk__in=[job.pk for job in wanted], cleaned_at=None).exists())
    return [Job.objects.get(pk=job.pk) for job in wanted]


def in_state(job: Job, state: str) -> None:
    until(lambda: Job.objects.get(pk=job.pk).state == state)


def test_a_job_runs_to_its_end_and_nothing_of_it_is_left() -> None:
    with dispatching():
        (job,) = cleaned(launch({"run_seconds": 0.1, "output": [{"text": "hello\n"}]}))
        listed = executors["mock"].list_executions()

    assert (job.state, job.reason, job.exit_code, job.attempt) == ("succeeded", "completed", 0, 1)
    assert [event.state for event in jobs.events(job)] == ["queued", "launching", "running", "succeeded", "succeeded"]
    assert [line.data for line in logs.read(job.pk, 1).lines] == [b"hello"]
    assert logs.read(job.pk, 1).complete
    assert listed == []
    assert not Allocation.objects.exists()
    assert reports.utilization("mock")["memory_used"] == 0


def test_the_stages_of_a_job_are_told_in_their_order() -> None:
    told: list[SpanEvent] = []
    end = observe(told.append)
    try:
        with dispatching():
            until(lambda: ExecutorReport.objects.filter(healthy=True))
            told.clear()
            cleaned(launch())
    finally:
        end()

    stages = [event.name for event in told if event.seconds is not None and event.name in STAGES]
    once = [name for name in dict.fromkeys(stages) if stages.count(name) == 1]
    assert [name for name in once if name != "wake"] == ["accept", "reserve", "claim", "run", "notice", "release"]
    assert "wake" in stages


def test_logs_are_complete_when_the_end_can_be_seen() -> None:
    with dispatching():
        started = [launch({"output": [{"text": "x" * 5000}], "run_seconds": 0.05}) for _ in range(10)]
        for job in started:
            until(lambda job=job: Job.objects.get(pk=job.pk).finished_at)  # type: ignore[misc]
            assert logs.read(job.pk, 1, tail=1).complete


def test_a_job_over_its_time_is_asked_and_then_killed() -> None:
    with dispatching():
        (job,) = cleaned(launch({"run_seconds": 60, "ignore_sigterm": True}, timeout_seconds=0.2, grace_seconds=0.3))

    assert (job.state, job.reason) == ("failed", "timeout")
    assert job.evidence == {"timeout_seconds": 0.2, "exit_code": 137}
    assert job.finished_at is not None
    assert job.started_at is not None
    assert 0.5 <= (job.finished_at - job.started_at).total_seconds() < 3


def test_a_running_job_that_is_cancelled_gets_its_grace() -> None:
    with dispatching():
        job = launch({"run_seconds": 60})
        in_state(job, "running")
        jobs.cancel(job)
        (job,) = cleaned(job)

    assert (job.state, job.reason, job.exit_code) == ("cancelled", "cancelled", 143)


def test_a_job_that_is_cancelled_while_it_is_launched_ends_as_cancelled() -> None:
    with dispatching():
        job = launch({"run_seconds": 60, "launch_seconds": 0.5})
        in_state(job, "launching")
        jobs.cancel(job)
        (job,) = cleaned(job)

    assert (job.state, job.reason) == ("cancelled", "cancelled")


def test_the_way_that_a_launch_took_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    with dispatching() as dispatcher:
        executor = dispatcher._lanes["mock"].board.executor
        original = executor.launch_job
        monkeypatch.setattr(
            executor, "launch_job", lambda job: LaunchResult(*original(job), path=LaunchPath.COLD, path_detail="why")
        )
        (job,) = cleaned(launch())

    attempt = job.attempts.get()
    assert (attempt.launch_path, attempt.launch_path_detail) == ("cold", "why")


def test_a_launch_that_takes_long_is_given_up_when_its_job_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()

    def launch_slowly(job: JobSpec) -> LaunchResult:
        assert given_up.wait(15)
        return LaunchResult(False, "given up", Reason.IMAGE_PULL_FAILED)

    with dispatching() as dispatcher:
        executor = dispatcher._lanes["mock"].board.executor
        monkeypatch.setattr(executor, "launch_job", launch_slowly)
        monkeypatch.setattr(executor, "abandon_launch", lambda execution_id: given_up.set())
        job = launch()
        in_state(job, "launching")
        jobs.cancel(job)
        (job,) = cleaned(job)

    assert (job.state, job.reason, job.attempt) == ("cancelled", "cancelled", 1)
    assert not Allocation.objects.exists()


def test_a_job_that_waits_too_long_ends_with_the_figures() -> None:
    with dispatching({"total_memory": 300}):
        until(lambda: reports.utilization("mock")["memory_total"] == 300)
        holder = launch({"run_seconds": 60})
        in_state(holder, "running")
        (job,) = cleaned(launch(queue_timeout_seconds=0.2))
        jobs.cancel(holder)
        cleaned(holder)

    assert (job.state, job.reason, job.attempt) == ("failed", "queue_timeout", 0)
    assert job.evidence["queue_timeout_seconds"] == 0.2
    assert job.evidence["waited_seconds"] >= 0.2


def test_a_fault_of_the_engine_is_retried_as_often_as_asked_and_every_attempt_is_kept() -> None:
    with dispatching({"failure_threshold": 50}):
        (job,) = cleaned(launch({"refuse": {"reason": "launch_error", "message": "no"}}, max_retries=2))

    assert (job.state, job.reason, job.attempt) == ("failed", "launch_error", 3)
    assert [attempt.evidence["error"] for attempt in job.attempts.order_by("number")] == ["no", "no", "no"]
    assert not Allocation.objects.exists()


@pytest.mark.parametrize("reason", ["image_not_found", "image_auth", "command_not_found"])
def test_a_fault_of_the_job_is_not_retried(reason: str) -> None:
    with dispatching():
        (job,) = cleaned(launch({"refuse": {"reason": reason}}, max_retries=5))

    assert (job.state, job.reason, job.attempt) == ("failed", reason, 1)


def test_an_execution_that_is_gone_is_lost_and_retried() -> None:
    with dispatching():
        (job,) = cleaned(launch({"run_seconds": 60, "vanish_at_seconds": 0.1}, max_retries=1))

    assert (job.state, job.reason, job.attempt) == ("failed", "engine_lost", 2)


def test_no_answer_is_not_an_end() -> None:
    with dispatching():
        job = launch({"run_seconds": 0.3, "engine_lost": {"from_seconds": 0.1, "for_seconds": 0.8}})
        (job,) = cleaned(job)

    assert (job.state, job.attempt, job.stale_since) == ("succeeded", 1, None)


def test_nothing_is_launched_while_the_engine_is_away_and_all_goes_on_when_it_is_back() -> None:
    with dispatching({"engine_away": {"from_seconds": 0, "for_seconds": 1.5}}):
        job = launch()
        until(lambda: ExecutorReport.objects.filter(healthy=False).exists())
        assert not reports.health("mock").healthy
        assert Job.objects.get().state == "queued"
        (job,) = cleaned(job)

    assert (job.state, job.attempt) == ("succeeded", 1)


def test_a_running_job_is_stale_while_a_look_at_the_engine_finds_that_it_does_not_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    changes = [(0, True), (1.5, False), (3, True)]
    health = [{"after_seconds": after, "healthy": healthy, "detail": "it hangs"} for after, healthy in changes]
    with dispatching({"health": health}):
        job = launch({"run_seconds": 60})
        in_state(job, "running")
        until(lambda: Job.objects.get().stale_since)
        until(lambda: not Job.objects.get().stale_since)
        assert Job.objects.get().state == "running"
        jobs.cleanup(job, by="test")
        cleaned(job)

    warned = [record for record in caplog.records if record.message == "engine unavailable"]
    assert [record.error for record in warned] == ["it hangs"]  # type: ignore[attr-defined]


def test_what_does_not_fit_waits_and_holds_back_what_is_behind_it() -> None:
    with dispatching({"total_memory": 300}):
        until(lambda: reports.utilization("mock")["memory_total"] == 300)
        holder = launch({"run_seconds": 0.5}, memory_mib=200)
        in_state(holder, "running")
        big, small = launch(memory_mib=300), launch(memory_mib=1)
        holder, big, small = cleaned(holder, big, small)

    assert big.launching_at is not None
    assert holder.finished_at is not None
    assert small.launching_at is not None
    assert holder.finished_at <= big.launching_at <= small.launching_at


def test_the_queue_goes_by_priority_then_age() -> None:
    waiting = [launch(priority=priority) for priority in (0, 5, 0, 9)]
    with dispatching({"launch_concurrency": 1, "total_memory": 256}):
        done = cleaned(*waiting)

    order = sorted(range(4), key=lambda index: done[index].launching_at or timezone.now())
    assert order == [3, 1, 0, 2]


def test_a_dispatcher_that_is_drained_leaves_what_runs_to_the_next() -> None:
    with dispatching():
        job = launch({"run_seconds": 1, "output": [{"text": "a\n"}, {"at_seconds": 0.8, "text": "b\n"}]})
        in_state(job, "running")
    assert Job.objects.get().state == "running"
    assert not DispatcherLease.objects.exists()

    with dispatching():
        (job,) = cleaned(job)

    assert (job.state, job.attempt) == ("succeeded", 1)
    assert [line.data for line in logs.read(job.pk, 1).lines] == [b"a", b"b"]


def test_a_dispatcher_whose_lease_lapsed_owns_nothing_and_starts_over() -> None:
    with dispatching():
        job = launch({"run_seconds": 2.5})
        in_state(job, "running")
        fence = Job.objects.get().fence
        DispatcherLease.objects.all().delete()
        until(lambda: Job.objects.get().fence == fence + 1)
        (job,) = cleaned(job)

    assert (job.state, job.attempt) == ("succeeded", 1)


def test_two_dispatchers_share_the_work_and_nothing_runs_twice() -> None:
    with dispatching(), dispatching():
        done = cleaned(*[launch({"run_seconds": 0.02}) for _ in range(40)])

    assert {(job.state, job.attempt) for job in done} == {("succeeded", 1)}


def test_the_lease_of_a_dead_process_of_this_host_ends_at_once() -> None:
    lease = Lease(60)
    orphan = uuid7()
    DispatcherLease.objects.create(
        pk=orphan,
        host=DispatcherLease.objects.get().host,
        process="4194303@1",
        lease_expires_at=timezone.now() + timedelta(hours=1),
    )
    job = launch()
    Job.objects.update(state="running", owner=orphan)

    taken = lease.take_over(["mock"])

    assert [found.pk for found in taken] == [job.pk]
    assert (Job.objects.get().owner, Job.objects.get().fence) == (lease.id, 1)
    assert lease.take_over(["mock"]) == []


def test_the_jobs_of_another_host_are_taken_when_its_lease_has_lapsed_and_not_before() -> None:
    lease = Lease(60)
    other = DispatcherLease.objects.create(
        host="elsewhere", process="1@1", lease_expires_at=timezone.now() + timedelta(hours=1)
    )
    launch()
    Job.objects.update(state="running", owner=other.pk)

    assert lease.take_over(["mock"]) == []
    DispatcherLease.objects.filter(pk=other.pk).update(lease_expires_at=timezone.now())
    assert len(lease.take_over(["mock"])) == 1


def test_a_clock_that_is_ahead_takes_no_job_from_a_lease_that_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    lease, other = Lease(60), Lease(60)
    DispatcherLease.objects.filter(pk=other.id).update(host="elsewhere")
    launch()
    Job.objects.update(state="running", owner=other.id)
    ahead = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)

    # SQLite is for one host, which has one clock.
    assert len(lease.take_over(["mock"])) == (connection.vendor == "sqlite")


def test_a_cleanup_that_was_cut_short_is_done_later() -> None:
    job = launch({"run_seconds": 60})
    mock = executors["mock"]
    with dispatching():
        in_state(job, "running")
    spec = Job.objects.get().spec()
    before = timezone.now() - timedelta(minutes=1)
    Job.objects.update(state="failed", reason="oom", finished_at=before, owner=None)
    Job.objects.get().attempts.update(finished_at=before)
    assert [ref.execution_id for ref in mock.list_executions()] == [spec.execution_id]

    with dispatching():
        cleaned(job)

    assert mock.list_executions() == []


def test_a_database_that_was_away_for_a_moment_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.utils import OperationalError

    real, failures = lifecycle.start, iter([OperationalError("away"), OperationalError("away")])

    def flaky(*args: Any, **kwargs: Any) -> Any:
        if error := next(failures, None):
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(lifecycle, "start", flaky)
    with dispatching():
        (job,) = cleaned(launch({"run_seconds": 0.1}))

    assert (job.state, job.attempt) == ("succeeded", 1)


def test_a_job_is_retried_for_the_reasons_it_names() -> None:
    with dispatching():
        (job,) = cleaned(
            launch({"exit_code": 3}, retry_on=["exit_nonzero"], max_retries=1, retry_backoff_seconds=0.01),
        )

    assert (job.state, job.reason, job.attempt) == ("failed", "exit_nonzero", 2)
    assert [attempt.exit_code for attempt in job.attempts.order_by("number")] == [3, 3]


def test_dispatchers_share_one_breaker_that_opens_and_heals_alone() -> None:
    options = {"failure_threshold": 2, "failure_cooldown_seconds": 1.0, "launch_concurrency": 1}
    refused = {"refuse": {"reason": "launch_error", "message": "no"}}
    with dispatching(options), dispatching(options):
        cleaned(*[launch(refused, max_retries=0) for _ in range(2)])
        assert breaker.find("mock").failures == 2
        (job,) = cleaned(launch())
        until(lambda: breaker.find("mock").state == "closed")

    opened = max(attempt.finished_at for attempt in Attempt.objects.exclude(job=job) if attempt.finished_at)
    assert job.state == "succeeded"
    assert job.launching_at is not None
    assert (job.launching_at - opened).total_seconds() >= 0.9


def test_reports_say_what_was_counted() -> None:
    with dispatching():
        cleaned(launch(), launch({"exit_code": 3}))
        until(lambda: ExecutorReport.objects.filter(metrics__jobs_launched=2).exists())
        health = reports.health("mock")

    counts = {(row["state"], row["reason"]): row["count"] for row in reports.counts("mock")}
    assert (health.healthy, health.dispatchers, health.breaker) == (True, 1, "closed")
    assert counts[("succeeded", "completed")] == 1
    assert counts[("failed", "exit_nonzero")] == 1
    assert reports.counts("mock", namespace="other") == []


def test_without_a_dispatcher_an_executor_is_not_healthy() -> None:
    assert not reports.health("mock").healthy
    assert "no dispatcher" in reports.health("mock").detail
    assert reports.utilization("mock")["memory_percent"] is None


def test_capacity_is_learnt_from_the_engine_where_the_config_names_none() -> None:
    with dispatching({"total_memory": 1000}):
        until(lambda: reports.utilization("mock")["memory_total"] == 1000)

    found = MockExecutor({}).capacity()
    assert isinstance(found, Resources)
    assert reports.utilization("mock")["cpu_total"] == found.cpu


def test_a_start_that_was_committed_but_looked_failed_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = lifecycle.start, iter([OSError("told too late")])

    def late(*args: Any, **kwargs: Any) -> Any:
        deadline = real(*args, **kwargs)
        if error := next(failures, None):
            raise error
        return deadline

    monkeypatch.setattr(lifecycle, "start", late)
    with dispatching():
        (job,) = cleaned(launch({"run_seconds": 0.1, "output": [{"text": "x"}]}))

    assert (job.state, job.attempt) == ("succeeded", 1)
    assert [line.data for line in logs.read(job.pk, 1).lines] == [b"x"]


def test_a_job_that_the_books_give_to_a_dispatcher_that_forgot_it_is_found_again() -> None:
    with dispatching() as dispatcher:
        job = launch({"run_seconds": 1})
        in_state(job, "running")
        lane = dispatcher._lanes["mock"]
        for tracked in lane.board.all():
            lane.board.remove(tracked)
        (job,) = cleaned(job)

    assert (job.state, job.attempt) == ("succeeded", 1)


def test_an_executor_that_breaks_again_and_again_ends_the_job_and_not_the_dispatcher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("container_manager.dispatcher.workers.RETRY_SECONDS", 0.05)
    with dispatching({"failure_threshold": 50}) as dispatcher:
        executor = dispatcher._lanes["mock"].board.executor
        monkeypatch.setattr(executor, "launch_job", lambda job: 1 / 0)
        (job,) = cleaned(launch(max_retries=0))

    assert (job.state, job.reason) == ("failed", "launch_error")
    assert "ZeroDivisionError" in job.evidence["error"]


def test_an_executor_that_cannot_stop_ends_a_job_by_its_cleanup() -> None:
    with dispatching() as dispatcher:
        executor = dispatcher._lanes["mock"].board.executor
        executor.capabilities = replace(executor.capabilities, stop=False)
        (job,) = cleaned(launch({"run_seconds": 60}, timeout_seconds=0.2))

    assert (job.state, job.reason) == ("failed", "timeout")


def test_every_phase_of_an_attempt_is_timed_and_what_did_not_happen_is_unknown() -> None:
    with dispatching():
        (job,) = cleaned(launch({"run_seconds": 0.3}))
    attempt = job.attempts.get()
    assert attempt.pull_seconds is None
    assert all(
        seconds is not None and seconds >= 0
        for seconds in (attempt.queued_seconds, attempt.launch_seconds, attempt.cleanup_seconds)
    )
    assert 0.2 < (attempt.run_seconds or 0) < 10


def test_a_jobs_secrets_are_given_and_wiped_at_its_end(tmp_path: Path) -> None:
    job = launch({"run_seconds": 0.5}, secrets=[{"name": "word", "value": "hunter2"}])
    assert Job.objects.get(pk=job.pk).secrets
    with dispatching():
        in_state(job, "running")
        (record,) = (tmp_path / "mock").glob("purser-*.json")
        assert json.loads(record.read_text())["secrets"] == ["/run/secrets/word"]
        assert "hunter2" not in record.read_text()
        assert cleaned(job)[0].secrets == ""


def test_a_job_whose_secrets_no_key_opens_is_told(settings: Any) -> None:
    job = launch(secrets=[{"name": "word", "value": "hunter2"}])
    settings.SECRET_KEY = "n" * 40
    with dispatching():
        (ended,) = cleaned(job)
    assert (ended.reason, ended.secrets) == ("launch_refused", "")
    assert "present keys" in ended.evidence["error"]


def test_what_an_engine_says_of_a_refusal_does_not_repeat_a_secret() -> None:
    refuse = {"reason": "launch_refused", "message": "cannot take hunter2 for an answer"}
    job = launch({"refuse": refuse}, secrets=[{"name": "word", "value": "hunter2"}])
    with dispatching():
        (ended,) = cleaned(job)
    assert ended.evidence["error"] == "cannot take *** for an answer"


def test_a_job_whose_image_is_being_pulled_says_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    pulled, launch_job = threading.Event(), MockExecutor.launch_job

    def pulling(mock: MockExecutor, job: Any) -> Any:
        with span("pull", mock.name, job.execution_id):
            pulled.wait(10)
        return launch_job(mock, job)

    monkeypatch.setattr(MockExecutor, "launch_job", pulling)
    with dispatching():
        job = launch()
        until(lambda: Attempt.objects.filter(job=job, pulling_at__isnull=False, pull_seconds=None).exists())
        in_state(job, "launching")
        pulled.set()
        cleaned(job)
    assert Attempt.objects.get(job=job).pull_seconds


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch) -> list[threading.Event]:
    """A mock that makes something before it starts it: an event when it is about to, and one that lets it."""
    about_to, may, launch_job = threading.Event(), threading.Event(), MockExecutor.launch_job

    def launch_in_steps(mock: MockExecutor, job: Any) -> Any:
        about_to.set()
        may.wait(10)
        with span("create", mock.name, job.execution_id):
            return launch_job(mock, job)

    monkeypatch.setattr(MockExecutor, "launch_job", measured(launch_in_steps))
    return [about_to, may]


def test_a_dispatcher_whose_job_another_has_taken_over_launches_nothing(created: list[threading.Event]) -> None:
    about_to, may = created
    with dispatching():
        launch({"run_seconds": 60})
        about_to.wait(10)
        Job.objects.update(owner=Lease(60).id, fence=F("fence") + 1)
        may.set()
    assert executors["mock"].list_executions() == []
    assert (Job.objects.get().state, Job.objects.get().attempt) == ("launching", 1)
    assert breaker.find("mock").failures == 0


def test_a_database_that_is_away_when_it_is_asked_whose_a_job_is_is_no_fault_of_the_executor(
    monkeypatch: pytest.MonkeyPatch, created: list[threading.Event]
) -> None:
    from django.db.utils import OperationalError

    monkeypatch.setattr("container_manager.dispatcher.workers.RETRY_SECONDS", 0.05)
    real, failures = lifecycle.is_owned, iter([OperationalError("away")] * 6)

    def flaky(*args: Any, **kwargs: Any) -> bool:
        if error := next(failures, None):
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(lifecycle, "is_owned", flaky)
    created[1].set()
    with dispatching():
        (job,) = cleaned(launch({"run_seconds": 0.1}, max_retries=0))
        health = breaker.find("mock")

    assert (job.state, job.attempt, health.failures) == ("succeeded", 1, 0)

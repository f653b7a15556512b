"""Finished jobs go when their time is over: logs first, in batches, counted."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from container_manager import logs, tallies
from container_manager.bell import bell
from container_manager.dispatcher import Dispatcher, retention
from container_manager.dispatcher.retention import delete_jobs, delete_logs, forget_keys
from container_manager.logs import LogWriter
from container_manager.models import Attempt, IdempotencyKey, Job, JobEvent, JobLabel
from container_manager.tallies import Removed
from tests.factories import AttemptFactory, ContainerJobFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _policy(settings: Any, tmp_path: Path) -> Iterator[None]:
    periods = {"retention_seconds": 3600, "log_retention_seconds": 600, "idempotency_retention_seconds": 60}
    settings.PURSER = settings.PURSER.model_copy(update=periods)
    backend = "django.core.files.storage.FileSystemStorage"
    location = {"location": str(tmp_path / "logs")}
    settings.STORAGES = {**settings.STORAGES, "logs": {"BACKEND": backend, "OPTIONS": location}}
    yield
    bell.close()


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def ended(seconds: float, *, cleaned: bool = True, **fields: Any) -> Job:
    """A job that ended so long ago, with a log."""
    at = ago(seconds)
    job = ContainerJobFactory.create(ended=True, finished_at=at, cleaned_at=at if cleaned else None, **fields)
    AttemptFactory.create(job=job, finished_at=at, cleaned_at=job.cleaned_at)
    writer = LogWriter(job.pk, 1, max_bytes=1000)
    writer.write("stdout", b"hello\n", None)
    writer.finish()
    writer.close()
    return job


def has_logs(job: Job) -> bool:
    return logs.log_path(job.pk, 1).exists()


def exists(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk).exists()


def test_logs_go_when_their_time_is_over_and_the_job_says_when() -> None:
    old, young = ended(601), ended(500)

    assert delete_logs() == 1
    assert (has_logs(old), has_logs(young)) == (False, True)
    assert Job.objects.get(pk=old.pk).logs_deleted_at is not None
    assert Job.objects.get(pk=young.pk).logs_deleted_at is None


def test_a_job_goes_with_all_that_belongs_to_it() -> None:
    job = ended(3601)
    JobEvent.objects.create(job=job, seq=1, type="state", state="succeeded")
    JobLabel.objects.create(job=job, key="team", value="a", namespace=job.namespace, created_at=job.created_at)
    IdempotencyKey.objects.create(namespace="default", key="k", digest="d", job=job, response="{}")
    delete_logs()

    assert delete_jobs() == 1
    for model in (Job, Attempt, JobEvent, JobLabel, IdempotencyKey):
        assert not model.objects.exists()


def test_a_job_is_kept_until_its_own_time_is_over() -> None:
    job = ended(3500)
    delete_logs()

    assert delete_jobs() == 0
    assert exists(job)


def test_a_job_whose_executions_are_not_cleaned_is_kept_with_its_logs() -> None:
    job = ended(10_000, cleaned=False)

    assert (delete_logs(), delete_jobs()) == (0, 0)
    assert exists(job) and has_logs(job)


def test_jobs_that_have_not_ended_are_kept_however_old() -> None:
    ContainerJobFactory.create(created_at=ago(10_000))
    ContainerJobFactory.create(active=True, started_at=ago(10_000))

    assert (delete_logs(), delete_jobs(), Job.objects.count()) == (0, 0, 2)


def test_a_job_is_never_deleted_before_its_logs() -> None:
    job = ended(3601)

    assert delete_jobs() == 0
    assert exists(job) and has_logs(job)


def test_logs_go_with_the_job_when_their_own_time_is_longer(settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"log_retention_seconds": 100_000})
    job = ended(3601)

    assert (delete_logs(), delete_jobs()) == (1, 1)
    assert not (exists(job) or has_logs(job))


def test_logs_that_a_kill_has_left_go_with_the_job() -> None:
    job = ended(3601, logs_deleted_at=timezone.now())

    assert delete_jobs() == 1
    assert not has_logs(job)


def test_logs_that_cannot_be_deleted_keep_their_job_and_no_other() -> None:
    kept, gone = ended(3700), ended(3601)
    delete_logs()
    odd = logs.log_path(kept.pk, 1).parent / "somebody's"
    odd.mkdir(parents=True)

    assert delete_jobs() == 1
    assert exists(kept) and not exists(gone)


def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    young, old, older = ended(3700), ended(3800), ended(3900)

    assert delete_logs() == 2
    assert [has_logs(job) for job in (older, old, young)] == [False, False, True]
    delete_logs()
    assert delete_jobs() == 2
    assert [exists(job) for job in (older, old, young)] == [False, False, True]


def test_every_deletion_is_counted_by_executor() -> None:
    ended(3601)
    ended(3601)
    ended(3601, executor="other")
    delete_logs()
    delete_jobs()

    assert tallies.counts("mock") == {Removed.EXECUTIONS: 0, Removed.LOGS: 2, Removed.JOBS: 2, Removed.KEYS: 0}
    assert tallies.counts("other")[Removed.JOBS] == 1


def test_old_idempotency_keys_are_forgotten_and_counted() -> None:
    job = ContainerJobFactory.create()
    for key, age in (("old", 61), ("young", 10)):
        row = {"namespace": "default", "key": key, "digest": "d", "job": job, "response": "{}"}
        IdempotencyKey.objects.create(created_at=ago(age), **row)

    assert forget_keys() == 1
    assert IdempotencyKey.objects.get().key == "young"
    assert tallies.counts("mock")[Removed.KEYS] == 1


def test_two_at_once_delete_each_job_once() -> None:
    for _ in range(50):
        ended(3601)
    delete_logs()
    deleted: list[int] = []
    threads = [threading.Thread(target=lambda: deleted.append(delete_and_close())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(deleted) == 50 == tallies.counts("mock")[Removed.JOBS]


def delete_and_close() -> int:
    try:
        return delete_jobs()
    finally:
        connection.close()


def test_a_batch_finds_its_jobs_by_an_index() -> None:
    with CaptureQueriesContext(connection) as queries:
        delete_logs()
        delete_jobs()
    searches = [query["sql"] for query in queries if "ORDER BY" in query["sql"]]
    plans = " ".join(_plan(sql) for sql in searches)

    assert "job_log_retention" in plans
    assert "job_retention" in plans


def _plan(sql: str) -> str:
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")
        cursor.execute(explain + sql)
        return str(cursor.fetchall())


def test_a_dispatcher_retires_what_is_due() -> None:
    jobs = [ended(3601) for _ in range(3)]
    dispatcher = Dispatcher({})
    dispatcher.start()
    try:
        deadline = time.monotonic() + 15
        while Job.objects.exists():
            assert time.monotonic() < deadline, "the jobs were not deleted in time"
            time.sleep(0.02)
    finally:
        dispatcher.drain(10)

    assert not any(has_logs(job) for job in jobs)

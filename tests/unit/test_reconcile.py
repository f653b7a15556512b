"""Engine against books, both ways, on the real engines of every shipped executor."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import docker
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from container_manager import tallies
from container_manager.bell import bell
from container_manager.dispatcher import Dispatcher, reconcile
from container_manager.dispatcher.reconcile import Cause
from container_manager.exceptions import EngineUnavailable
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.mock import MockExecutor
from container_manager.executors.process import ProcessExecutor
from container_manager.executors.results import ExecutionRef
from container_manager.identifiers import uuid7
from container_manager.ledger import DatabaseLedger
from container_manager.models import Attempt, Job
from container_manager.reports import drift
from container_manager.spec import JobSpec
from container_manager.states import ExecutionStatus
from container_manager.tallies import Removed
from tests import engine
from tests.factories import AttemptFactory

pytestmark = pytest.mark.django_db(transaction=True)

AWAY = {"from_seconds": 0, "for_seconds": 3600}


@pytest.fixture(autouse=True)
def quick(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.PURSER = settings.PURSER.model_copy(update={"report_seconds": 0.1, "dispatcher_lease_seconds": 3})
    backend = "django.core.files.storage.FileSystemStorage"
    location = {"location": str(tmp_path / "logs")}
    settings.STORAGES = {**settings.STORAGES, "logs": {"BACKEND": backend, "OPTIONS": location}}
    settings.EXECUTORS = {
        "mock": {
            "BACKEND": "container_manager.executors.mock.MockExecutor",
            "OPTIONS": {"state_dir": str(tmp_path / "mock")},
        }
    }
    yield
    bell.close()


@pytest.fixture
def mock(tmp_path: Path) -> MockExecutor:
    return MockExecutor({"state_dir": str(tmp_path / "mock")}, name="mock", ledger=DatabaseLedger("mock"))


@pytest.fixture(params=["mock", "process", "docker"])
def each(request: pytest.FixtureRequest, mock: MockExecutor, tmp_path: Path) -> Iterator[ContainerExecutor]:
    """Every shipped executor in turn, on its real engine."""
    if request.param == "mock":
        yield mock
    elif request.param == "process":
        executor = ProcessExecutor({"state_dir": str(tmp_path / "process"), "sandbox": "none"}, name="process")
        executor.prepare()
        yield executor
        for ref in executor.list_executions():
            executor.cleanup(ref.execution_id)
    else:
        with engine.executing(request.getfixturevalue("docker_url")) as found:
            yield found


def sleeper(executor: ContainerExecutor, **fields: Any) -> JobSpec:
    """A job that runs until somebody ends it."""
    if isinstance(executor, MockExecutor):
        fields["scenario"] = {"run_seconds": 60}
    body: dict[str, Any] = {
        "id": uuid7(), "attempt": 1, "namespace": "test", "command": ["sleep", "60"], "memory_mib": 64,
        "cpu_cores": 0.5, "timeout_seconds": 60.0, "grace_seconds": 5.0, **fields,
    }  # fmt: skip
    if isinstance(executor, DockerExecutor):
        body["image"] = engine.IMAGE
    return JobSpec.model_validate(body)


def run_for_nobody(executor: ContainerExecutor) -> str:
    spec = sleeper(executor)
    ok, execution_id = executor.launch_job(spec)
    assert ok, execution_id
    return execution_id


def run_for(executor: ContainerExecutor, attempt: Attempt) -> str:
    ok, execution_id = executor.launch_job(sleeper(executor, id=attempt.job_id, attempt=attempt.number))
    assert ok, execution_id
    return execution_id


def listed(executor: ContainerExecutor) -> list[str]:
    return [ref.execution_id for ref in executor.list_executions()]


def until(condition: Callable[[], Any], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def reaped(executor: str = "mock") -> int:
    return tallies.counts(executor)[Removed.EXECUTIONS]


def test_an_execution_of_a_job_that_is_not_in_the_books_is_unowned(each: ContainerExecutor) -> None:
    execution_id = run_for_nobody(each)

    (unowned,) = reconcile.compare(each).unowned

    assert (unowned.execution_id, unowned.cause) == (execution_id, Cause.UNKNOWN_ATTEMPT)
    assert unowned.status == ExecutionStatus.RUNNING


def test_a_dispatcher_reaps_at_its_start_what_nobody_owns(each: ContainerExecutor) -> None:
    run_for_nobody(each)
    dispatcher = Dispatcher({each.name: each})
    dispatcher.start()
    try:
        until(lambda: reaped(each.name) == 1)
    finally:
        dispatcher.drain(10)

    assert listed(each) == []
    assert drift(each.name).unowned_count == 1


def test_a_dispatcher_reaps_all_the_time(mock: MockExecutor) -> None:
    dispatcher = Dispatcher({"mock": mock})
    dispatcher.start()
    try:
        until(lambda: drift("mock").checked_at)
        run_for_nobody(mock)
        until(lambda: reaped() == 1)
        until(lambda: drift("mock").unowned_count == 0)
    finally:
        dispatcher.drain(10)


def test_two_dispatchers_reap_each_execution_once(mock: MockExecutor) -> None:
    for _ in range(20):
        run_for_nobody(mock)
    dispatchers = [Dispatcher({"mock": mock}), Dispatcher({"mock": mock})]
    for dispatcher in dispatchers:
        dispatcher.start()
    try:
        until(lambda: not listed(mock) and drift("mock").checked_at and drift("mock").unowned_count == 0)
    finally:
        for dispatcher in dispatchers:
            dispatcher.drain(10)

    assert reaped() == 20


def test_of_many_dispatchers_one_compares_in_a_period() -> None:
    turns: list[bool] = []
    threads = [threading.Thread(target=lambda: turns.append(take_turn())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(turns) == [False] * 7 + [True]
    assert reconcile.take_turn("mock", 0)


def take_turn() -> bool:
    from django.db import connections

    try:
        return reconcile.take_turn("mock", 60)
    finally:
        connections.close_all()


def test_an_execution_of_an_attempt_that_runs_is_owned(each: ContainerExecutor) -> None:
    run_for(each, AttemptFactory.create(job__executor=each.name))

    assert reconcile.compare(each).unowned == ()


def test_an_execution_that_is_about_to_be_launched_is_owned(mock: MockExecutor) -> None:
    run_for(mock, AttemptFactory.create(job__state="launching", job__started_at=None, job__deadline=None))

    found = reconcile.compare(mock)
    assert (found.unowned, found.missing) == ((), ())


def test_an_execution_of_an_attempt_that_is_not_cleaned_yet_is_left_to_the_sweeper(mock: MockExecutor) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    run_for(mock, AttemptFactory.create(job__active=False, job__ended=True, finished_at=long_ago))

    assert reconcile.compare(mock).unowned == ()


def test_an_execution_that_came_back_after_its_cleanup_is_unowned(mock: MockExecutor) -> None:
    attempt = AttemptFactory.create(job__active=False, job__ended=True, finished_at=timezone.now())
    Attempt.objects.update(cleaned_at=timezone.now())
    run_for(mock, attempt)

    (unowned,) = reconcile.compare(mock).unowned
    assert unowned.cause == Cause.ATTEMPT_CLEANED


def test_an_execution_of_an_attempt_that_was_never_started_is_unowned(mock: MockExecutor) -> None:
    attempt = AttemptFactory.create()
    run_for(mock, attempt)
    mock.launch_job(sleeper(mock, id=attempt.job_id, attempt=2))

    (unowned,) = reconcile.compare(mock).unowned
    assert unowned.execution_id == f"purser-{attempt.job_id.hex}-2"


class BookedMeanwhile(MockExecutor):
    """Something happens between the engine's answer and the look at the books."""

    def __init__(self, mock: MockExecutor, happens: Callable[[], Any]) -> None:
        super().__init__(mock.config, name="mock")
        self._happens = happens

    def list_executions(self) -> list[ExecutionRef]:
        answered = super().list_executions()
        self._happens()
        return answered


def test_what_is_cleaned_while_the_engine_is_listed_is_no_drift(mock: MockExecutor) -> None:
    run_for(mock, AttemptFactory.create(job__active=False, job__ended=True, finished_at=timezone.now()))
    racing = BookedMeanwhile(mock, lambda: Attempt.objects.update(cleaned_at=timezone.now()))

    assert reconcile.compare(racing).unowned == ()


def test_what_is_launched_while_the_engine_is_listed_is_not_missing(mock: MockExecutor) -> None:
    racing = BookedMeanwhile(mock, lambda: run_for(mock, AttemptFactory.create()))

    found = reconcile.compare(racing)
    assert (found.unowned, found.missing) == ((), ())


def test_a_running_attempt_without_its_execution_is_missing(each: ContainerExecutor) -> None:
    attempt = AttemptFactory.create(job__executor=each.name)

    (missing,) = reconcile.compare(each).missing
    assert (missing.execution_id, missing.job_id) == (str(attempt), str(attempt.job_id))


def test_a_missing_execution_ends_its_job_as_engine_lost(each: ContainerExecutor) -> None:
    job = AttemptFactory.create(job__executor=each.name, job__owner=uuid7()).job
    dispatcher = Dispatcher({each.name: each})
    dispatcher.start()
    try:
        until(lambda: Job.objects.get(pk=job.pk).reason == "engine_lost")
    finally:
        dispatcher.drain(10)


def test_containers_of_others_are_never_touched(docker_url: str) -> None:
    client = engine.client(docker_url)
    nobody = {"Image": engine.IMAGE, "Cmd": ["sleep", "60"], "HostConfig": {"NetworkMode": "none"}}
    foreign = client.create_container_from_config(nobody, f"purser-{uuid7().hex}-1")["Id"]
    try:
        client.start(foreign)
        with engine.executing(docker_url) as ours, engine.executing(docker_url) as other_instance:
            neighbour, unowned = run_for_nobody(other_instance), run_for_nobody(ours)
            found = reconcile.compare(ours)
            gone = [one.execution_id for one in reconcile.reap(ours, found, 60)]
            assert gone == [unowned]
            assert other_instance.check_status(neighbour) == ExecutionStatus.RUNNING
        assert client.inspect_container(foreign)["State"]["Running"]
    finally:
        client.remove_container(foreign, force=True)
        client.close()


def test_anonymous_volumes_go_with_the_container(docker_url: str) -> None:
    client = engine.client(docker_url)
    try:
        with engine.executing(docker_url) as ours:
            volume = volume_of(client, ours)
            list(reconcile.reap(ours, reconcile.compare(ours), 60))
            with pytest.raises(docker.errors.NotFound):
                client.inspect_volume(volume)
    finally:
        client.close()


def volume_of(client: docker.APIClient, executor: DockerExecutor) -> str:
    """The volume that the engine makes for a container of ours whose image declares one."""
    labels = {"purser.executor": executor.name, "purser.instance": executor.options.instance}
    body = {"Image": engine.IMAGE, "Cmd": ["true"], "Labels": labels, "Volumes": {"/data": {}}}
    made = client.create_container_from_config(body, f"purser-{uuid7().hex}-1")
    return str(client.inspect_container(made["Id"])["Mounts"][0]["Name"])


def test_reaping_stops_when_its_time_is_over(mock: MockExecutor) -> None:
    for _ in range(3):
        run_for_nobody(mock)

    assert len(list(reconcile.reap(mock, reconcile.compare(mock), 0))) == 1


def test_an_engine_that_does_not_answer_has_no_drift(tmp_path: Path) -> None:
    AttemptFactory.create()
    away = MockExecutor({"state_dir": str(tmp_path / "mock"), "engine_away": AWAY}, name="mock")

    with pytest.raises(EngineUnavailable):
        reconcile.compare(away)


def test_what_is_published_is_bounded(mock: MockExecutor) -> None:
    for _ in range(120):
        AttemptFactory.create()
    reconcile.publish("mock", reconcile.compare(mock))

    assert (len(drift("mock").missing), drift("mock").missing_count) == (100, 120)


def printed(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("reconcile", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_prints_the_drift_and_changes_nothing(mock: MockExecutor) -> None:
    unowned, missing = run_for_nobody(mock), str(AttemptFactory.create())

    assert printed() == [f"mock  unowned  {unowned}  running  unknown_attempt", f"mock  missing  {missing}"]
    assert listed(mock) == [unowned]


def test_the_command_applies_it_when_told_to(mock: MockExecutor) -> None:
    unowned = run_for_nobody(mock)

    assert printed("--executor", "mock", "--apply")[-1] == f"mock  reaped  {unowned}"
    assert (listed(mock), reaped()) == ([], 1)


def test_the_command_says_which_executor_there_is_not() -> None:
    with pytest.raises(CommandError, match="'nope' is not registered"):
        printed("--executor", "nope")


def test_the_command_goes_on_to_the_next_engine_when_one_is_away(
    settings: Any, mock: MockExecutor, tmp_path: Path
) -> None:
    backend = "container_manager.executors.mock.MockExecutor"
    away = {"BACKEND": backend, "OPTIONS": {"state_dir": str(tmp_path / "away"), "engine_away": AWAY}}
    settings.EXECUTORS = {"away": away, **settings.EXECUTORS}
    run_for_nobody(mock)
    out = StringIO()

    with pytest.raises(CommandError, match="away: "):
        call_command("reconcile", "--apply", stdout=out)

    assert listed(mock) == []

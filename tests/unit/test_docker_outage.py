"""An engine that is not there, goes away, and comes back."""

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from container_manager.exceptions import EngineUnavailable, PurserError
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.docker_engine.client import Engine, EngineRefusal
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.states import ExecutionStatus
from tests import engine

LOOP = "while :; do echo tick; sleep 0.1; done"


@pytest.fixture
def private() -> Iterator[engine.PrivateEngine]:
    with engine.PrivateEngine() as private:
        yield private


@pytest.fixture
def lasting() -> Iterator[engine.PrivateEngine]:
    with engine.PrivateEngine(live_restore=True) as private:
        yield private


def outcome_of(items: Callable[[], Iterator[object]]) -> "queue.Queue[object]":
    """Consume an iterator in a thread; what it raised, or None for an end, comes last into the queue."""
    told: queue.Queue[object] = queue.Queue()

    def consume() -> None:
        try:
            for item in items():
                told.put(item)
        except PurserError as error:
            told.put(error)
        else:
            told.put("ended")

    threading.Thread(target=consume, daemon=True).start()
    return told


def last_of(told: "queue.Queue[object]") -> object:
    while not isinstance(item := told.get(timeout=engine.DEADLINE), EngineUnavailable) and item != "ended":
        continue
    return item


def statuses_through(executor: DockerExecutor, execution_id: str, stop: Callable[[], None]) -> set[ExecutionStatus]:
    """Every status that is told while the engine is being stopped."""
    seen, stopping = set(), threading.Thread(target=stop)
    stopping.start()
    while stopping.is_alive():
        seen |= {executor.check_status(execution_id), executor.inspect(execution_id).status}
    return seen | {executor.check_status(execution_id)}


def test_an_executor_is_made_while_its_engine_is_down() -> None:
    executor = DockerExecutor({"base_url": "unix:///nonexistent/docker.sock"}, name="docker")
    verdict = executor.health_check()
    assert not verdict
    assert verdict.detail == "no engine answers at unix:///nonexistent/docker.sock: No such file or directory"


def test_an_engine_over_tcp_that_is_down_says_so() -> None:
    executor = DockerExecutor({"base_url": "tcp://127.0.0.1:9", "tls": {"verify": False}}, name="docker")
    assert "Connection refused" in executor.health_check().detail


def test_certificates_that_are_not_there_are_said() -> None:
    tls = {"client_cert": "/nonexistent/cert.pem", "client_key": "/nonexistent/key.pem"}
    executor = DockerExecutor({"base_url": "tcp://127.0.0.1:9", "tls": tls}, name="docker")
    assert "certificate" in executor.health_check().detail


def test_an_engine_that_does_not_answer_in_time_is_unavailable(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute.sock"))
        mute.listen()
        executor = DockerExecutor({"base_url": f"unix://{tmp_path}/mute.sock", "engine_timeout_seconds": 0.2})
        assert executor.check_status("purser-x") == ExecutionStatus.UNKNOWN
        assert not executor.health_check()


def test_the_engine_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/other.sock")
    assert "/nonexistent/other.sock" in DockerExecutor({}).health_check().detail


def test_an_engine_that_takes_no_new_connections_tells_no_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.executing() as executor:
        job = engine.spec("exit 1")
        engine.run(executor, job)
        monkeypatch.setattr(Engine, "takes_connections", lambda self: False)
        assert executor.check_status(job.execution_id) == ExecutionStatus.UNKNOWN


def test_the_log_of_an_engine_that_is_going_down_is_not_taken_for_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.executing() as executor:
        job = engine.spec("echo last")
        engine.run(executor, job)
        monkeypatch.setattr(Engine, "takes_connections", lambda self: False)
        with pytest.raises(EngineUnavailable):
            list(executor.follow_logs(job.execution_id, threading.Event()))


@pytest.mark.parametrize("address", ["unix:///nonexistent/docker.sock", "tcp://127.0.0.1:9"])
def test_nobody_there_takes_no_connections(address: str) -> None:
    assert not Engine(DockerOptions(base_url=address)).takes_connections()


def test_an_engine_that_goes_away_between_two_questions_leaves_the_end_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> Iterator[None]:
        raise EngineUnavailable

    with engine.executing() as executor:
        job = engine.spec("exit 143")
        engine.run(executor, job)
        monkeypatch.setattr(Engine, "events", away)
        assert executor.inspect(job.execution_id).status == ExecutionStatus.UNKNOWN


def test_a_stop_of_the_engine_is_never_a_failure_of_the_job(private: engine.PrivateEngine) -> None:
    with engine.executing(private.base_url) as executor:
        job = engine.spec("trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done")
        executor.launch_job(job)
        engine.until(lambda: executor.get_logs(job.execution_id).stdout, "its first line")
        told = outcome_of(lambda: executor.watch(list, threading.Event()))
        assert told.get(timeout=engine.DEADLINE) is None
        assert statuses_through(executor, job.execution_id, private.stop) <= {
            ExecutionStatus.RUNNING,
            ExecutionStatus.UNKNOWN,
        }
        assert isinstance(last_of(told), EngineUnavailable)
        assert not executor.health_check()
        with pytest.raises(EngineUnavailable):
            executor.launch_job(engine.spec())
        private.start()
        assert executor.health_check()
        assert engine.run(executor, engine.spec("echo again"))[1] == b"again\n"


def test_a_job_that_was_ended_by_a_stop_of_the_engine_is_told_from_one_that_ended_so_itself(
    private: engine.PrivateEngine,
) -> None:
    with engine.executing(private.base_url) as executor:
        fell, ended = engine.spec("sleep 60"), engine.spec("exit 143")
        executor.launch_job(fell)
        own = engine.run(executor, ended)[0]
        private.stop()
        private.start()
        lost = executor.inspect(fell.execution_id)

    assert (own.exit_code, own.fell_with_engine) == (143, False)
    assert (lost.exit_code, lost.fell_with_engine) == (143, True)


@pytest.mark.parametrize("step", ["create", "start", "pull"])
def test_a_refusal_of_an_engine_that_is_going_down_is_no_answer(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise EngineRefusal(500, "grpc: the client connection is closing")

    with engine.executing(pull_policy="always" if step == "pull" else "missing") as executor:
        monkeypatch.setattr(Engine, step, refuse)
        assert executor.launch_job(engine.spec())[0] is False
        monkeypatch.setattr(Engine, "takes_connections", lambda self: False)
        with pytest.raises(EngineUnavailable):
            executor.launch_job(engine.spec())


def test_with_live_restore_jobs_run_on_and_keep_logs_and_exit_code(lasting: engine.PrivateEngine) -> None:
    with engine.executing(lasting.base_url) as executor:
        job = engine.spec(
            "while [ ! -e /tmp/stop ]; do echo tick; sleep 0.1; i=$((i+1)); [ $i -lt 60 ] || exit 5; done"
        )
        executor.launch_job(job)
        told = outcome_of(lambda: executor.follow_logs(job.execution_id, threading.Event()))
        told.get(timeout=engine.DEADLINE)
        lasting.stop()
        assert isinstance(last_of(told), EngineUnavailable)
        assert executor.check_status(job.execution_id) == ExecutionStatus.UNKNOWN
        lasting.start()
        assert executor.check_status(job.execution_id) == ExecutionStatus.RUNNING
        execution, stdout, _ = engine.run(executor, job)
        assert (execution.exit_code, stdout) == (5, b"tick\n" * 60)


def test_a_watch_and_a_follow_that_are_stopped_while_the_engine_is_away_end_quietly(
    private: engine.PrivateEngine,
) -> None:
    with engine.executing(private.base_url) as executor:
        job, stop = engine.spec(LOOP), threading.Event()
        executor.launch_job(job)
        told = [
            outcome_of(lambda: executor.watch(list, stop)),
            outcome_of(lambda: executor.follow_logs(job.execution_id, stop)),
        ]
        for each in told:
            each.get(timeout=engine.DEADLINE)
        stop.set()
        assert [last_of(each) for each in told] == ["ended", "ended"]

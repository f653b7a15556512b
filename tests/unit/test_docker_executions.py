"""Launching, input, output and ends of executions, on a real engine."""

import hashlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.docker_engine.client import Engine, EngineRefusal
from container_manager.executors.docker_engine.request import container_request
from container_manager.spans import SpanEvent, observe
from container_manager.spec import JobSpec
from container_manager.states import ExecutionStatus, Reason
from tests import engine


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    engine.ensure_image()


@pytest.fixture
def executor() -> Iterator[DockerExecutor]:
    with engine.executing() as executor:
        yield executor


@pytest.fixture
def client() -> Iterator[docker.APIClient]:
    client = engine.client()
    yield client
    client.close()


def create(client: docker.APIClient, executor: DockerExecutor, job: JobSpec) -> str:
    """What a launch that breaks off before the start leaves behind."""
    request = container_request(job, executor.options, executor.name)
    return str(client.create_container_from_config(request, job.execution_id)["Id"])


# Adoption


def test_a_container_that_was_made_but_not_started_makes_way_for_one_that_is(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    job = engine.spec("echo once")
    container = create(client, executor, job)
    assert executor.check_status(job.execution_id) == ExecutionStatus.CREATED
    assert engine.run(executor, job)[1] == b"once\n"
    with pytest.raises(docker.errors.NotFound):
        client.inspect_container(container)


def test_a_launch_that_is_held_up_before_its_start_starts_nothing_that_another_has_ended(
    executor: DockerExecutor,
) -> None:
    job, here, on = engine.spec("echo once"), threading.Event(), threading.Event()

    def hold_up(event: SpanEvent) -> None:
        if (event.name, event.edge, threading.current_thread().name) == ("start", "begin", "slow"):
            here.set()
            on.wait(30)

    results: list[Any] = []
    forget = observe(hold_up)
    with engine.executing(**executor.config) as other:
        slow = threading.Thread(name="slow", target=lambda: results.append(other.launch_job(job)))
        slow.start()
        assert here.wait(30)
        assert engine.run(executor, job)[1] == b"once\n"
        on.set()
        slow.join()
        forget()
        assert not results[0][0]
        assert executor.get_logs(job.execution_id).stdout == "once\n"


def test_input_of_a_launch_that_broke_off_is_not_given_twice(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    job = engine.spec(command=["cat"], stdin="text")
    create(client, executor, job)
    broken = Engine(executor.options)
    socket = broken.open_stdin(job.execution_id)
    socket.send(memoryview(b"text"))
    socket.close()
    broken.close()
    assert engine.run(executor, job)[1] == b"text"


def test_a_container_of_that_name_that_we_did_not_make_is_left_alone(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    job = engine.spec()
    request = {"Image": engine.IMAGE, "Cmd": ["sleep", "60"], "HostConfig": {"NetworkMode": "none"}}
    foreign = client.create_container_from_config(request, job.execution_id)["Id"]
    client.start(foreign)
    try:
        result = executor.launch_job(job)
        assert (result[0], result.reason) == (False, Reason.LAUNCH_ERROR)
        executor.stop(job.execution_id, 0)
        assert executor.cleanup(job.execution_id) is True
        assert executor.check_status(job.execution_id) == ExecutionStatus.NOT_FOUND
        with pytest.raises(ExecutionNotFound):
            executor.get_logs(job.execution_id)
        assert client.inspect_container(foreign)["State"]["Running"]
    finally:
        client.remove_container(foreign, force=True)


def test_two_instances_do_not_see_each_others_executions(executor: DockerExecutor) -> None:
    job = engine.spec("sleep 60")
    executor.launch_job(job)
    with engine.executing() as other:
        assert other.list_executions() == []
        assert other.check_status(job.execution_id) == ExecutionStatus.NOT_FOUND


def test_a_name_that_stays_taken_by_nobody_is_a_refusal(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("container_manager.executors.docker_engine.launch.CONFLICT_SECONDS", 0.1)
    monkeypatch.setattr(Engine, "inspect", lambda self, name: (_ for _ in ()).throw(ExecutionNotFound))
    job = engine.spec("sleep 60")
    assert executor.launch_job(job)[0]
    result = executor.launch_job(job)
    monkeypatch.undo()
    assert (result[0], result.reason) == (False, Reason.LAUNCH_ERROR)


def test_a_container_carries_whose_it_is(executor: DockerExecutor, client: docker.APIClient) -> None:
    job = engine.spec(labels={"team": "a"})
    executor.launch_job(job)
    labels = client.inspect_container(job.execution_id)["Config"]["Labels"]
    assert labels == {
        "purser.job": str(job.id),
        "purser.attempt": "1",
        "purser.namespace": "test",
        "purser.executor": "docker",
        "purser.instance": executor.options.instance,
        "purser.label.team": "a",
    }


def test_the_steps_of_a_launch_are_told_as_spans(executor: DockerExecutor) -> None:
    told: list[SpanEvent] = []
    forget = observe(told.append)
    job = engine.spec()
    executor.launch_job(job)
    forget()
    mine = [(event.name, event.edge) for event in told if event.execution_id == job.execution_id]
    assert mine == [("create", "begin"), ("create", "end"), ("start", "begin"), ("start", "end")]


# Refused starts


def test_a_start_that_the_engine_refuses_leaves_nothing(executor: DockerExecutor) -> None:
    result = executor.launch_job(job := engine.spec(user="nosuchuser"))
    assert (result[0], result.reason) == (False, Reason.LAUNCH_REFUSED)
    assert "nosuchuser" in result[1]
    assert executor.check_status(job.execution_id) == ExecutionStatus.NOT_FOUND


@pytest.mark.parametrize(
    "asked",
    [
        {"user": "nosuchuser"},
        {"user": "4294967299"},
        {"working_dir": "/bin/busybox"},
        {"tmpfs": [{"target": "/proc", "size_mib": 4}]},
        {"tmpfs": [{"target": "/bin/busybox", "size_mib": 4}]},
        {"pids_limit": 1},
        {"image": "127.0.0.1:9/nosuch:image"},
    ],
)
def test_no_request_makes_an_executor_unhealthy(asked: dict[str, Any]) -> None:
    with engine.executing(failure_threshold=1) as executor:
        executor.launch_job(engine.spec(**asked))
        assert executor.health_check()


def _refusing(status: int) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise EngineRefusal(status, "device or resource busy")

    return refuse


@pytest.mark.parametrize("status", [400, 409, 500])
def test_a_refusal_about_one_execution_is_not_an_engine_that_is_away(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    executor.launch_job(job := engine.spec("sleep 60"))
    with monkeypatch.context() as patched:
        patched.setattr(Engine, "remove", _refusing(status))
        patched.setattr(Engine, "kill", _refusing(status))
        executor.stop(job.execution_id, 1)
        assert executor.cleanup(job.execution_id) is False
    with monkeypatch.context() as patched:
        patched.setattr(Engine, "inspect", _refusing(status))
        told = executor.inspect(job.execution_id)
        assert (told.status, told.detail) == (ExecutionStatus.UNKNOWN, "device or resource busy")
        assert executor.cleanup(job.execution_id) is False
        with pytest.raises(EngineUnavailable, match="busy"):
            executor.get_logs(job.execution_id)
    assert executor.check_status(job.execution_id) == ExecutionStatus.RUNNING


def test_an_answer_that_refuses_is_told_from_no_answer(executor: DockerExecutor) -> None:
    with pytest.raises(EngineRefusal):
        executor._engine.kill(executor.launch_job(engine.spec("sleep 60"))[1], "SIGNOSUCH")


@pytest.mark.parametrize("stdin", [None, "text"])
def test_without_an_init_the_engine_itself_says_that_the_command_is_not_there(stdin: str | None) -> None:
    with engine.executing(init=False) as executor:
        result = executor.launch_job(engine.spec(command=["/no/such"], stdin=stdin))
    assert (result[0], result.reason) == (False, Reason.COMMAND_NOT_FOUND)


def test_a_job_that_itself_exits_127_did_find_its_command(executor: DockerExecutor) -> None:
    execution, _, _ = engine.run(executor, engine.spec("exit 127"))
    assert (execution.exit_code, execution.reason) == (127, None)


def test_a_limit_that_the_engine_discards_is_a_refusal(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Engine.create

    def discarding(self: Engine, *args: Any) -> tuple[str, list[str]]:
        return create(self, *args)[0], ["Your kernel does not support pids limit capabilities. PIDs limit discarded."]

    monkeypatch.setattr(Engine, "create", discarding)
    result = executor.launch_job(job := engine.spec())
    assert (result[0], "PIDs limit discarded" in result[1]) == (False, True)
    assert executor.check_status(job.execution_id) == ExecutionStatus.NOT_FOUND


# Ends


def test_an_exit_code_over_128_is_not_called_a_signal(executor: DockerExecutor) -> None:
    execution, _, _ = engine.run(executor, engine.spec("exit 137"))
    assert (execution.exit_code, execution.signal) == (137, None)


@pytest.mark.parametrize(("grace", "sent"), [(5, signal.SIGTERM), (0, signal.SIGKILL)])
def test_a_signal_that_was_sent_is_known(executor: DockerExecutor, grace: float, sent: int) -> None:
    job = engine.spec("echo ready; exec sleep 60")
    executor.launch_job(job)
    engine.until(lambda: executor.get_logs(job.execution_id).stdout, "its first line")
    executor.stop(job.execution_id, grace)
    engine.until(lambda: executor.check_status(job.execution_id) == ExecutionStatus.FAILED, "its end")
    execution = executor.inspect(job.execution_id)
    assert (execution.exit_code, execution.signal) == (128 + sent, sent)


def test_the_digest_of_the_image_that_ran_is_told(executor: DockerExecutor, client: docker.APIClient) -> None:
    execution, _, _ = engine.run(executor, engine.spec())
    assert execution.image_digest == client.inspect_image(engine.IMAGE)["Id"]


def test_the_list_tells_success_from_failure(executor: DockerExecutor) -> None:
    well, badly = engine.spec("exit 0"), engine.spec("exit 1")
    jobs = {well.execution_id: ExecutionStatus.EXITED, badly.execution_id: ExecutionStatus.FAILED}
    for job in (well, badly):
        engine.run(executor, job)
    assert {ref.execution_id: ref.status for ref in executor.list_executions()} == jobs


# Input


def test_a_job_without_input_sees_its_end_at_once(executor: DockerExecutor) -> None:
    assert engine.run(executor, engine.spec("wc -c"))[1] == b"0\n"


def test_a_large_input_arrives_whole_though_it_is_read_late(executor: DockerExecutor) -> None:
    text = "0123456789abcde\n" * 60_000
    _, stdout, _ = engine.run(executor, engine.spec("sleep 1; md5sum", stdin=text))
    assert stdout.split()[0].decode() == hashlib.md5(text.encode()).hexdigest()


def test_input_that_nobody_reads_holds_up_nothing(executor: DockerExecutor) -> None:
    job = engine.spec("sleep 1", stdin="x" * 900_000)
    assert engine.run(executor, job)[0].exit_code == 0
    name = f"purser-stdin-{job.execution_id}"
    engine.until(lambda: name not in {thread.name for thread in threading.enumerate()}, "the end of the writer")


# Output


@pytest.mark.parametrize(
    ("script", "stdout", "stderr"),
    [
        ("printf 'no newline'; printf err >&2", b"no newline", b"err"),
        (r"printf 'a\000\377\376\n\n\r\nb'", b"a\x00\xff\xfe\n\n\r\nb", b""),
        ("printf ab; sleep 0.2; printf cd; sleep 0.2; printf 'ef\ng'", b"abcdef\ng", b""),
        ("head -c 16384 /dev/zero | tr '\\0' x; echo; echo y", b"x" * 16384 + b"\ny\n", b""),
        ("head -c 40000 /dev/zero | tr '\\0' x; echo; printf tail", b"x" * 40000 + b"\ntail", b""),
        ("head -c 1048576 /dev/zero | tr '\\0' x; echo", b"x" * 1048576 + b"\n", b""),
        ("head -c 1048576 /dev/zero | tr '\\0' x >&2", b"", b"x" * 1048576),
        ("true", b"", b""),
    ],
    ids=["no newline", "binary", "pieces", "buffer", "long line", "1 MiB line", "1 MiB", "nothing"],
)
def test_output_is_exact_live_and_afterwards(
    executor: DockerExecutor, script: str, stdout: bytes, stderr: bytes
) -> None:
    job = engine.spec(script)
    assert engine.run(executor, job)[1:] == (stdout, stderr)
    assert executor.get_logs(job.execution_id) == (stdout.decode("utf-8", "replace"), stderr.decode())


def test_large_binary_output_is_exact(executor: DockerExecutor) -> None:
    script = "head -c 8000000 /dev/urandom | tee /tmp/x; echo; md5sum </tmp/x >&2"
    _, stdout, stderr = engine.run(executor, engine.spec(script))
    assert hashlib.md5(stdout[:8_000_000]).hexdigest() == stderr.split()[0].decode()
    assert len(stdout) == 8_000_001


def test_the_last_words_of_short_jobs_are_never_lost(executor: DockerExecutor) -> None:
    written = [engine.run(executor, engine.spec("echo 1; echo 2; printf end"))[1] for _ in range(8)]
    assert written == [b"1\n2\nend"] * 8


def test_json_file_keeps_text_exact_and_replaces_what_is_no_text() -> None:
    with engine.executing(log_driver="json-file") as executor:
        script = r"printf 'a\000b\377\n'; head -c 40000 /dev/zero | tr '\0' x; echo; printf end"
        expected = "a\x00b\ufffd\n".encode() + b"x" * 40000 + b"\nend"
        assert engine.run(executor, engine.spec(script))[1] == expected


def test_logs_are_bounded(executor: DockerExecutor) -> None:
    job = engine.spec("head -c 1900000 /dev/zero | tr '\\0' x; head -c 900000 /dev/zero | tr '\\0' y >&2")
    engine.run(executor, job)
    with engine.executing(log_size_mib=2, instance=executor.options.instance) as bounded:
        assert sum(map(len, bounded.get_logs(job.execution_id))) == 2 * 1024 * 1024


def test_a_follow_of_what_is_removed_ends(executor: DockerExecutor) -> None:
    job = engine.spec("echo ready; exec sleep 60")
    executor.launch_job(job)
    frames = executor.follow_logs(job.execution_id, threading.Event())
    assert next(frames).data == b"ready\n"
    executor.cleanup(job.execution_id)
    with pytest.raises(ExecutionNotFound):
        list(frames)


def test_frames_bear_the_engines_time(executor: DockerExecutor) -> None:
    job = engine.spec("echo timed")
    executor.launch_job(job)
    (frame,) = executor.follow_logs(job.execution_id, threading.Event())
    execution = executor.inspect(job.execution_id)
    assert execution.started_at
    assert frame.at
    assert abs((frame.at - execution.started_at).total_seconds()) < 5


def test_no_thread_outlives_what_it_guards(executor: DockerExecutor) -> None:
    engine.run(executor, engine.spec("echo x"))
    engine.until(
        lambda: not [t for t in threading.enumerate() if t.name.startswith("purser-")], "the end of our threads"
    )


def test_many_threads_share_one_engine(executor: DockerExecutor) -> None:
    jobs = [engine.spec(f"echo {number}") for number in range(16)]
    written: dict[str, bytes] = {}
    threads = [
        threading.Thread(target=lambda job=job: written.update({job.execution_id: engine.run(executor, job)[1]}))
        for job in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(engine.DEADLINE)
    assert written == {job.execution_id: f"{number}\n".encode() for number, job in enumerate(jobs)}

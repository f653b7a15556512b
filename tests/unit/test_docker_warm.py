"""Containers that wait for their jobs: taken where they fit, no different from cold ones, and never run twice."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import docker
import pytest

from container_manager.exceptions import InvalidConfig
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.docker_engine import gate
from container_manager.executors.docker_engine.client import Engine
from container_manager.executors.docker_engine.waiting import GATE, header
from container_manager.executors.docker_engine.warm import IDLE_MIB
from container_manager.executors.results import ExecutionRef, LaunchResult
from container_manager.spans import SpanEvent, observe
from container_manager.spec import JobSpec
from container_manager.states import ExecutionStatus, LaunchPath, Reason
from tests import engine
from tests.warm import groups, ours, runs, waiting

SECRET = [{"name": "word", "value": "x"}]
COLD = {"working_dir": "/"}  # what any image has, and yet is fixed when a container is made


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    engine.ensure_image()


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[DockerExecutor]:
    with engine.warm(tmp_path) as executor:
        yield executor


@pytest.fixture
def client() -> Iterator[docker.APIClient]:
    client = engine.client()
    yield client
    client.close()


def launched(executor: DockerExecutor, job: JobSpec) -> LaunchResult:
    result = executor.launch_job(job)
    assert result[0], result
    return result


# No different from a cold one


SEEN = """
    id; umask; ulimit -a; pwd; tr '\\0' '\\n' </proc/self/environ | grep -v ^HOSTNAME= | sort
    [ "$HOSTNAME" = "$(hostname)" ]; echo hostname $?
    grep -E '^(Cap|NoNewPrivs|Seccomp|Sig[A-P]|Groups|PPid)' /proc/$$/status
    for limit in memory.limit_in_bytes memory.memsw.limit_in_bytes cpu.cfs_quota_us cpu.cfs_period_us pids.max; do
        cat /sys/fs/cgroup/*/$limit
    done
    cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/pids.max
    cut -d' ' -f4- /proc/self/mountinfo | grep -v -e overlay -e /.purser/gate -e '/etc/host' -e '/etc/resolv' -e cgroup
    readlink /proc/$$/fd/0; ls /proc/$$/fd; cat /proc/1/comm; cat /proc/net/dev; ls -a / | grep -v .purser
"""


def test_what_a_job_sees_is_what_it_sees_when_it_is_started_cold(executor: DockerExecutor) -> None:
    seen = {}
    for fields in ({}, COLD):
        job = engine.spec(SEEN, env={"WORD": "a=b", "EMPTY": "", "HOME": "/tmp"}, **fields)
        path = launched(executor, job).path
        seen[path] = engine.run(executor, job)[1].decode().splitlines()
    assert set(seen) == {LaunchPath.WARM, LaunchPath.COLD}
    assert _sizeless(seen[LaunchPath.WARM]) == _sizeless(seen[LaunchPath.COLD])


def _sizeless(lines: list[str]) -> list[str]:
    """Without numbers of devices, which every mount has of its own."""
    return [" ".join(word for word in line.split() if not word.startswith(("master:", "shared:"))) for line in lines]


@pytest.mark.parametrize(
    "fields",
    [
        {"command": ["sh", "-c", "exit 3"]},
        {"command": ["sh", "-c", "echo out; echo err >&2; kill -9 $$"]},
        {"command": ["sh", "-c", "kill -15 $$"]},
        {"command": ["sh", "-c", "exec dd if=/dev/zero of=/dev/null bs=200M count=1"]},
        {"command": ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=200M count=1; exit 0"]},
        {"command": ["cat"], "stdin": "text\n" * 50_000},
        {"command": ["cat"]},
        {"command": ["cat"], "stdin": ""},
        {"command": ["sh", "-c", "head -c 3; exit 5"], "stdin": "x" * 1_000_000},
        {"command": ["no-such-command"]},
        {"command": ["/no/such/command"]},
        {"command": ["/etc"]},
        {"command": ["/bin/busybox/below"]},
        {"entrypoint": ["echo", "a"], "command": ["b"]},
        {"entrypoint": ["echo", "a"], "command": None},
        {"command": ["sh", "-c", "echo $WORD"], "secrets": [{"name": "WORD", "kind": "env", "value": "hidden"}]},
        {"command": ["printf", "<%s>", "", " ", "\n", "\u4e2d"]},
        {"command": ["own"], "env": {"PATH": "/nowhere"}},
    ],
)
def test_a_job_ends_as_it_ends_when_it_is_started_cold(executor: DockerExecutor, fields: dict[str, Any]) -> None:
    told = {}
    for more in ({}, COLD):
        job = engine.spec(**fields, **more)
        path = launched(executor, job).path
        end, stdout, stderr = engine.run(executor, job)
        how = (end.status, end.exit_code, end.signal, end.oom_killed, end.reason, end.detail, end.image_digest)
        told[path] = (*how, stdout, re.sub(rb"tini .[0-9]+.", b"tini", stderr))
    assert set(told) == {LaunchPath.WARM, LaunchPath.COLD}
    assert told[LaunchPath.WARM] == told[LaunchPath.COLD]


def test_without_an_init_the_command_is_the_first_process(tmp_path: Path) -> None:
    with engine.warm(tmp_path, init=False) as executor:
        job = engine.spec("echo $$")
        assert launched(executor, job).path == LaunchPath.WARM
        assert engine.run(executor, job)[1] == b"1\n"


def test_without_an_init_a_command_that_is_not_there_has_its_reason(tmp_path: Path) -> None:
    with engine.warm(tmp_path, init=False) as executor:
        job = engine.spec(command=["no-such-command"])
        assert launched(executor, job).path == LaunchPath.WARM
        end, *_ = engine.run(executor, job)
        assert (end.status, end.reason) == (ExecutionStatus.FAILED, Reason.COMMAND_NOT_FOUND)


def test_the_image_says_what_runs_where_the_job_does_not(tmp_path: Path, client: docker.APIClient) -> None:
    made = client.create_container_from_config({"Image": engine.IMAGE, "Cmd": ["true"]})["Id"]
    own = {"Entrypoint": ["sh", "-c"], "Cmd": ['echo "$WORD $OTHER"; exit 4'], "Env": ["WORD=image", "OTHER=image"]}
    client.commit(made, repository="purser-own", tag="local", conf=own)
    client.remove_container(made)
    pool = {"image": "purser-own:local", "memory_mib": 64, "cpu_cores": 0.5, "size": 1}
    try:
        with engine.warm(tmp_path, warm_pools=[pool]) as executor:
            job = engine.spec(image="purser-own:local", command=None, env={"WORD": "job"})
            assert launched(executor, job).path == LaunchPath.WARM
            end, stdout, _ = engine.run(executor, job)
            assert (end.exit_code, stdout) == (4, b"job image\n")
    finally:
        client.remove_image("purser-own:local")


def test_it_began_when_it_was_given_to_the_job_and_not_when_it_was_made(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    (made,) = waiting(client, executor).values()
    before = client.inspect_container(made["Id"])["State"]["StartedAt"]
    job = engine.spec()
    launched(executor, job)
    end, *_ = engine.run(executor, job)
    booking = executor._bookings.find(job.execution_id)
    assert booking and end.started_at == booking.at
    assert client.inspect_container(job.execution_id)["State"]["StartedAt"] == before


def test_what_it_used_is_read_when_its_container_is_gone(executor: DockerExecutor, client: docker.APIClient) -> None:
    job = engine.spec()
    launched(executor, job)
    engine.run(executor, job)
    used = executor.inspect(job.execution_id).usage
    client.remove_container(job.execution_id)
    gone = executor.inspect(job.execution_id)
    assert gone.status == ExecutionStatus.NOT_FOUND
    assert gone.usage.peak_memory_bytes == used.peak_memory_bytes
    assert used.peak_memory_bytes


# What fits


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"working_dir": "/"}, "asks for working_dir,"),
        ({"user": "1000"}, "asks for user,"),
        ({"pids_limit": 16}, "asks for pids_limit,"),
        ({"tmp_size_mib": 16}, "asks for tmpfs or tmp_size_mib,"),
        ({"tmpfs": [{"target": "/scratch"}]}, "asks for tmpfs or tmp_size_mib,"),
        ({"read_only_root": True}, "asks for read_only_root,"),
        ({"secrets": SECRET}, "asks for secrets as files,"),
        ({"memory_mib": 65}, "asks for 65 MiB and 0.5 cores,"),
        ({"cpu_cores": 0.4}, "asks for 64 MiB and 0.4 cores,"),
        ({"command": ["true", *["x" * 30_000] * 10]}, "has more than 256 KiB"),
        ({"command": ["true", *["x"] * 4000], "env": {f"V{n}": "" for n in range(1000)}}, None),
    ],
)
def test_a_job_that_asks_for_what_is_fixed_is_started_cold_and_says_why(
    executor: DockerExecutor, fields: dict[str, Any], why: str | None
) -> None:
    job = engine.spec(**fields)
    result = launched(executor, job)
    assert result.path == (LaunchPath.COLD if why else LaunchPath.WARM)
    assert result.path_detail.startswith(why or "")
    assert engine.run(executor, job)[0].exit_code == 0
    assert executor._bookings.find(job.execution_id) is None or not why


def test_what_config_gives_to_every_job_is_no_reason_to_start_cold(tmp_path: Path) -> None:
    with engine.warm(tmp_path, user="1000:1000", read_only_root=True, default_pids_limit=33) as executor:
        job = engine.spec("id -u; touch /x", user="1000:1000", read_only_root=True, pids_limit=33, labels={"a": "b"})
        assert launched(executor, job).path == LaunchPath.WARM
        end, stdout, stderr = engine.run(executor, job)
        assert (end.exit_code, stdout) == (1, b"1000\n")
        assert b"Read-only file system" in stderr


def test_another_image_is_started_cold_and_says_why(tmp_path: Path) -> None:
    pool = {"image": "purser-no-such-image:local", "memory_mib": 64, "cpu_cores": 0.5, "size": 1}
    with engine.executing(state_dir=str(tmp_path), warm_pools=[pool]) as executor:
        executor._pools.step()
        result = launched(executor, engine.spec())
        assert (result.path, result.path_detail) == (LaunchPath.COLD, "there is no warm pool of busybox:local")
        assert "the engine has no image purser-no-such-image:local" in executor.health_check().detail


def test_an_image_that_is_pulled_anew_each_time_is_not_taken_from_what_waits(tmp_path: Path) -> None:
    with engine.warm(tmp_path, pull_policy="always") as executor:
        result = executor.launch_job(engine.spec(pull_policy="missing"))
        assert result.path == LaunchPath.WARM
        result = executor.launch_job(engine.spec())
        assert result[0] is False or result.path == LaunchPath.COLD


def test_when_none_is_ready_a_job_is_started_cold_and_says_so(executor: DockerExecutor) -> None:
    assert launched(executor, engine.spec("sleep 60")).path == LaunchPath.WARM
    result = launched(executor, engine.spec("sleep 60"))
    assert result.path == LaunchPath.COLD
    assert result.path_detail == "the warm pool of busybox:local has none ready: it is being filled"


def test_without_pools_nothing_is_said(tmp_path: Path) -> None:
    with engine.executing(state_dir=str(tmp_path / "state")) as executor:
        assert not executor._pools.step()
        assert launched(executor, engine.spec()).path_detail == ""
        assert not (tmp_path / "state").exists()


# What is kept


def test_what_was_taken_is_made_again(executor: DockerExecutor, client: docker.APIClient) -> None:
    before = set(waiting(client, executor))
    launched(executor, engine.spec("sleep 60"))
    assert waiting(client, executor) == {}
    engine.fill_warm_pools(executor)
    assert len(waiting(client, executor)) == 1
    assert set(waiting(client, executor)) != before


def test_what_waits_is_no_execution(executor: DockerExecutor) -> None:
    assert executor.list_executions() == []


def test_the_next_process_takes_over_what_waits(executor: DockerExecutor, client: docker.APIClient) -> None:
    before = waiting(client, executor)
    with closing(DockerExecutor(executor.config, name="docker")) as other:
        engine.fill_warm_pools(other)
        assert waiting(client, other).keys() == before.keys()
        assert launched(other, engine.spec("sleep 60")).path == LaunchPath.WARM


@pytest.mark.parametrize(
    "changed",
    [
        {"warm_pools": []},
        {"warm_pools": [{"image": engine.IMAGE, "memory_mib": 65, "cpu_cores": 0.5, "size": 1}]},
        {"default_pids_limit": 77},
        {"labels": {"team": "a"}},
    ],
)
def test_what_config_does_not_ask_for_any_more_is_removed(
    executor: DockerExecutor, client: docker.APIClient, changed: dict[str, Any]
) -> None:
    before = waiting(client, executor)
    with closing(DockerExecutor({**executor.config, **changed}, name="docker")) as other:
        engine.fill_warm_pools(other)
        after = waiting(client, other)
        assert not before.keys() & after.keys()
        assert len(after) == len(other.options.warm_pools)
        assert not before.keys() & groups()
        other._pools.empty()


def test_what_is_over_the_size_is_removed(tmp_path: Path, client: docker.APIClient) -> None:
    with engine.warm(tmp_path, size=2) as executor:
        fewer = [{"image": engine.IMAGE, "memory_mib": 64, "cpu_cores": 0.5, "size": 1}]
        with closing(DockerExecutor({**executor.config, "warm_pools": fewer}, name="docker")) as other:
            before = waiting(client, other)
            engine.fill_warm_pools(other)
            assert waiting(client, other).keys() < before.keys()
            assert len(waiting(client, other)) == 1


def test_what_has_died_is_made_again(executor: DockerExecutor, client: docker.APIClient) -> None:
    ((before, _),) = waiting(client, executor).items()
    client.kill(before)
    assert launched(executor, engine.spec("sleep 60")).path == LaunchPath.COLD
    engine.fill_warm_pools(executor)
    assert len(waiting(client, executor)) == 1
    assert before not in ours(client, executor)
    assert before not in groups()


def test_what_somebody_else_has_removed_leaves_no_control_group(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    ((before, _),) = waiting(client, executor).items()
    client.remove_container(before, force=True)
    engine.fill_warm_pools(executor)
    assert before not in groups()
    assert len(waiting(client, executor)) == 1


def test_a_new_image_is_used_at_once_and_what_waited_is_made_anew(tmp_path: Path, client: docker.APIClient) -> None:
    pool = {"image": "purser-moving:local", "memory_mib": 64, "cpu_cores": 0.5, "size": 1}
    client.tag(engine.IMAGE, "purser-moving", "local")
    try:
        with engine.warm(tmp_path, warm_pools=[pool]) as executor:
            before = set(waiting(client, executor))
            made = client.create_container_from_config({"Image": engine.IMAGE, "Cmd": ["true"]})["Id"]
            client.commit(made, repository="purser-moving", tag="local", conf={"Env": ["WORD=new"]})
            client.remove_container(made)
            job = engine.spec("echo $WORD", image="purser-moving:local")
            result = launched(executor, job)
            assert result.path == LaunchPath.COLD
            assert "has changed" in result.path_detail
            assert engine.run(executor, job)[1] == b"new\n"
            engine.fill_warm_pools(executor)
            assert not before & set(ours(client, executor))
            job = engine.spec("echo $WORD", image="purser-moving:local")
            assert launched(executor, job).path == LaunchPath.WARM
            assert engine.run(executor, job)[1] == b"new\n"
    finally:
        client.remove_image("purser-moving:local", force=True)


def test_an_image_with_a_health_check_is_not_kept_waiting(tmp_path: Path, client: docker.APIClient) -> None:
    made = client.create_container_from_config({"Image": engine.IMAGE, "Cmd": ["true"]})["Id"]
    client.commit(made, repository="purser-checked", tag="local", changes=['HEALTHCHECK CMD ["true"]'])
    client.remove_container(made)
    pool = {"image": "purser-checked:local", "memory_mib": 64, "cpu_cores": 0.5, "size": 1}
    try:
        with engine.executing(state_dir=str(tmp_path), warm_pools=[pool]) as executor:
            executor._pools.step()
            assert waiting(client, executor) == {}
            assert "health check" in executor.launch_job(engine.spec(image="purser-checked:local")).path_detail
    finally:
        client.remove_image("purser-checked:local", force=True)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (None, "there is no gate for "),
        (b"\x7fELF is no program", "what should wait in a container ended with exit code "),
        (Path("/bin/busybox").read_bytes(), "what should wait in a container "),
    ],
)
def test_where_nothing_can_wait_jobs_are_started_cold_and_it_is_said(
    tmp_path: Path, client: docker.APIClient, monkeypatch: pytest.MonkeyPatch, program: bytes | None, why: str
) -> None:
    monkeypatch.setattr(gate, "program", lambda architecture: program)
    pool = {"image": engine.IMAGE, "memory_mib": 64, "cpu_cores": 0.5, "size": 1}
    with engine.executing(state_dir=str(tmp_path), warm_pools=[pool]) as executor:
        assert not executor._pools.step()
        result = launched(executor, engine.spec())
        assert result.path == LaunchPath.COLD
        assert result.path_detail.startswith(f"the warm pool of busybox:local has none ready: {why}")
        assert executor.health_check().healthy
        assert executor.health_check().detail.startswith(f"warm pool of busybox:local: {why}")
        assert ours(client, executor).keys() == {result[1]}
        assert not executor._pools.step()


def test_a_container_that_only_has_such_a_name_is_left_alone(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    name = executor._pools._names.new()
    request = {"Image": engine.IMAGE, "Cmd": ["sleep", "60"], "HostConfig": {"NetworkMode": "none"}}
    foreign = client.create_container_from_config(request, name)["Id"]
    client.start(foreign)
    try:
        engine.fill_warm_pools(executor)
        executor._pools.empty()
        assert client.inspect_container(name)["State"]["Running"]
    finally:
        client.remove_container(foreign, force=True)


def test_the_upkeep_fills_the_pools_and_the_end_empties_them(tmp_path: Path, client: docker.APIClient) -> None:
    pool = {"image": engine.IMAGE, "memory_mib": 64, "cpu_cores": 0.5, "size": 2}
    with engine.executing(state_dir=str(tmp_path), warm_pools=[pool]) as executor:
        executor.prepare()
        engine.until(lambda: len(executor._pools._pools[0].free) == 2, "the pool")
        assert launched(executor, engine.spec("sleep 60")).path == LaunchPath.WARM
        engine.until(lambda: len(executor._pools._pools[0].free) == 2, "the pool, filled again")
    assert ours(client, executor) == {}
    assert executor.ledger.used().memory == 0


# What it costs


def test_what_waits_is_held_in_the_ledger_as_long_as_it_waits(tmp_path: Path) -> None:
    with engine.warm(tmp_path, size=2) as executor:
        assert executor.get_resource_utilization()["memory_used"] == 2 * IDLE_MIB
        launched(executor, engine.spec("sleep 60"))
        assert executor.get_resource_utilization()["memory_used"] == 2 * IDLE_MIB
        executor._pools.empty()
        assert executor.get_resource_utilization()["memory_used"] == 0


def test_nothing_is_kept_that_the_ledger_has_no_room_for(tmp_path: Path, client: docker.APIClient) -> None:
    pool = {"image": engine.IMAGE, "memory_mib": 64, "cpu_cores": 0.5, "size": 3}
    with engine.executing(state_dir=str(tmp_path), warm_pools=[pool], total_memory=64) as executor:
        assert executor.allocate_resources("job", {"memory": 64})
        assert not executor._pools.step()
        assert waiting(client, executor) == {}
        assert "no room for the 24 MiB" in launched(executor, engine.spec()).path_detail
        executor.cleanup_resources("job")
        engine.until(executor._pools.step, "one that is made")
        executor._pools.empty()


def test_what_waits_goes_when_the_ledger_has_given_its_room_to_jobs(
    tmp_path: Path, client: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has given it back as it ended."""
    monkeypatch.setattr("container_manager.executors.docker_engine.warm.PAY_AGAIN_SECONDS", 0)
    with engine.warm(tmp_path, total_memory=72) as executor:
        assert executor.set_aside(0)
        assert executor.allocate_resources("job", {"memory": 72})
        assert executor._pools.step()
        assert waiting(client, executor) == {}
        assert not executor._pools.step()
        executor.cleanup_resources("job")
        engine.fill_warm_pools(executor)
        assert len(waiting(client, executor)) == 1


# Launches that break off


def test_a_launch_that_breaks_off_within_the_header_is_made_again_and_runs_once(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    job = engine.spec("echo once; exit 7")
    ((_, made),) = waiting(client, executor).items()
    _break_off(executor, job, "hand_over:begin")
    executor._bookings.confirm(job.execution_id)
    broken = Engine(executor.options)
    socket = broken.open_stdin(made["Id"])
    socket.send(memoryview(header(job.command or [], [], keeps_stdin=False)[:-3]))
    socket.close()
    broken.close()
    assert executor.check_status(job.execution_id) == ExecutionStatus.RUNNING
    assert launched(executor, job).path == LaunchPath.COLD
    assert engine.run(executor, job)[1] == b"once\n"
    assert runs(client, executor, 7) == 1


def test_a_launch_that_breaks_off_when_all_is_sent_is_found_running(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    job = engine.spec("echo once; exec sleep 60")
    _break_off(executor, job, "hand_over:end")
    before = client.inspect_container(job.execution_id)["Id"]
    assert launched(executor, job).path == LaunchPath.WARM
    assert client.inspect_container(job.execution_id)["Id"] == before
    assert not client.inspect_container(job.execution_id)["State"]["Paused"]


def test_one_that_was_paused_while_it_was_looked_at_goes_on(executor: DockerExecutor, client: docker.APIClient) -> None:
    job = engine.spec("exec sleep 60")
    _break_off(executor, job, "hand_over:end")
    client.pause(job.execution_id)
    launched(executor, job)
    assert not client.inspect_container(job.execution_id)["State"]["Paused"]


def test_an_input_that_was_not_taken_to_its_end_by_the_launch_is_whole(executor: DockerExecutor) -> None:
    text = "".join(f"{number}\n" for number in range(150_000))
    job = engine.spec(command=["sh", "-c", "sleep 1; cat"], stdin=text)
    assert launched(executor, job).path == LaunchPath.WARM
    assert engine.run(executor, job)[1] == text.encode()


# Several at once


def test_one_that_waits_is_given_to_one_of_two_processes(executor: DockerExecutor, client: docker.APIClient) -> None:
    with closing(DockerExecutor(executor.config, name="docker")) as other:
        engine.fill_warm_pools(other)
        jobs = [engine.spec("echo $$; exit 7") for _ in range(2)]
        with ThreadPoolExecutor(2) as threads:
            paths = {result.path for result in threads.map(launched, (executor, other), jobs)}
        assert paths == {LaunchPath.WARM, LaunchPath.COLD}
        for job in jobs:
            assert engine.run(executor, job)[0].exit_code == 7
        assert runs(client, executor, 7) == 2


def test_the_same_attempt_launched_by_two_processes_at_once_runs_once(tmp_path: Path, client: docker.APIClient) -> None:
    with engine.warm(tmp_path, size=4) as executor, closing(DockerExecutor(executor.config, name="docker")) as other:
        for _ in range(5):
            engine.fill_warm_pools(executor)
            engine.fill_warm_pools(other)
            before = runs(client, executor, 7)
            job = engine.spec("echo once; exit 7")
            with ThreadPoolExecutor(2) as threads:
                results = list(threads.map(DockerExecutor.launch_job, (executor, other), (job, job)))
            # One that is overtaken between its create and its start is refused: it finds its container gone.
            assert job.execution_id in [value for ok, value in results if ok]
            end, stdout, _ = engine.run(executor, job)
            assert (end.exit_code, stdout) == (7, b"once\n")
            assert runs(client, executor, 7) == before + 1
            assert executor.cleanup(job.execution_id)
        engine.fill_warm_pools(executor)
        _nothing_but_the_pool(executor, client, 4)


def test_a_booking_of_a_container_that_another_job_has_taken_does_that_job_no_harm(executor: DockerExecutor) -> None:
    """Its launch broke off before it had it."""
    broken, job = engine.spec(), engine.spec("exec sleep 60")
    _break_off(executor, broken, "rename:begin")
    engine.fill_warm_pools(executor)
    assert launched(executor, job).path == LaunchPath.WARM
    assert executor.inspect(broken.execution_id).usage.peak_memory_bytes is None
    assert executor.cleanup(broken.execution_id)
    assert executor.check_status(job.execution_id) == ExecutionStatus.RUNNING
    assert executor.list_executions() == [ExecutionRef(job.execution_id, ExecutionStatus.RUNNING)]


# Whom it must not serve


@pytest.mark.parametrize(
    "script",
    [
        f"echo x >{GATE}",
        f"chmod 777 {GATE}",
        f"rm {GATE}",
        f"mv {GATE} /tmp/gate",
        f"mount -o remount,rw {GATE}",
        f"umount {GATE}",
        f"mount --bind /bin/busybox {GATE}",
        f"({GATE} </dev/zero & sleep 0.2; echo x >/proc/$!/exe; r=$?; kill -9 $!; exit $r)",
    ],
)
def test_a_job_cannot_change_what_waits_in_other_containers(executor: DockerExecutor, script: str) -> None:
    program = next(Path(executor.options.own_dir).glob("gate-*"))
    before = program.read_bytes(), program.stat().st_mode
    job = engine.spec(f"{script} && exit 0; exit 9")
    assert launched(executor, job).path == LaunchPath.WARM
    assert engine.run(executor, job)[0].exit_code == 9
    assert (program.read_bytes(), program.stat().st_mode) == before


def test_a_job_that_runs_the_gate_itself_gains_nothing_by_it(executor: DockerExecutor) -> None:
    inner = header(["sh", "-c", "id; grep CapEff /proc/self/status"], [], keeps_stdin=False)
    octal = "".join(f"\\\\0{byte:o}" if byte < 8 else f"\\\\0{byte:03o}" for byte in inner)
    job = engine.spec(f"id; grep CapEff /proc/self/status; printf '%b' {octal} | {GATE}")
    assert launched(executor, job).path == LaunchPath.WARM
    lines = engine.run(executor, job)[1].splitlines()
    assert len(lines) == 4
    assert lines[:2] == lines[2:]


def test_no_job_sees_who_has_been_given_what(executor: DockerExecutor) -> None:
    job = engine.spec(f"ls -A /.purser; ls {executor.options.own_dir}")
    assert launched(executor, job).path == LaunchPath.WARM
    assert engine.run(executor, job)[1] == b"gate\n"
    assert (Path(executor.options.own_dir, f"{executor.options.instance}.docker").stat().st_mode & 0o077) == 0


def test_what_one_job_leaves_is_not_seen_by_the_next(executor: DockerExecutor) -> None:
    first = engine.spec("touch /left /tmp/left; (sleep 60 &)", namespace="a")
    assert launched(executor, first).path == LaunchPath.WARM
    engine.run(executor, first)
    engine.fill_warm_pools(executor)
    second = engine.spec("ls /left /tmp/left; ps | grep -c '[s]leep 60'", namespace="b")
    assert launched(executor, second).path == LaunchPath.WARM
    assert engine.run(executor, second)[1] == b"0\n"


# Engines that go down


@pytest.mark.parametrize("live_restore", [False, True])
def test_what_waited_while_its_engine_was_down_serves_or_is_made_anew(tmp_path: Path, live_restore: bool) -> None:
    with (
        engine.PrivateEngine(live_restore=live_restore) as private,
        engine.warm(tmp_path, base_url=private.base_url, size=1) as executor,
    ):
        private.stop()
        private.start()
        job = engine.spec("echo once; exit 7")
        launched(executor, job)
        assert engine.run(executor, job)[1] == b"once\n"
        engine.fill_warm_pools(executor)
        job = engine.spec("echo again; exit 7")
        assert launched(executor, job).path == LaunchPath.WARM
        assert engine.run(executor, job)[1] == b"again\n"


# Config


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"warm_pools": [{"image": "Not An Image", "memory_mib": 64, "cpu_cores": 1, "size": 1}]}, "is no reference"),
        ({"warm_pools": [{"image": "a", "memory_mib": 5, "cpu_cores": 1, "size": 1}]}, "warm_pools.0.memory_mib"),
        ({"warm_pools": [{"image": "a", "memory_mib": 64, "cpu_cores": 0, "size": 1}]}, "warm_pools.0.cpu_cores"),
        ({"warm_pools": [{"image": "a", "memory_mib": 64, "cpu_cores": 1, "size": 0}]}, "warm_pools.0.size"),
        ({"warm_pools": [{"image": "a", "memory_mib": 64, "cpu_cores": 1}]}, "warm_pools.0.size"),
        ({"warm_pools": [{"image": "a", "memory_mib": 64, "cpu_cores": 1, "size": 1}] * 2}, "two pools have the same"),
        ({"networks": ["bridge"]}, "needs the network `none`"),
        ({"cap_add": ["CAP_SYS_ADMIN"]}, "does not go with cap_add of SYS_ADMIN"),
        ({"writable_mount_roots": ["/srv"], "state_dir": "/srv/purser"}, "overlap"),
        ({"state_dir": "not/absolute"}, "state_dir"),
    ],
)
def test_pools_that_cannot_be_are_refused_with_the_reason(options: dict[str, Any], why: str) -> None:
    pool = {"image": engine.IMAGE, "memory_mib": 64, "cpu_cores": 0.5, "size": 1}
    with pytest.raises(InvalidConfig, match=why):
        DockerExecutor({"base_url": "unix:///nonexistent", "warm_pools": [pool], **options}, name="docker")


# Helpers


def _break_off(executor: DockerExecutor, job: JobSpec, place: str) -> None:
    """Launch it from a thread that ends at that edge of a span, as if its process were killed there."""

    def kill(event: SpanEvent) -> None:
        if f"{event.name}:{event.edge}" == place:
            raise Killed

    def launch() -> None:
        with suppress(Killed):
            executor.launch_job(job)

    end = observe(kill)
    thread = threading.Thread(target=launch)
    thread.start()
    thread.join()
    end()


def _nothing_but_the_pool(executor: DockerExecutor, client: docker.APIClient, size: int = 1) -> None:
    there = ours(client, executor)
    assert set(there) == set(waiting(client, executor))
    assert len(there) == size
    assert executor._bookings.listed() == []
    mine = {name for name in groups() if name.startswith(executor._pools._names.prefix)}
    assert mine == set(there)

"""Network namespaces made ahead: who is lent one, who never shares one, and what is left, on a real engine."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from container_manager.exceptions import EngineUnavailable, PurserError
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.docker_engine import gate, networks
from container_manager.executors.docker_engine.client import Engine, EngineRefusal
from container_manager.executors.results import LaunchResult
from container_manager.spans import SpanEvent, observe
from container_manager.spec import JobSpec
from container_manager.states import LaunchPath
from tests import engine

SHOWS = "readlink /proc/self/ns/net"
STAYS = f"{SHOWS}; exec sleep 60"
PREPARED, COLD = LaunchPath.PREPARED_NETWORK, LaunchPath.COLD


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    engine.ensure_image()


@pytest.fixture
def executor() -> Iterator[DockerExecutor]:
    with having_networks() as executor:
        yield executor


@pytest.fixture
def client() -> Iterator[docker.APIClient]:
    client = engine.client()
    yield client
    client.close()


@contextlib.contextmanager
def having_networks(base_url: str | None = None, number: int = 2, **options: Any) -> Iterator[DockerExecutor]:
    """An executor whose upkeep is done by the test, step by step; nothing of it is left at the end."""
    with engine.executing(base_url, prepared_networks=number, **options) as executor:
        try:
            yield executor
        finally:
            with contextlib.suppress(EngineUnavailable):
                remove_donors(executor)


def remove_donors(executor: DockerExecutor) -> None:
    for execution in executor.list_executions():
        executor.cleanup(execution.execution_id)
    with contextlib.closing(engine.client(executor.options.address)) as client:
        for donor in engine.donors(executor):
            client.remove_container(donor["Id"], force=True)


def keep(executor: DockerExecutor) -> None:
    """What the thread of upkeep does until it rests."""
    while executor._networks.step():
        continue


def fill(executor: DockerExecutor, *namespaces: str) -> None:
    """Have networks ready for these, as after their first launch."""
    for namespace in namespaces or ("test",):
        job = engine.spec(namespace=namespace)
        executor._networks.take(job)
        executor._networks.give_back(job.execution_id)
        keep(executor)


def ids(executor: DockerExecutor) -> set[str]:
    return {donor["Id"] for donor in engine.donors(executor)}


def launched(executor: DockerExecutor, script: str = STAYS, **fields: Any) -> tuple[JobSpec, LaunchPath | None]:
    job = engine.spec(script, **fields)
    result = executor.launch_job(job)
    assert result[0], result
    return job, result.path


def first_line(executor: DockerExecutor, job: JobSpec) -> str:
    engine.until(lambda: "\n" in executor.get_logs(job.execution_id).stdout, "its first line")
    return executor.get_logs(job.execution_id).stdout.splitlines()[0]


def run(executor: DockerExecutor, script: str, **fields: Any) -> tuple[str, LaunchResult]:
    """What a job writes that is launched, followed to its end and cleaned up, and how it was launched."""
    job = engine.spec(script, **fields)
    result = executor.launch_job(job)
    assert result[0], result
    _, stdout, stderr = engine.run(executor, job)
    assert executor.cleanup(job.execution_id)
    return (stdout + stderr).decode(), result


# Who is lent one


def test_the_first_job_of_a_tenant_goes_cold_and_its_next_ones_do_not(executor: DockerExecutor) -> None:
    first = run(executor, "true")[1]
    keep(executor)
    second = run(executor, "true")[1]

    assert (first.path, first.path_detail) == (COLD, "no network namespace of its tenant was ready")
    assert (second.path, second.path_detail) == (PREPARED, "")


def test_an_executor_that_keeps_none_tells_no_way_and_makes_none() -> None:
    with having_networks(number=0) as executor:
        fill(executor)
        assert run(executor, "true")[1].path is None
        assert not ids(executor)


def test_a_job_that_joins_another_network_goes_cold() -> None:
    with having_networks(networks=["none", "host"]) as executor:
        fill(executor)
        result = run(executor, "true", network="host")[1]
        assert (result.path, result.path_detail) == (COLD, "it asks for a network, and those made ahead have none")


def test_no_more_are_made_than_the_config_says_and_a_returned_one_is_lent_again(executor: DockerExecutor) -> None:
    fill(executor)
    seen = [run(executor, SHOWS) for _ in range(3)]

    assert {result.path for _, result in seen} == {PREPARED}
    assert len({shown for shown, _ in seen}) == 1
    assert len(ids(executor)) == 2


def test_where_its_files_cannot_be_seen_each_is_used_once(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "_read", lambda paths: None)
    fill(executor)
    before = ids(executor)
    assert run(executor, "true")[1].path is PREPARED
    keep(executor)

    assert len(before & ids(executor)) == 1
    assert len(ids(executor)) == 2


# Who never shares one


def test_two_tenants_never_share_a_namespace_over_many_jobs(executor: DockerExecutor) -> None:
    tenants = ("one", "two")
    seen: dict[str, set[str]] = {tenant: set() for tenant in tenants}
    ways = []
    fill(executor, *tenants)
    for _ in range(6):
        jobs = [(tenant, *launched(executor, namespace=tenant)) for tenant in tenants for _ in range(2)]
        for tenant, job, way in jobs:
            seen[tenant].add(first_line(executor, job))
            ways.append(way)
        for _, job, _ in jobs:
            assert executor.cleanup(job.execution_id)
        keep(executor)

    assert set(ways) == {PREPARED}
    assert {tenant: len(found) for tenant, found in seen.items()} == {"one": 2, "two": 2}
    assert not seen["one"] & seen["two"]


def test_jobs_of_one_tenant_that_run_at_once_share_none(executor: DockerExecutor) -> None:
    fill(executor)
    jobs = [launched(executor) for _ in range(3)]

    assert [way for _, way in jobs] == [PREPARED, PREPARED, COLD]
    assert len({first_line(executor, job) for job, _ in jobs}) == 3


def test_what_listens_in_a_job_is_out_of_reach_for_another_of_the_same_tenant() -> None:
    places = dict.fromkeys(str(Path(place).resolve()) for place in (sys.base_prefix, "/lib", "/lib64"))
    mounts = [{"type": "bind", "source": place, "target": place, "read_only": True} for place in places]
    mounts += [
        {"type": "bind", "source": str(Path(place).resolve()), "target": place, "read_only": True}
        for place in ("/lib", "/lib64")
        if str(Path(place).resolve()) != place
    ]
    python = str(Path(sys.base_prefix, "bin/python3"))
    listens = (
        "import socket, time; tcp = socket.create_server(('127.0.0.1', 7000));"
        "unix = socket.socket(socket.AF_UNIX); unix.bind('\\0here'); unix.listen(); print('ready', flush=True);"
        "time.sleep(60)"
    )
    knocks = (
        "import socket; print(socket.socket().connect_ex(('127.0.0.1', 7000)),"
        " socket.socket(socket.AF_UNIX).connect_ex('\\0here'))"
    )
    with having_networks(mount_roots=list(places)) as executor:
        fill(executor)
        common: dict[str, Any] = {"mounts": mounts, "memory_mib": 128}
        listener, way = launched(executor, command=[python, "-c", listens], **common)
        assert (first_line(executor, listener), way) == ("ready", PREPARED)
        told, result = run(executor, "", command=[python, "-c", knocks], **common)

    assert (told, result.path) == ("111 111\n", PREPARED)


def test_a_job_in_a_prepared_namespace_has_no_interface_but_lo_and_that_is_up(executor: DockerExecutor) -> None:
    fill(executor)
    told, result = run(executor, "ls /sys/class/net; ip -o addr")

    assert result.path is PREPARED
    assert told.splitlines()[0] == "lo"
    assert {line.split()[1] for line in told.splitlines()[1:]} == {"lo"}
    assert "127.0.0.1/8" in told


def test_a_job_neither_sees_nor_reaches_the_process_that_holds_its_namespace_open(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    fill(executor)
    before = {donor: client.inspect_container(donor)["State"]["Pid"] for donor in ids(executor)}
    holders = " ".join(str(pid) for pid in before.values())
    told, result = run(executor, f"cat /proc/[0-9]*/comm; for pid in {holders}; do kill -9 $pid; done")

    assert result.path is PREPARED
    assert "gate" not in told.split()
    assert told.count("No such process") == 2
    assert {donor: client.inspect_container(donor)["State"]["Pid"] for donor in ids(executor)} == before


def test_a_job_has_the_limits_and_the_user_of_any_other(executor: DockerExecutor, client: docker.APIClient) -> None:
    fill(executor)
    prepared, way = launched(executor)
    with having_networks(number=0) as plain:
        cold, _ = launched(plain)
        one, other = (client.inspect_container(job.execution_id)["HostConfig"] for job in (prepared, cold))

    differing = {key for key in one if one[key] != other[key]}
    assert way is PREPARED
    assert differing == {"NetworkMode", "CgroupParent"}


def test_who_waits_has_nothing_and_may_do_nothing(executor: DockerExecutor, client: docker.APIClient) -> None:
    fill(executor)
    for donor in ids(executor):
        found = client.inspect_container(donor)
        host = found["HostConfig"]
        assert (host["NetworkMode"], host["CapDrop"], host["ReadonlyRootfs"]) == ("none", ["ALL"], True)
        assert (host["SecurityOpt"], host["Memory"]) == (["no-new-privileges"], 6 * 1024 * 1024)
        assert found["Config"]["User"] == "65534:65534"
        assert found["Mounts"] == []


# What one job leaves, the next one does not find


@pytest.mark.parametrize("file", ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"])
@pytest.mark.parametrize("change", ["echo from-before >> {}", "chmod 666 {}"])
def test_what_a_job_writes_into_the_files_of_its_network_no_other_reads(
    executor: DockerExecutor, file: str, change: str
) -> None:
    fill(executor)
    before = ids(executor)
    run(executor, change.format(file))
    keep(executor)
    told = [run(executor, f"cat {file}; stat -c %a {file}") for _ in range(2)]

    assert len(before - ids(executor)) == 1
    assert {result.path for _, result in told} == {PREPARED}
    assert all("from-before" not in text and text.endswith("644\n") for text, _ in told)


def test_a_port_that_a_job_has_used_is_free_for_the_next(executor: DockerExecutor) -> None:
    fill(executor)
    knocks = "while ! echo y | nc 127.0.0.1 7000 2>/dev/null; do sleep 0.05; done"
    script = f"{SHOWS}; (echo x | nc -l -p 7000 >/dev/null) & {knocks}; wait"
    seen = [run(executor, script) for _ in range(3)]

    assert len({told for told, _ in seen}) == 1
    assert {result.path for _, result in seen} == {PREPARED}


# What is gone behind our back


@pytest.mark.parametrize("stdin", [None, "some input"])
@pytest.mark.parametrize("how", ["remove_container", "kill", "pause"])
def test_a_job_runs_whatever_has_become_of_the_namespace_it_was_lent(
    executor: DockerExecutor, client: docker.APIClient, how: str, stdin: str | None
) -> None:
    fill(executor)
    for donor in ids(executor):
        if how == "remove_container":
            client.remove_container(donor, force=True)
        else:
            getattr(client, how)(donor)
    told, result = run(executor, "cat; echo ran", stdin=stdin)

    assert told == f"{stdin or ''}ran\n"
    if how != "pause":  # one that is paused can be joined all the same
        assert (result.path, result.path_detail) == (COLD, "its prepared network namespace was gone")
    for donor in ids(executor):
        with contextlib.suppress(docker.errors.APIError):
            client.unpause(donor)
    keep(executor)
    assert run(executor, "true")[1].path is PREPARED
    assert {donor["State"] for donor in engine.donors(executor)} == {"running"}


def test_what_is_not_ours_is_left_alone(executor: DockerExecutor, client: docker.APIClient) -> None:
    with having_networks() as other:
        fill(other)
        theirs = ids(other)
        fill(executor)
        executor._networks.empty()
        assert ids(other) == theirs
    assert not ids(executor)


def test_those_who_wait_are_no_executions(executor: DockerExecutor) -> None:
    fill(executor)
    assert executor.list_executions() == []


def test_the_end_of_one_who_waits_is_not_told_as_an_execution_s(
    executor: DockerExecutor, client: docker.APIClient
) -> None:
    fill(executor)
    stop = threading.Event()
    watch = executor.watch(list, stop)
    assert next(watch) is None
    for donor in ids(executor):
        client.remove_container(donor, force=True)
    job, _ = launched(executor, "true")
    told = {next(watch)}
    stop.set()
    assert {*told, *watch} == {job.execution_id}


def test_an_engine_that_was_started_anew_gets_new_ones() -> None:
    with engine.PrivateEngine() as private, having_networks(private.base_url) as executor:
        fill(executor)
        before = ids(executor)
        private.stop()
        interrupted = engine.spec()
        with pytest.raises(EngineUnavailable):
            executor.launch_job(interrupted)
        private.start()
        assert executor.cleanup(interrupted.execution_id)
        told, result = run(executor, "echo again")
        keep(executor)

        assert (told, result.path) == ("again\n", COLD)
        assert run(executor, "true")[1].path is PREPARED
        assert len(ids(executor)) == 2
        assert not ids(executor) & before


def test_with_live_restore_a_job_and_its_namespace_outlive_the_engine() -> None:
    with engine.PrivateEngine(live_restore=True) as private, having_networks(private.base_url) as executor:
        fill(executor)
        script = f"{SHOWS}; while [ ! -e /tmp/stop ]; do sleep 0.1; i=$((i+1)); [ $i -lt 40 ] || break; done; {SHOWS}"
        job, way = launched(executor, script)
        first_line(executor, job)
        private.stop()
        private.start()
        execution, stdout, _ = engine.run(executor, job)
        assert executor.cleanup(job.execution_id)
        keep(executor)

        assert (way, execution.exit_code) == (PREPARED, 0)
        assert len(set(stdout.decode().split())) == 1
        assert run(executor, "true")[1].path is PREPARED


# Crashes


class _Crash(PurserError):
    """The process ends here."""


@pytest.mark.parametrize("stdin", [None, "some input"])
@pytest.mark.parametrize("edge", ["begin", "end"])
@pytest.mark.parametrize("step", ["create", "network", "start"])
def test_a_crash_at_any_step_leaves_nothing_and_nothing_runs_twice(
    tmp_path: Path, step: str, edge: str, stdin: str | None
) -> None:
    def crash(event: SpanEvent) -> None:
        if (event.name, event.edge, event.execution_id) == (step, edge, job.execution_id):
            raise _Crash

    out = [{"type": "bind", "source": str(tmp_path), "target": "/out", "read_only": False}]
    job = engine.spec("cat; echo ran >> /out/runs; echo done", stdin=stdin, mounts=out)
    options: dict[str, Any] = {"writable_mount_roots": [str(tmp_path)]}
    with having_networks(**options) as executor:
        fill(executor)
        forget = observe(crash)
        with pytest.raises(_Crash):
            executor.launch_job(job)
        forget()
        with having_networks(instance=executor.options.instance, **options) as follower:
            fill(follower)
            result = follower.launch_job(job)
            execution, stdout, _ = engine.run(follower, job)
            assert (result, execution.exit_code) == ((True, job.execution_id), 0)
            assert stdout == f"{stdin or ''}done\n".encode()
            assert (tmp_path / "runs").read_text() == "ran\n"
            assert follower.cleanup(job.execution_id)
            keep(follower)
            assert not bound(follower)
            assert run(follower, "true")[1].path is PREPARED


@pytest.mark.parametrize("step", ["create", "network", "start"])
def test_what_a_crash_leaves_the_cleanup_of_another_process_removes(executor: DockerExecutor, step: str) -> None:
    def crash(event: SpanEvent) -> None:
        if (event.name, event.edge) == (step, "end"):
            raise _Crash

    fill(executor)
    job = engine.spec(STAYS)
    forget = observe(crash)
    with pytest.raises(_Crash):
        executor.launch_job(job)
    forget()
    with having_networks(instance=executor.options.instance) as follower:
        assert [one.execution_id for one in follower.list_executions()] == [job.execution_id]
        assert follower.cleanup(job.execution_id)
        assert follower.list_executions() == []
        fill(follower)
        jobs = [launched(follower) for _ in range(2)]
        assert [way for _, way in jobs] == [PREPARED] * 2


def bound(executor: DockerExecutor) -> list[object]:
    """The containers that join a prepared namespace now."""
    labels = [f"purser.instance={executor.options.instance}", "purser.network"]
    with contextlib.closing(engine.client(executor.options.address)) as client:
        return list(client.containers(all=True, filters={"label": labels}))


# More than one dispatcher


@contextlib.contextmanager
def two() -> Iterator[tuple[DockerExecutor, DockerExecutor]]:
    """Two executors of one instance, of which the second knows those that the first has made."""
    with having_networks() as one, having_networks(instance=one.options.instance) as other:
        fill(one)
        fill(other)
        yield one, other


def test_those_of_a_process_that_is_gone_are_adopted_by_the_next() -> None:
    with having_networks() as gone, having_networks(instance=gone.options.instance) as follower:
        fill(gone)
        before = ids(gone)
        fill(follower)
        jobs = [launched(follower) for _ in range(3)]

        assert before < ids(follower)
        assert [way for _, way in jobs] == [PREPARED] * 3


def test_one_that_a_job_has_left_its_words_in_is_not_adopted() -> None:
    with having_networks() as gone, having_networks(instance=gone.options.instance) as follower:
        fill(gone)
        job, _ = launched(gone, "echo from-before >> /etc/hosts")
        engine.run(gone, job)
        assert follower.cleanup(job.execution_id)
        fill(follower)
        told = [
            first_line(follower, launched(follower, "grep -c from-before /etc/hosts; exec sleep 60")[0])
            for _ in range(3)
        ]

        assert told == ["0"] * 3


def test_those_of_before_are_removed_when_the_config_asks_for_none_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "LOOK_SECONDS", 0)
    with having_networks() as before, having_networks(number=0, instance=before.options.instance) as after:
        fill(before)
        job, _ = launched(before)
        keep(after)
        assert len(ids(after)) == 1  # the one that a job has
        assert after.cleanup(job.execution_id)
        keep(after)
        assert not ids(after)


def test_one_that_another_dispatcher_has_lent_is_not_joined() -> None:
    with two() as (one, other):
        theirs = [launched(one) for _ in range(2)]
        ours = [launched(other) for _ in range(3)]
        seen = [first_line(one, job) for job, _ in (*theirs, *ours)]

        assert [way for _, way in theirs] == [PREPARED] * 2
        assert len(set(seen)) == 5


def test_of_two_that_take_the_same_at_once_none_joins_the_other() -> None:
    with two() as (one, other):
        shared = one._networks._free[0].id
        for executor in (one, other):
            executor._networks._free = [donor for donor in executor._networks._free if donor.id == shared]
        both = threading.Barrier(2)

        def meet(event: SpanEvent) -> None:
            if (event.name, event.edge) == ("create", "end") and event.execution_id in waiting:
                waiting.remove(event.execution_id)
                both.wait(engine.DEADLINE)

        jobs = [engine.spec(STAYS), engine.spec(STAYS)]
        waiting = [job.execution_id for job in jobs]
        results: dict[str, LaunchResult] = {}
        forget = observe(meet)
        threads = [
            threading.Thread(target=lambda e=e, job=job: results.update({job.execution_id: e.launch_job(job)}))
            for e, job in zip((one, other), jobs, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(engine.DEADLINE)
        forget()

        assert [results[job.execution_id].path for job in jobs].count(PREPARED) <= 1
        assert len({first_line(one, job) for job in jobs}) == 2


def test_who_has_met_another_dispatcher_leaves_it_what_it_has_made() -> None:
    with two() as (one, other):
        made_by_one = {donor.id for donor in one._networks._free}
        mine = [donor for donor in other._networks._free if donor.id not in made_by_one]
        other._networks._free = [donor for donor in other._networks._free if donor not in mine]
        theirs = [launched(one) for _ in range(2)]
        _, way = launched(other)
        keep(other)

        assert ([way for _, way in theirs], way) == ([PREPARED] * 2, COLD)
        assert not made_by_one & {donor.id for donor in other._networks._free}


# What goes


def test_a_close_removes_what_is_free_and_leaves_what_a_job_has() -> None:
    with engine.executing(prepared_networks=2) as executor:
        executor.prepare()
        engine.fill_networks(executor, 2)
        job, way = launched(executor)
        executor.close()

        assert way is PREPARED
        assert len(ids(executor)) == 1
        assert first_line(executor, job)
        remove_donors(executor)


def test_those_of_a_tenant_that_launches_nothing_any_more_go(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(executor)
    assert len(ids(executor)) == 2
    monkeypatch.setattr(networks, "UNUSED_SECONDS", 0)
    keep(executor)
    assert not ids(executor)


def test_those_that_a_burst_has_needed_go_when_it_is_over(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(executor)
    jobs = [launched(executor)[0] for _ in range(2)]
    keep(executor)
    assert len(ids(executor)) == 4
    for job in jobs:
        assert executor.cleanup(job.execution_id)
    monkeypatch.setattr(networks, "SPARE_SECONDS", 0)
    keep(executor)
    assert len(ids(executor)) == 4  # they were needed in the time that has just ended
    keep(executor)
    assert len(ids(executor)) == 2


def test_jobs_one_after_the_other_need_one_more_than_are_kept_and_no_other(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "SPARE_SECONDS", 0)
    fill(executor)
    seen = set()
    for _ in range(4):
        job, _ = launched(executor, "true")
        keep(executor)
        assert executor.cleanup(job.execution_id)
        seen |= ids(executor)
    assert len(seen) == 3


def test_all_that_are_free_are_bounded(executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "MOST_FREE", 3)
    fill(executor, "one", "two", "three")
    assert len(ids(executor)) == 3


def test_what_another_process_has_cleaned_up_after_is_lent_again(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(executor)
    job, _ = launched(executor)
    with engine.executing(instance=executor.options.instance) as other:
        assert other.cleanup(job.execution_id)
    monkeypatch.setattr(networks, "LOOK_SECONDS", 0)
    executor._networks.step()
    executor._networks._look()

    assert not executor._networks._lent
    assert {donor.id for donor in executor._networks._free} == ids(executor)


def test_an_engine_without_a_gate_for_its_architecture_says_so(
    monkeypatch: pytest.MonkeyPatch, executor: DockerExecutor
) -> None:
    monkeypatch.setattr(gate, "program", lambda architecture: None)
    executor._networks.take(engine.spec())
    with pytest.raises(Exception, match="there is no gate for"):
        executor._networks.step()
    assert run(executor, "true")[1].path is COLD


def test_one_that_does_not_start_leaves_nothing(executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EngineRefusal(500, "no")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "start", refuse)
        executor._networks.take(engine.spec())
        with pytest.raises(EngineRefusal):
            executor._networks.step()
    assert not ids(executor)

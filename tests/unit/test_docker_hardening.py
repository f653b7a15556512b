"""What holds inside a container, seen from inside, on a real engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from container_manager.executors.docker import DockerExecutor
from container_manager.states import ExecutionStatus, Reason
from tests import engine


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    engine.ensure_image()


@pytest.fixture
def executor() -> Iterator[DockerExecutor]:
    with engine.executing() as executor:
        yield executor


def seen(executor: DockerExecutor, script: str, **fields: object) -> str:
    """What a script writes, without its last newline."""
    return engine.run(executor, engine.spec(script, **fields))[1].decode().rstrip("\n")


def test_a_job_has_no_capabilities_and_cannot_gain_any(executor: DockerExecutor) -> None:
    status = seen(executor, "grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status | tr -d '\\t'")
    assert set(status.split()) == {"CapEff:0000000000000000", "CapBnd:0000000000000000", "NoNewPrivs:1"}


def test_the_operator_may_leave_a_capability() -> None:
    with engine.executing(cap_add=["NET_BIND_SERVICE"], no_new_privileges=False) as executor:
        status = seen(executor, "grep -E '^(CapBnd|NoNewPrivs):' /proc/self/status | tr -d '\\t'")
    assert status.split() == ["CapBnd:0000000000000400", "NoNewPrivs:0"]


def test_an_init_is_process_one(executor: DockerExecutor) -> None:
    assert seen(executor, "cat /proc/1/comm") in {"docker-init", "tini"}


def test_the_only_network_is_loopback(executor: DockerExecutor) -> None:
    assert seen(executor, "ls /sys/class/net").split() == ["lo"]


def test_nothing_of_our_environment_reaches_a_job(executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PURSER_SECRET_KEY", "hidden")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    names = {line.partition("=")[0] for line in seen(executor, "env", env={"LANG": "C"}).splitlines()}
    assert names <= {"LANG", "PATH", "HOME", "HOSTNAME", "PWD", "SHLVL"}


def test_a_value_with_equals_signs_arrives_as_it_is(executor: DockerExecutor) -> None:
    assert seen(executor, 'echo "$A"', env={"A": "b=c= d"}) == "b=c= d"


@pytest.mark.parametrize("read_only", [True, False])
def test_the_root_is_read_only_where_asked(executor: DockerExecutor, read_only: bool) -> None:
    written = seen(executor, "touch /etc/x 2>/dev/null && echo written || echo refused", read_only_root=read_only)
    assert written == ("refused" if read_only else "written")


def test_the_root_is_read_only_where_the_operator_says_so() -> None:
    with engine.executing(read_only_root=True) as executor:
        assert seen(executor, "touch /etc/x 2>/dev/null && echo written || echo refused") == "refused"


def test_tmp_is_private_bounded_and_without_devices(executor: DockerExecutor) -> None:
    script = "grep ' /tmp ' /proc/mounts; dd if=/dev/zero of=/tmp/x bs=1M count=9 2>/dev/null || wc -c </tmp/x"
    mounted, size = seen(executor, script, tmp_size_mib=4).splitlines()
    assert {"nosuid", "nodev", "size=4096k"} <= set(mounted.split()[3].split(","))
    assert int(size) == 4 * 1024 * 1024


def test_a_tmpfs_is_where_and_as_big_as_asked(executor: DockerExecutor) -> None:
    mounted = seen(executor, "grep ' /scratch ' /proc/mounts", tmpfs=[{"target": "/scratch", "size_mib": 3}])
    assert {"rw", "nosuid", "nodev", "size=3072k"} <= set(mounted.split()[3].split(","))


def test_the_images_own_tmp_stays_where_the_operator_says_so() -> None:
    with engine.executing(default_tmp_size_mib=None) as executor:
        assert seen(executor, "grep -c ' /tmp ' /proc/mounts") == "0"


def test_the_number_of_processes_is_bounded(executor: DockerExecutor) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait"
    _, _, stderr = engine.run(executor, engine.spec(script, pids_limit=5))
    assert b"can't fork" in stderr


def test_memory_is_bounded_without_swap(executor: DockerExecutor) -> None:
    job = engine.spec("exec dd if=/dev/zero of=/dev/null bs=200M count=1")
    execution, _, _ = engine.run(executor, job)
    assert (execution.status, execution.exit_code, execution.oom_killed) == (ExecutionStatus.FAILED, 137, True)
    assert execution.signal is None


def test_a_job_runs_as_the_user_that_was_asked_for_or_set() -> None:
    with engine.executing(user="2000:2001") as executor:
        assert seen(executor, "id -u; id -g") == "2000\n2001"
        assert seen(executor, "id -u; id -g", user="1000:1001") == "1000\n1001"


def test_entrypoint_and_working_directory_are_honoured(executor: DockerExecutor) -> None:
    job = engine.spec(entrypoint=["sh", "-c"], command=["pwd"], working_dir="/etc")
    assert engine.run(executor, job)[1] == b"/etc\n"


def test_a_bind_mount_under_an_allowed_root_is_read_only_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("of the host")
    mount = {"type": "bind", "source": str(tmp_path), "target": "/data"}
    with engine.executing(writable_mount_roots=[str(tmp_path)], cap_add=["DAC_OVERRIDE"]) as executor:
        assert (
            seen(executor, "cat /data/file; touch /data/x 2>/dev/null || echo refused", mounts=[mount])
            == "of the hostrefused"
        )
        assert seen(executor, "touch /data/x && echo written", mounts=[{**mount, "read_only": False}]) == "written"


def test_a_link_that_a_job_has_made_is_not_mounted_by_a_later_one(tmp_path: Path) -> None:
    mount = {"type": "bind", "source": str(tmp_path), "target": "/data", "read_only": False}
    with engine.executing(writable_mount_roots=[str(tmp_path)], cap_add=["DAC_OVERRIDE"]) as executor:
        engine.run(executor, engine.spec("ln -s /etc /data/link", mounts=[mount]))
        assert (tmp_path / "link").is_symlink()
        result = executor.launch_job(engine.spec(mounts=[{**mount, "source": str(tmp_path / "link")}]))
    assert (result[0], result.reason) == (False, Reason.POLICY_DENIED)


def test_a_bind_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    mount = {"type": "bind", "source": str(tmp_path / "absent"), "target": "/data"}
    with engine.executing(mount_roots=[str(tmp_path)]) as executor:
        ok, sentence = executor.launch_job(engine.spec(mounts=[mount]))
    assert not ok
    assert "does not exist" in sentence
    assert not (tmp_path / "absent").exists()


def test_a_mount_that_is_not_allowed_any_more_is_not_launched() -> None:
    mount = {"type": "bind", "source": "/etc", "target": "/data"}
    with engine.executing() as executor:
        job = engine.spec(mounts=[mount])
        assert executor.launch_job(job)[0] is False
        assert executor.check_status(job.execution_id) == ExecutionStatus.NOT_FOUND


def test_a_volume_must_exist_and_outlives_the_job() -> None:
    client = engine.client()
    mount = {"type": "volume", "source": "purser-test-volume", "target": "/data"}
    try:
        with engine.executing(volumes=["purser-test-volume"]) as executor:
            assert (
                executor.launch_job(engine.spec(mounts=[mount]))[1] == "the engine has no volume 'purser-test-volume'"
            )
            client.create_volume("purser-test-volume")
            engine.run(executor, engine.spec("echo kept > /data/file", mounts=[{**mount, "read_only": False}]))
            assert seen(executor, "cat /data/file", mounts=[mount]) == "kept"
        assert client.inspect_volume("purser-test-volume")
    finally:
        client.remove_volume("purser-test-volume", force=True)
        client.close()


def test_an_unknown_runtime_is_a_launch_error() -> None:
    with engine.executing(runtime="nosuch") as executor:
        result = executor.launch_job(engine.spec())
    assert (result[0], result.reason) == (False, Reason.LAUNCH_ERROR)
    assert "nosuch" in result[1]

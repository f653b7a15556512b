"""What a process job sees of the host, and what it may ask for."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from container_manager.exceptions import EngineUnavailable, InvalidConfig
from container_manager.executors.process import ProcessExecutor
from container_manager.executors.process_host.directory import MARK
from container_manager.executors.process_host.options import ProcessOptions
from container_manager.executors.process_host.sandbox import Bubblewrap, User, find_user
from container_manager.spec import JobRequest
from container_manager.states import ExecutionStatus, Reason
from tests.contract.rig import Rig
from tests.unit.process_base import BUBBLEWRAP, NO_GROUPS, PLAIN, OnThisHost, outcome, python, shell

NOBODY = 65534


class EveryMode(OnThisHost):
    def test_nothing_of_our_environment_is_in_the_jobs(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PURSER_SECRET_KEY", "s3cret")
        execution_id = rig.launch("job", command=["env"], env={"GREETING": "hello\nworld"})
        lines = set(outcome(rig, execution_id)[1].splitlines()) - {"PWD=/tmp"}
        assert lines == {
            f"PATH={ProcessOptions().path}", "HOME=/tmp", "LANG=C.UTF-8",
            "GREETING=hello", "world", f"{MARK}={execution_id}",
        }  # fmt: skip

    def test_a_job_may_replace_the_usual_environment(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "echo $HOME", env={"HOME": "/var"}))[1] == "/var\n"

    def test_it_runs_as_nobody_without_groups(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "id -u; id -g; id -G"))[1].split() == ["65534"] * 3

    def test_it_gains_no_privileges(self, rig: Rig) -> None:
        stdout = outcome(rig, shell(rig, "grep -E '^(NoNewPrivs|CapEff)' /proc/self/status"))[1]
        assert stdout.split() == ["CapEff:", "0" * 16, "NoNewPrivs:", "1"]

    def test_it_inherits_no_open_file_and_no_ignored_signal(self, rig: Rig) -> None:
        script = "import os; print(len(os.listdir('/proc/self/fd'))); print(open('/proc/self/status').read())"
        stdout = outcome(rig, python(rig, script))[1]
        assert stdout.splitlines()[0] == "4"  # its three streams, and the directory that is listed
        assert "SigBlk:\t0000000000000000" in stdout
        ignored = int(stdout.partition("SigIgn:\t")[2][:16], 16)
        of_the_c_library = (1 << 31) | (1 << 32)  # 32 and 33: no program can change them, and none sends them
        assert ignored & ~of_the_c_library == (1 << 12) | (1 << 24)  # those that Python itself ignores

    def test_it_starts_in_its_working_directory(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "pwd"))[1] == "/tmp\n"
        assert outcome(rig, shell(rig, "pwd", working_dir="/usr/bin"))[1] == "/usr/bin\n"

    def test_a_working_directory_that_is_not_there_is_the_jobs_fault(self, rig: Rig) -> None:
        execution = outcome(rig, shell(rig, "pwd", working_dir="/no/such"))[0]
        assert (execution.reason, execution.exit_code) == (Reason.COMMAND_NOT_FOUND, None)
        assert "/no/such" in execution.detail

    @pytest.mark.parametrize("command", [["no-such-command"], ["/etc/passwd"], ["/no/such"]])
    def test_what_cannot_be_executed_is_told_from_an_exit_with_127(self, rig: Rig, command: list[str]) -> None:
        execution, stdout, stderr = outcome(rig, rig.launch("job", command=command))
        assert (execution.status, execution.exit_code) == (ExecutionStatus.FAILED, None)
        assert execution.reason == Reason.COMMAND_NOT_FOUND
        assert execution.detail.startswith(command[0])
        assert (stdout, stderr) == ("", "")

    def test_exits_with_126_and_127_are_exits(self, rig: Rig) -> None:
        for code in (126, 127):
            execution = outcome(rig, shell(rig, f"exit {code}"))[0]
            assert (execution.exit_code, execution.reason) == (code, None)

    def test_arguments_that_are_too_long_are_the_jobs_fault(self, rig: Rig) -> None:
        execution = outcome(rig, rig.launch("job", command=["true", *["x" * 32_000] * 100]))[0]
        assert (execution.reason, execution.exit_code) == (Reason.COMMAND_NOT_FOUND, None)

    def test_an_entrypoint_stands_before_the_command(self, rig: Rig) -> None:
        execution_id = rig.launch("job", entrypoint=["echo", "a"], command=["b"])
        assert outcome(rig, execution_id)[1] == "a b\n"

    def test_without_stdin_it_reads_nothing(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "cat; echo end"))[1] == "end\n"

    def test_stdin_that_is_not_read_does_no_harm(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "exit 3", stdin="x" * 500_000))[0].exit_code == 3


class TestInBubblewrap(EveryMode):
    options = BUBBLEWRAP

    @pytest.fixture
    def listener(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield server.getsockname()[1]

    def test_it_has_no_network(self, rig: Rig, listener: int) -> None:
        script = f"import socket; socket.create_connection(('127.0.0.1', {listener}), 2)"
        execution, _, stderr = outcome(rig, python(rig, script))
        assert execution.exit_code == 1
        assert "ConnectionRefusedError" in stderr
        interfaces = outcome(rig, shell(rig, "cat /proc/net/dev"))[1]
        assert [line.split(":")[0].strip() for line in interfaces.splitlines()[2:]] == ["lo"]

    @pytest.mark.parametrize("place", ["/etc", "/usr", "/var/tmp", "/home", "/run", "/"])
    def test_the_root_cannot_be_written(self, rig: Rig, place: str) -> None:
        execution, _, stderr = outcome(rig, shell(rig, f"echo x > {place}/purser-was-here"))
        assert execution.exit_code
        assert "Read-only file system" in stderr

    def test_its_tmp_is_private_and_of_the_asked_size(self, rig: Rig, tmp_path: Path) -> None:
        script = "touch /tmp/mine; ls -A /tmp; df --output=size -m /tmp | tail -1"
        assert outcome(rig, shell(rig, script, tmp_size_mib=7))[1].split() == ["mine", "7"]
        assert not Path("/tmp/mine").exists()

    def test_its_tmp_has_a_bound_when_none_is_asked(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "df --output=size -m /tmp | tail -1"))[1].split() == ["256"]

    def test_it_sees_its_own_processes_only(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "ls -d /proc/[0-9]*"))[1].split()[0] == "/proc/1"
        assert f"/proc/{os.getpid()}\n" not in outcome(rig, shell(rig, "ls -d /proc/[0-9]*"))[1]

    @pytest.mark.parametrize("place", ["/root", "/home", "/run"])
    def test_private_places_of_the_host_are_empty(self, rig: Rig, place: str) -> None:
        assert outcome(rig, shell(rig, f"ls -A {place}"))[1] == ""

    def test_what_it_loads_is_not_loaded_outside_of_the_sandbox(self, rig: Rig, tmp_path: Path) -> None:
        target = tmp_path / "debug"
        environ = {"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(target)}
        tmp_path.chmod(0o777)
        outcome(rig, shell(rig, "true", env=environ))
        assert list(tmp_path.glob("debug*")) == []

    def test_its_environment_is_not_in_any_command_line(self, rig: Rig) -> None:
        execution_id = shell(rig, "echo ready; exec sleep 60", env={"PASSWORD": "tell-nobody"})
        rig.ready(execution_id)
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert b"tell-nobody" not in process.read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue

    def test_a_writable_root_is_refused(self, executor: ProcessExecutor) -> None:
        assert refused(executor, read_only_root=False) == {("read_only_root", "not_allowed")}
        assert refused(executor, read_only_root=True) == set()


class TestInBubblewrapAsRoot(OnThisHost):
    options = {**BUBBLEWRAP, "default_user": "root", "allowed_users": ["nobody", "daemon"]}

    def test_it_does_not_see_the_executions_of_others(self, rig: Rig) -> None:
        state_dir = rig.executor.config["state_dir"]
        assert outcome(rig, shell(rig, f"ls -A {state_dir}"))[1] == ""

    def test_a_user_that_the_config_allows_is_taken(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "id -un; id -gn", user="daemon"))[1].split() == ["daemon", "daemon"]
        assert outcome(rig, shell(rig, "id -u", user="65534"))[1].split() == ["65534"]

    def test_another_user_is_refused(self, executor: ProcessExecutor) -> None:
        assert refused(executor, user="bin") == {("user", "not_allowed")}
        assert refused(executor, user="no-such-user") == {("user", "not_allowed")}
        assert refused(executor, user="daemon:no-such-group") == {("user", "not_allowed")}


class TestPlain(EveryMode):
    options: dict[str, Any] = PLAIN

    def test_a_request_for_no_network_is_refused(self, executor: ProcessExecutor) -> None:
        assert refused(executor, network="none") == {("network", "not_allowed")}
        assert refused(executor, network="host") == set()

    def test_it_sees_the_hosts_processes(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, f"test -d /proc/{os.getpid()}"))[0].exit_code == 0

    def test_root_is_refused_unless_the_config_allows_it(self, executor: ProcessExecutor) -> None:
        assert refused(executor, user="root") == {("user", "not_allowed")}
        assert refused(executor, user="nobody") == set()


class TestWithoutControlGroups(TestPlain):
    options = NO_GROUPS

    def test_a_limit_in_a_request_is_refused_by_name(self, executor: ProcessExecutor) -> None:
        asked = {"memory_mib": 64, "cpu_cores": 0.5, "pids_limit": 10}
        assert refused(executor, **asked) == {(name, "unsupported") for name in asked}

    def test_defaults_are_taken_and_not_enforced(self, rig: Rig) -> None:
        script = "x = bytearray(100 << 20); print(len(x))"
        assert outcome(rig, python(rig, script, memory_mib=16))[1] == "104857600\n"
        assert "limits are not enforced" in rig.executor.health_check().detail  # type: ignore[union-attr]

    def test_usage_is_that_of_the_processes(self, rig: Rig) -> None:
        usage = outcome(rig, python(rig, "x = bytearray(50 << 20); sum(range(3_000_000))"))[0].usage
        assert (usage.cpu_user_seconds or 0) > 0.01
        assert usage.peak_memory_bytes is None


class TestRequests(OnThisHost):
    options = {**PLAIN, "max_pids_limit": 100}

    def test_a_command_is_required(self, executor: ProcessExecutor) -> None:
        request = JobRequest.model_validate({"image": "busybox:local"})
        errors = {(error.field, error.code) for error in executor.refusals(request)}
        assert errors == {("image", "unsupported"), ("command", "required")}

    def test_more_processes_than_allowed_are_refused(self, executor: ProcessExecutor) -> None:
        assert refused(executor, pids_limit=101) == {("pids_limit", "not_allowed")}

    def test_the_variable_that_marks_processes_is_refused(self, executor: ProcessExecutor) -> None:
        assert refused(executor, env={MARK: "x"}) == {("env", "not_allowed")}

    def test_a_launch_with_what_cannot_be_honoured_is_refused_by_name(self, rig: Rig) -> None:
        spec = rig.spec("job", command=["true"], image="busybox:local")
        result = rig.executor.launch_job(spec)
        assert not result[0]
        assert result[1].startswith("image: ")
        assert rig.executor.check_status(spec.execution_id) == ExecutionStatus.NOT_FOUND

    def test_a_user_of_the_config_must_exist(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidConfig, match=r"default_user.*no user 'nemo'"):
            ProcessExecutor({"default_user": "nemo"})
        with pytest.raises(InvalidConfig, match=r"allowed_users.*no group 'nemo'"):
            ProcessExecutor({"allowed_users": ["root:nemo"]})


class TestWithoutBubblewrap(OnThisHost):
    options: dict[str, Any] = {}

    @pytest.fixture(autouse=True, params=["missing", "failing"])
    def bwrap(self, request: pytest.FixtureRequest, public_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tools = public_path / "tools"
        tools.mkdir()
        for name in ("cat", "sleep"):
            (tools / name).symlink_to(f"/usr/bin/{name}")
        scripts = {"failing": "echo no namespaces >&2; exit 1"}
        if script := scripts.get(request.param):
            (tools / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
            (tools / "bwrap").chmod(0o755)
        monkeypatch.setenv("PATH", str(tools))

    def test_jobs_run_plain_and_it_says_so(self, rig: Rig) -> None:
        assert rig.executor.capabilities.isolation == "none"
        health = rig.executor.health_check()
        assert health
        assert "without a sandbox" in health.detail  # type: ignore[union-attr]
        assert outcome(rig, shell(rig, "echo ran"))[1] == "ran\n"

    def test_where_it_is_required_nothing_runs_and_health_says_why(self, tmp_path: Path) -> None:
        executor = ProcessExecutor({"sandbox": "bubblewrap", "state_dir": str(tmp_path / "state")})
        health = executor.health_check()
        assert not health
        assert "bwrap" in health.detail
        assert executor.capabilities.isolation == "bubblewrap"
        rig = Rig(executor, {"job": {}}, deadline=20)
        with pytest.raises(EngineUnavailable, match="bwrap"):
            rig.launch("job", command=["true"])
        assert executor.list_executions() == []


class TestWithASlowBubblewrap(OnThisHost):
    options: dict[str, Any] = {}

    @pytest.fixture(autouse=True, params=["exec sleep 60", "kill -KILL $$"])
    def bwrap(self, request: pytest.FixtureRequest, public_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (public_path / "bwrap").write_text(f"#!/bin/sh\n{request.param}\n")
        (public_path / "bwrap").chmod(0o755)
        monkeypatch.setenv("PATH", f"{public_path}:/usr/bin:/bin")
        monkeypatch.setattr("container_manager.executors.process_host.sandbox._PROBE_SECONDS", 0.5)
        return public_path / "bwrap"

    def test_nothing_runs_plain_because_it_did_not_answer(self, rig: Rig) -> None:
        assert rig.executor.capabilities.isolation == "bubblewrap"
        with pytest.raises(EngineUnavailable, match="bwrap"):
            shell(rig, "echo ran")
        assert rig.executor.list_executions() == []
        assert not rig.executor.health_check()

    def test_it_is_tried_out_again_at_the_next_health_check(
        self, rig: Rig, bwrap: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not rig.executor.health_check()
        bwrap.unlink()
        monkeypatch.setattr("container_manager.executors.process_host.sandbox._PROBE_SECONDS", 30)
        assert rig.executor.health_check()
        assert rig.executor.capabilities.isolation == "bubblewrap"
        assert outcome(rig, shell(rig, "echo ran"))[1] == "ran\n"


class TestUsers(OnThisHost):
    def test_names_and_numbers_are_read(self) -> None:
        assert find_user("nobody").uid == NOBODY
        assert find_user("65534:0") == User(NOBODY, 0)
        assert find_user("daemon:nogroup") == User(1, NOBODY)
        assert find_user("4242") == User(4242, 4242)

    @pytest.mark.parametrize(
        ("mode", "user", "reaches"),
        [
            (0o700, User(0, 0), True),
            (0o700, User(NOBODY, NOBODY), False),
            (0o100, User(4242, NOBODY), True),
            (0o077, User(4242, NOBODY), False),
            (0o010, User(NOBODY, 4243), True),
            (0o010, User(NOBODY, NOBODY, (4243,)), True),
            (0o107, User(NOBODY, 4243), False),
            (0o001, User(NOBODY, NOBODY), True),
        ],
    )
    def test_what_a_user_cannot_reach_needs_no_hiding(
        self, public_path: Path, mode: int, user: User, reaches: bool
    ) -> None:
        secret = public_path / "above" / "secret"
        secret.mkdir(parents=True)
        os.chown(secret.parent, 4242, 4243)
        secret.parent.chmod(mode)
        assert (str(secret) in Bubblewrap("bwrap", [str(secret)]).prefix(user, "/", 1)) == reaches


def refused(executor: ProcessExecutor, **fields: Any) -> set[tuple[str, str]]:
    request = JobRequest.model_validate({"command": ["true"], **fields})
    return {(error.field, error.code) for error in executor.refusals(request)}

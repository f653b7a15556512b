"""The supervisor and its command, run in children of this process, where coverage sees them."""

import errno
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import coverage
import pytest

from container_manager.executors.cgroups import Group
from container_manager.executors.process_host import command
from container_manager.executors.process_host import supervisor as supervisor_module
from container_manager.executors.process_host.command import Command, Failure
from container_manager.executors.process_host.directory import ExecutionDirectory
from container_manager.executors.process_host.procfs import command_line, descendants, find_process, has_variable
from container_manager.executors.process_host.sandbox import Bubblewrap
from container_manager.executors.process_host.supervisor import Supervisor, main
from container_manager.executors.results import Execution
from container_manager.states import ExecutionStatus, Reason

SANDBOX = Bubblewrap("/usr/bin/bwrap").prefix(None, "/tmp", 1)
NO_PID = 2**22 + 1


def spec(*argv: str, **changes: Any) -> dict[str, Any]:
    return {
        "argv": list(argv), "sandbox": [], "env": {"PATH": "/usr/bin:/bin"}, "mark": {}, "working_dir": "/",
        "stdin": None, "user": None, "secret_dirs": [], "cgroups": {}, "log_max_bytes": 1 << 20, **changes,
    }  # fmt: skip


def in_a_child(work: Callable[[], object]) -> int:
    """Do work in a fork of this process, and keep what coverage saw there; the pid."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            if seen := coverage.Coverage.current():
                seen.stop()
                seen.save()
            os._exit(code)
    return pid


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class TestSupervising:
    @pytest.fixture
    def where(self, tmp_path: Path) -> ExecutionDirectory:
        return ExecutionDirectory(tmp_path)

    def run(self, where: ExecutionDirectory, what: dict[str, Any]) -> Execution:
        pid = self.begin(where, what)
        assert exit_code(pid) == 0
        return where.inspect()

    def begin(self, where: ExecutionDirectory, what: dict[str, Any]) -> int:
        where.write_spec(what)

        def supervise() -> None:
            supervisor = Supervisor(str(where.path))
            supervisor.begin()
            supervisor.run()

        return in_a_child(supervise)

    def texts(self, where: ExecutionDirectory) -> list[tuple[str, bytes]]:
        return [(frame.stream, frame.data) for frame, _ in where.frames()]

    def until_it_says_ready(self, where: ExecutionDirectory) -> None:
        give_up = time.monotonic() + 20
        while not self.texts(where):
            assert time.monotonic() < give_up
            time.sleep(0.01)

    @pytest.mark.parametrize("sandbox", [[], SANDBOX])
    def test_output_and_exit_are_kept(self, where: ExecutionDirectory, sandbox: list[str]) -> None:
        script = "echo out; sleep 0.1; cat >&2; exit 3"
        execution = self.run(where, spec("sh", "-c", script, stdin="text", sandbox=sandbox))
        assert (execution.status, execution.exit_code) == (ExecutionStatus.FAILED, 3)
        assert self.texts(where) == [("stdout", b"out\n"), ("stderr", b"text")]

    @pytest.mark.parametrize("sandbox", [[], SANDBOX])
    def test_a_command_that_is_not_there_is_a_failure(self, where: ExecutionDirectory, sandbox: list[str]) -> None:
        execution = self.run(where, spec("/no/such", sandbox=sandbox))
        assert (execution.reason, execution.exit_code) == (Reason.COMMAND_NOT_FOUND, None)
        assert execution.detail == "/no/such: No such file or directory"
        assert self.texts(where) == []

    def test_a_sandbox_that_cannot_be_made_is_not_the_commands_fault(self, where: ExecutionDirectory) -> None:
        execution = self.run(where, spec("true", sandbox=[*SANDBOX, "--tmpfs", "/no/such"]))
        assert execution.reason == Reason.LAUNCH_ERROR
        assert "/no/such" in execution.detail

    def test_a_sandbox_that_is_not_there_is_not_the_commands_fault(self, where: ExecutionDirectory) -> None:
        execution = self.run(where, spec("true", sandbox=["/no/bwrap"]))
        assert execution.reason == Reason.LAUNCH_ERROR

    def test_stdin_that_is_not_read_is_given_up(self, where: ExecutionDirectory) -> None:
        script = "exec <&-; echo ready; sleep 0.2"
        assert self.run(where, spec("sh", "-c", script, stdin="x" * 500_000)).exit_code == 0

    @pytest.mark.parametrize("sandbox", [[], SANDBOX])
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGUSR1, 137)])
    def test_signals_end_it(
        self, where: ExecutionDirectory, sandbox: list[str], number: signal.Signals, code: int
    ) -> None:
        pid = self.begin(where, spec("sh", "-c", "setsid sleep 60 & echo ready; exec sleep 60", sandbox=sandbox))
        self.until_it_says_ready(where)
        os.kill(pid, number)
        assert exit_code(pid) == 0
        execution = where.inspect()
        assert (execution.exit_code, execution.signal) == (code, code - 128)

    def test_a_sigterm_before_the_sandbox_stands_waits_for_it(self, where: ExecutionDirectory) -> None:
        pid = self.begin(where, spec("sleep", "60", sandbox=SANDBOX))
        give_up = time.monotonic() + 20
        while not where.begun():
            assert time.monotonic() < give_up
        os.kill(pid, signal.SIGTERM)
        assert exit_code(pid) == 0
        assert where.inspect().exit_code == 143

    def start_main(self, where: ExecutionDirectory, what: dict[str, Any]) -> tuple[int, int, int]:
        """Its pid, and the ends of the pipes where it is told secrets and says that it is up."""
        where.write_spec(what)
        lock = where.claim()
        assert lock is not None
        secrets, told = os.pipe()
        said, up = os.pipe()

        def start() -> None:
            os.dup2(secrets, 0)
            os.dup2(up, 1)
            for fd in (secrets, told, said, up):
                os.close(fd)
            main(str(where.path), lock)

        pid = in_a_child(start)
        for fd in (secrets, lock, up):
            os.close(fd)
        return pid, told, said

    def until_it_is_gone(self, where: ExecutionDirectory) -> None:
        give_up = time.monotonic() + 20
        while where.is_locked():
            assert time.monotonic() < give_up
            time.sleep(0.01)

    def test_main_detaches_says_that_it_is_up_and_lets_the_lock_go_at_its_end(self, where: ExecutionDirectory) -> None:
        go = where.path / "go"
        pid, told, said = self.start_main(where, spec("sh", "-c", f"until [ -e {go} ]; do sleep 0.01; done; exit 3"))
        os.write(told, b"[]")
        os.close(told)
        assert exit_code(pid) == 0
        with os.fdopen(said, "rb") as saying:
            assert saying.read() == supervisor_module.UP
        assert where.is_locked()
        go.touch()
        self.until_it_is_gone(where)
        assert where.inspect().exit_code == 3

    def test_main_runs_the_command_also_when_nobody_listens_any_more(self, where: ExecutionDirectory) -> None:
        pid, told, said = self.start_main(where, spec("sh", "-c", "exit 3"))
        os.close(said)
        os.write(told, b"[]")
        os.close(told)
        assert exit_code(pid) == 0
        self.until_it_is_gone(where)
        assert where.inspect().exit_code == 3

    def test_an_exit_waits_for_room_on_a_full_disk(
        self, where: ExecutionDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        where.write_spec(spec("true"))
        supervisor, answers = Supervisor(str(where.path)), [OSError(errno.ENOSPC, "full"), None]

        def write(path: str, content: dict[str, Any]) -> None:
            if error := answers.pop(0):
                raise error

        monkeypatch.setattr(supervisor_module, "write_whole", write)
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        supervisor._write_exit({})
        assert answers == []

    def test_an_exit_of_a_removed_execution_is_given_up(self, where: ExecutionDirectory) -> None:
        where.write_spec(spec("true"))
        supervisor = Supervisor(str(where.path))
        supervisor._directory = str(where.path / "removed")
        supervisor._write_exit({})
        assert not where.has_ended()


class TestTheChild:
    """The steps between fork and exec, taken in this process with every door out of it closed."""

    @pytest.fixture
    def calls(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
        calls: list[tuple[Any, ...]] = []
        names = ["setsid", "umask", "setgroups", "setgid", "setuid", "dup2", "chdir", "kill"]
        doors = {name: _recorder(calls, name) for name in names}
        exits = {name: _recorder(calls, name, then=_leave) for name in ("execvpe", "execve")}
        monkeypatch.setattr(command, "os", SimpleNamespace(**{**vars(os), **doors, **exits, "_exit": _leave}))
        monkeypatch.setattr(command, "signal", SimpleNamespace(**{**vars(signal), "signal": _refuse_one}))
        monkeypatch.setattr(resource, "setrlimit", _recorder(calls, "setrlimit"))
        monkeypatch.setattr(command, "prctl", _recorder(calls, "prctl"))
        return calls

    def become(self, what: dict[str, Any], parent: int = 0) -> Failure | None:
        command = Command(what, Group({}))
        with pytest.raises(SystemExit):
            command.become(parent or os.getppid())
        told = os.read(command.failed, 1000) if select.select([command.failed], [], [], 0)[0] else b""
        return Failure(*json.loads(told)) if told else None

    def test_a_plain_command_gets_its_user_before_its_directory_and_no_new_privileges(
        self, calls: list[tuple[Any, ...]]
    ) -> None:
        assert self.become(spec("a", "b", user=[1, 2, [3]], working_dir="/w", mark={"M": "x"})) is None
        names = [call[0] for call in calls]
        assert names[:6] == ["setsid", "umask", "setrlimit", "setgroups", "setgid", "setuid"]
        assert calls[-3:] == [
            ("chdir", "/w"), ("prctl", 38, 1), ("execvpe", "a", ["a", "b"], {"PATH": "/usr/bin:/bin", "M": "x"}),
        ]  # fmt: skip

    def test_a_sandboxed_command_gets_its_environment_inside_only(self, calls: list[tuple[Any, ...]]) -> None:
        assert self.become(spec("a", sandbox=["/bwrap", "--x"], env={"SECRET": "s"}, mark={"M": "x"})) is None
        name, program, argv, environ = calls[-1]
        assert (name, program, environ) == ("execve", "/bwrap", {"M": "x"})
        assert argv[:2] == ["/bwrap", "--x"]
        assert argv[-2:] == ["--", "a"]
        assert os.read(int(argv[argv.index("--args") + 1]), 100) == b"--setenv\0SECRET\0s\0"

    @pytest.mark.parametrize(
        ("step", "number", "sandbox", "blamed"),
        [
            ("execvpe", errno.ENOENT, [], True), ("execvpe", errno.ENOMEM, [], False),
            ("chdir", errno.ENOTDIR, [], True), ("setuid", errno.EACCES, [], False),
            ("execve", errno.ENOENT, ["/bwrap"], False), ("execve", errno.E2BIG, ["/bwrap"], True),
        ],
    )  # fmt: skip
    def test_a_failed_step_is_told_with_whose_fault_it_is(
        self, calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch,
        step: str, number: int, sandbox: list[str], blamed: bool,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(f"{command.__name__}.os.{step}", _recorder(calls, step, then=lambda *_: _raise(number)))
        failure = self.become(spec("a", user=[1, 2, []], sandbox=sandbox))
        assert failure
        assert failure.is_the_commands is blamed
        assert os.strerror(number) in failure.text

    def test_what_cannot_be_an_argument_is_told(self, calls: list[tuple[Any, ...]]) -> None:
        failure = self.become(spec("a", sandbox=["/bwrap"], env={"X": "\ud800"}))
        assert failure == Failure("a: Invalid argument", False)

    def test_an_orphan_does_not_become_the_command(self, calls: list[tuple[Any, ...]]) -> None:
        self.become(spec("a"), parent=NO_PID)
        assert ("kill", os.getpid(), signal.SIGKILL) in calls


class TestProcfs:
    def test_what_is_gone_has_nothing(self) -> None:
        assert find_process(NO_PID) is None
        assert command_line(NO_PID) == b""
        assert not has_variable(NO_PID, "A", "b")

    def test_descendants_are_found_at_every_depth(self) -> None:
        reads, writes = os.pipe()

        def deep() -> None:
            in_a_child(lambda: _say_and_wait(writes))
            signal.pause()

        pid = in_a_child(deep)
        os.read(reads, 1)
        found = descendants(os.getpid())
        below = descendants(pid)
        assert pid in found
        assert len(below) == 1
        assert set(below) < set(found)
        for process in (*below, pid):
            os.kill(process, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reads)
        os.close(writes)

    def test_a_prctl_that_fails_is_an_error(self) -> None:
        with pytest.raises(OSError, match="Invalid argument"):
            command.prctl(-1, 0)


def _recorder(
    calls: list[tuple[Any, ...]], name: str, then: Callable[..., object] | None = None
) -> Callable[..., None]:
    def record(*arguments: Any) -> None:
        calls.append((name, *arguments))
        if then:
            then()

    return record


def _refuse_one(number: int, _: object) -> None:
    if number == signal.SIGHUP:
        _raise(errno.EINVAL)


def _say_and_wait(fd: int) -> None:
    os.write(fd, b".")
    signal.pause()


def _raise(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


def _leave(code: int = 0) -> NoReturn:
    raise SystemExit(code)

"""The command of a process job, as a child of its supervisor. Standard library only."""

import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

from container_manager.executors.cgroups import Group

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_CANNOT_EXECUTE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENOEXEC, errno.ELOOP, errno.E2BIG, errno.ENAMETOOLONG}
)


class Failure(NamedTuple):
    """Why the command never ran, and whether the command itself is to blame."""

    text: str
    is_the_commands: bool


class Command:
    """How it is started, and the pipes that lead to it.

    `spec` has `argv`; `sandbox`, bubblewrap with its options, or nothing; `env`; `mark`, what is in the
    environment too and shows whose process it is; `working_dir`; `stdin`, a text or None; and `user`, which
    is [uid, gid, [more gids]] or None for this process's own. `secrets` are [kind, place, value] each: a variable, or a
    file, which only a sandbox can have.
    """

    def __init__(self, spec: dict[str, Any], group: Group, secrets: Sequence[Sequence[str]] = ()) -> None:
        self._spec = spec
        self._env = {**spec["env"], **{place: value for kind, place, value in secrets if kind == "env"}}
        self._files = [(place, value) for kind, place, value in secrets if kind == "file"]
        self._group = group
        self.sandboxed = bool(spec["sandbox"])
        self.stdout, self._its_stdout = os.pipe()
        self.stderr, self._its_stderr = os.pipe()
        self.status, self._its_status = os.pipe()
        self.failed, self._its_failed = os.pipe()
        self._its_stdin, self.stdin = (os.open(os.devnull, os.O_RDONLY), -1) if spec["stdin"] is None else os.pipe()
        self.pid = 0

    def start(self) -> Failure | None:
        """Start it. Returns when it runs, or with the cause why it does not."""
        supervisor = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            self.become(supervisor)
        for fd in (self._its_stdin, self._its_stdout, self._its_stderr, self._its_status, self._its_failed):
            os.close(fd)
        with os.fdopen(self.failed, "rb") as pipe:  # closed by a successful exec
            told = pipe.read()
        return Failure(*json.loads(told)) if told else None

    def become(self, supervisor: int) -> NoReturn:
        """Turn this process, a fresh child of the supervisor, into the command."""
        try:
            for step, action in self._steps(supervisor):
                self._take(step, action)
        finally:
            os._exit(127)

    def _take(self, step: str, action: Callable[[], object]) -> None:
        try:
            action()
        except (OSError, ValueError) as error:
            os.write(self._its_failed, json.dumps(self._failure(step, error)).encode())
            raise

    def _steps(self, supervisor: int) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "isolation", leave_the_supervisor
        yield "cgroup", self._group.join
        yield "user", self._take_user
        yield "isolation", lambda: die_with(supervisor)
        yield "isolation", self._take_streams
        yield "working_dir", lambda: os.chdir("/" if self.sandboxed else self._spec["working_dir"])
        yield "command", self._execute

    def _take_user(self) -> None:
        if self._spec["user"]:
            uid, gid, groups = self._spec["user"]
            os.setgroups(groups)
            os.setgid(gid)
            os.setuid(uid)

    def _take_streams(self) -> None:
        for fd, its_own in enumerate((self._its_stdin, self._its_stdout, self._its_stderr)):
            os.dup2(its_own, fd)

    def _execute(self) -> None:
        argv, mark = self._spec["argv"], self._spec["mark"]
        if self.sandboxed:
            os.execve(self._spec["sandbox"][0], self._sandbox_argv(), mark)
        prctl(_PR_SET_NO_NEW_PRIVS, 1)
        os.execvpe(argv[0], argv, {**self._env, **mark})

    def _sandbox_argv(self) -> list[str]:
        # The command's environment is neither bubblewrap's own, which runs outside of the sandbox, nor in
        # its arguments, which every user of the host can read.
        words = [word for name, value in self._env.items() for word in ("--setenv", name, value)]
        settings = _in_memory("environment", "".join(f"{word}\0" for word in words))
        os.set_inheritable(self._its_status, True)
        told = ["--args", str(settings), "--json-status-fd", str(self._its_status)]
        files = [(place, str(_in_memory("secret", value))) for place, value in self._files]
        secrets = secret_options(files, self._spec["secret_dirs"])
        return command_line(self._spec["sandbox"], [*secrets, *told], self._spec["argv"])

    def _failure(self, step: str, error: OSError | ValueError) -> Failure:
        number = (isinstance(error, OSError) and error.errno) or errno.EINVAL
        blamed = {errno.E2BIG} if self.sandboxed else _CANNOT_EXECUTE
        what = {"command": self._spec["argv"][0], "working_dir": f"working_dir {self._spec['working_dir']}"}.get(
            step, step
        )
        return Failure(f"{what}: {os.strerror(number)}", step in ("command", "working_dir") and number in blamed)


def _in_memory(name: str, text: str) -> int:
    """A file that has this content and no place, for a child to read."""
    fd = os.memfd_create(name, 0)
    with open(fd, "wb", closefd=False) as file:
        file.write(text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def secret_options(files: Sequence[tuple[str, str]], directories: Sequence[str]) -> Iterator[str]:
    """Bubblewrap's options for files that only the command's user can read: where each is, and where it comes from."""
    for place, source in files:
        yield from ("--perms", "0400", "--file", source, place)
    for directory in directories if files else ():
        yield from ("--remount-ro", directory)


def command_line(sandbox: list[str], told: list[str], argv: list[str]) -> list[str]:
    """What is executed: the command, in the sandbox where there is one. `told` is what only this launch tells it."""
    return [*sandbox, *told, "--", *argv] if sandbox else argv


def leave_the_supervisor() -> None:
    """A session of its own, and nothing of the supervisor's ways with signals, files and crashes."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError):  # two real-time signals belong to the C library
            signal.signal(number, signal.SIG_DFL)
    os.setsid()
    os.umask(0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with(parent: int) -> None:
    """Have this process killed when its parent, which has this pid, dies."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

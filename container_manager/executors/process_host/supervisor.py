"""Runs one command to its end and keeps its output and its end in files: a program of its own.

It outlives whoever started it, and needs nothing but the standard library. In the directory of an
execution are:

- `lock`: locked by the supervisor for as long as it lives;
- `spec`: what to run, written by who starts it (see Command; also `cgroups` and `log_max_bytes`);
- `begun`: the supervisor's pid, its start in clock ticks since boot, and when it began;
- `log`: the output, in frames: FRAME, then the bytes, in the order in which they came;
- `exit`: how the command ended, written last and whole, when nothing of the command is left.

SIGTERM asks the command to end, SIGUSR1 kills everything.
"""

import contextlib
import json
import os
import resource
import select
import signal
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

from container_manager.executors.cgroups import Group
from container_manager.executors.process_host.command import Command, Failure, adopt_orphans
from container_manager.executors.process_host.procfs import command_line, descendants, find_process, processes

FRAME = struct.Struct(">BQI")
"""Stream, time in ns since 1970, number of bytes that follow."""

STREAMS = {1: "stdout", 2: "stderr"}

UP = b"up"
"""What the supervisor says on its stdout when it has begun."""

_CHUNK = 64 * 1024
_SAID = 1024
_TICK_MS = 10
_BLAMED = ("execvp", "Can't chdir")


def main(directory: str, lock: int) -> None:
    """Supervise the execution in `directory`, whose lock is held through the file descriptor `lock`."""
    os.set_inheritable(lock, False)
    if os.fork():
        os._exit(0)  # so that nobody has to wait for the supervisor
    with open(0, "rb", closefd=False) as told:
        secrets = json.load(told)
    supervisor = Supervisor(directory, secrets)
    supervisor.begin()
    with contextlib.suppress(BrokenPipeError):  # who started it has been killed; it has begun all the same
        os.write(1, UP)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 0)
    supervisor.run()


class Log:
    """Output on disk, up to `bound` bytes. What is over, or finds the disk full, is counted and dropped."""

    def __init__(self, path: str, bound: int) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._room = bound
        self._size = 0
        self.dropped = dict.fromkeys(STREAMS.values(), 0)

    def write(self, stream: int, data: bytes) -> None:
        kept = data[: self._room]
        frame = FRAME.pack(stream, time.time_ns(), len(kept)) + kept
        if not kept or not self._append(frame):
            kept = b""
        self._room -= len(kept)
        self.dropped[STREAMS[stream]] += len(data) - len(kept)

    def forget(self) -> None:
        """Take all of it back."""
        self._cut(0)
        self.dropped = dict.fromkeys(STREAMS.values(), 0)

    def _append(self, frame: bytes) -> bool:
        with contextlib.suppress(OSError):
            if os.write(self._fd, frame) == len(frame):
                self._size += len(frame)
                return True
        self._cut(self._size)
        return False

    def _cut(self, size: int) -> None:
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, size, os.SEEK_SET)
        self._size = size


class Supervisor:
    def __init__(self, directory: str, secrets: Sequence[Sequence[str]] = ()) -> None:
        self._directory = directory
        with open(self._path("spec")) as file:
            spec = json.load(file)
        self._group = Group(spec["cgroups"])
        self._command = Command(spec, self._group, secrets)
        self._log = Log(self._path("log"), spec["log_max_bytes"])
        self._stdin = memoryview((spec["stdin"] or "").encode())
        self._told = b""  # by bubblewrap, in lines of JSON
        self._said = b""  # how stderr begins
        self._poll = select.poll()
        self._actions: dict[int, Callable[[], None]] = {}
        self._status: int | None = None
        self._started_ns = self._finished_ns = 0
        self._must_ask = self._has_asked = False

    def begin(self) -> None:
        """From here on the command is run, once, whatever happens."""
        adopt_orphans()
        reads, writes = os.pipe()
        os.set_blocking(writes, False)
        signal.set_wakeup_fd(writes)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, lambda *_: None)
        self._on(reads, lambda: self._take_signals(reads))
        me = find_process(os.getpid())
        self._started_ns = time.time_ns()
        begun = {"pid": os.getpid(), "started": me and me.started, "at_ns": self._started_ns}
        write_whole(self._path("begun"), begun)

    def run(self) -> None:
        failure = self._command.start()
        self._listen()
        while self._status is None:
            self._turn(_TICK_MS if self._must_ask else None)
        while self._reap():
            self._kill()
            self._turn(_TICK_MS)
        self._group.kill()
        while self._poll.poll(0):  # what is still in the pipes
            self._turn(0)
        self._end(failure or self._sandbox_failure())

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)

    # Turning

    def _turn(self, timeout_ms: int | None) -> None:
        for fd, _ in self._poll.poll(timeout_ms):
            self._actions[fd]()
        if self._must_ask:
            self._ask_to_end()

    def _on(self, fd: int, action: Callable[[], None], event: int = select.POLLIN) -> None:
        os.set_blocking(fd, False)
        self._actions[fd] = action
        self._poll.register(fd, event)

    def _off(self, fd: int) -> None:
        del self._actions[fd]
        self._poll.unregister(fd)
        os.close(fd)

    def _listen(self) -> None:
        command = self._command
        self._on(command.stdout, lambda: self._pump(command.stdout, lambda data: self._log.write(1, data)))
        self._on(command.stderr, lambda: self._pump(command.stderr, self._take_stderr))
        self._on(command.status, lambda: self._pump(command.status, self._take_told))
        if command.stdin >= 0:
            self._on(command.stdin, self._feed, select.POLLOUT)

    def _pump(self, fd: int, take: Callable[[bytes], None]) -> None:
        if data := os.read(fd, _CHUNK):
            take(data)
        else:
            self._off(fd)

    def _take_stderr(self, data: bytes) -> None:
        self._said = (self._said + data)[:_SAID]
        self._log.write(2, data)

    def _take_told(self, data: bytes) -> None:
        self._told += data

    def _feed(self) -> None:
        try:
            self._stdin = self._stdin[os.write(self._command.stdin, self._stdin[:_CHUNK]) :]
        except BrokenPipeError:
            self._stdin = self._stdin[:0]
        if not self._stdin:
            self._off(self._command.stdin)

    def _take_signals(self, fd: int) -> None:
        numbers = set(os.read(fd, _CHUNK))
        if signal.SIGCHLD in numbers:
            self._reap()
        if signal.SIGTERM in numbers:
            self._must_ask = True
        if signal.SIGUSR1 in numbers:
            self._kill()

    # Ending

    def _ask_to_end(self) -> None:
        if group := self._command_group():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)
            self._must_ask, self._has_asked = False, True

    def _command_group(self) -> int | None:
        """The process group of the command, None while it is not there yet or no more."""
        if self._status is not None or not self._command.sandboxed:
            return self._command.pid if self._status is None else None
        init = self._report("child-pid")
        return init if init and _has_begun_in(init) else None

    def _kill(self) -> None:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> bool:
        """Take the ends of children; whether there are more."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._command.pid:
                self._status, self._finished_ns = status, time.time_ns()

    def _report(self, key: str) -> int | None:
        """What bubblewrap has told under this key."""
        found = (json.loads(line).get(key) for line in self._told.splitlines(True) if line.endswith(b"\n"))
        return next((value for value in found if value is not None), None)

    def _sandbox_failure(self) -> Failure | None:
        """Why bubblewrap did not get to run the command: only of one that ran does it tell the exit code."""
        if not self._command.sandboxed or os.WIFSIGNALED(self._status or 0) or self._report("exit-code") is not None:
            return None
        self._log.forget()
        text = self._said.decode(errors="replace").strip().removeprefix("bwrap: ")
        return Failure(text.removeprefix("execvp "), text.startswith(_BLAMED))

    def _end(self, failure: Failure | None) -> None:
        usage = {**_rusage(), **self._group.usage()}
        self._group.remove()
        code, number = (None, None) if failure else self._exit(oom=bool(usage["oom_kills"]))
        self._write_exit(
            {
                "started_ns": self._started_ns,
                "finished_ns": self._finished_ns,
                "exit_code": code,
                "signal": number,
                "failure": failure,
                "dropped_bytes": self._log.dropped,
                "usage": usage,
            }
        )

    def _exit(self, oom: bool) -> tuple[int, int | None]:
        """The exit code, and the signal where it is known to have been sent.

        Bubblewrap gives 128 + n for a signal and for such an exit code alike.
        """
        code = os.waitstatus_to_exitcode(self._status or 0)
        if code < 0:
            return 128 - code, -code
        known = {128 + signal.SIGTERM: self._has_asked, 128 + signal.SIGKILL: oom}
        return code, code - 128 if self._command.sandboxed and known.get(code) else None

    def _write_exit(self, facts: dict[str, Any]) -> None:
        while not self._has_written_exit(facts):
            time.sleep(1)

    def _has_written_exit(self, facts: dict[str, Any]) -> bool:
        try:
            write_whole(self._path("exit"), facts)
        except FileNotFoundError:
            return True  # the directory has been removed: nobody will ask
        except OSError:
            return False  # a full disk must not make an ended job a lost one
        return True


def write_whole(path: str, content: dict[str, Any]) -> None:
    """Write a file that is there whole or not at all, also after a crash of the host."""
    with open(path + ".new", "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)


def _has_begun_in(init: int) -> bool:
    """Whether the first process of a sandbox has a child in its group that is no more bubblewrap itself."""
    its_own = command_line(init)
    return any(p.parent == init and p.group == init and command_line(p.pid) != its_own for p in processes())


def _rusage() -> dict[str, float | None]:
    """What the reaped children used. Of memory the kernel knows only the largest of them, which is no peak of all."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "peak_memory_bytes": None,
        "cpu_user_seconds": used.ru_utime,
        "cpu_system_seconds": used.ru_stime,
        "oom_kills": None,
    }

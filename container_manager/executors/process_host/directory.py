"""The directory of one execution, as it is seen from outside its supervisor."""

import contextlib
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from container_manager.executors.cgroups import Group
from container_manager.executors.process_host.command import Failure
from container_manager.executors.process_host.procfs import find_process, has_variable, processes
from container_manager.executors.process_host.supervisor import FRAME, STREAMS, UP, write_whole
from container_manager.executors.results import Execution, GivenSecret, LogFrame, Usage
from container_manager.states import ExecutionStatus, Reason

MARK = "PURSER_EXECUTION_ID"
"""The environment variable by which processes of an execution are known where nothing else holds them."""

_FLOCK = struct.Struct("hhqqi4x")
_PROJECT = Path(__file__).resolve().parents[3]
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from container_manager.executors.process_host.supervisor import main; main(sys.argv[2], int(sys.argv[3]))"
)
_WAIT_SECONDS = 10.0
_STEP_SECONDS = 0.002


class ExecutionDirectory:
    """See `supervisor` for the files in it. Every method may raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def execution_id(self) -> str:
        return self.path.name

    def exists(self) -> bool:
        """False only if it is certain that there is none."""
        try:
            os.stat(self.path)
        except FileNotFoundError:
            return False
        return True

    def claim(self) -> int | None:
        """Make it. The lock as a file descriptor if it is for the caller to begin the execution, None if it began.

        Waits for another caller who is about to begin it. Raises TimeoutError.
        """
        self.path.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if self._lock_unless_begun(lock):
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
        return None

    def _lock_unless_begun(self, lock: int) -> bool:
        for _ in _deadline():
            if self.has_begun():
                return False
            if _try_to_lock(lock):
                return not self.has_begun()
        raise TimeoutError(f"another launch of {self.execution_id} does not come to an end")

    def write_spec(self, spec: dict[str, Any]) -> None:
        write_whole(str(self.path / "spec"), spec)

    def start(self, lock: int, secrets: Sequence[GivenSecret] = ()) -> None:
        """Start its supervisor, which takes over the lock, and wait until it has begun. Raises ChildProcessError.

        Secrets are told to it alone and written nowhere.
        """
        told = json.dumps([[secret.kind, secret.place, secret.value] for secret in secrets]).encode()
        argv = [sys.executable, "-I", "-S", "-c", _BOOT, str(_PROJECT), str(self.path), str(lock)]
        with open(self.path / "errors", "w+b") as errors:
            done = subprocess.run(
                argv, env={}, cwd="/", input=told, stdout=subprocess.PIPE, stderr=errors,
                pass_fds=(lock,), start_new_session=True, check=False,
            )  # fmt: skip
            if done.stdout != UP:
                errors.seek(0)
                raise ChildProcessError(f"the supervisor did not start: {errors.read().decode(errors='replace')}")

    def has_begun(self) -> bool:
        return self.begun() is not None

    def has_ended(self) -> bool:
        return (self.path / "exit").exists()

    def is_lost(self) -> bool:
        """Whether it began, and its supervisor was gone before the end was written."""
        return not self.is_locked() and self.has_begun() and not self.has_ended()

    def is_locked(self) -> bool:
        """Whether a supervisor, or who is starting one, lives. Asking does not take the lock."""
        try:
            with open(self.path / "lock", "rb") as file:
                answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _whole_file())
        except FileNotFoundError:
            return False
        return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)

    def begun(self) -> dict[str, Any] | None:
        """Its supervisor's `pid` and `started`, and `at_ns`."""
        return self._read("begun")

    def exit(self) -> dict[str, Any] | None:
        """How it ended, or None if that is not written."""
        return self._read("exit")

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to its supervisor, and to no other process, if it lives."""
        for _ in _deadline():
            if not self.is_locked():
                return
            if begun := self.begun():
                _signal(begun["pid"], begun["started"], number)
                return
        raise TimeoutError(f"the supervisor of {self.execution_id} does not come up")

    def end(self) -> bool:
        """Kill everything and wait until its supervisor is gone; False if that does not come."""
        for number in (signal.SIGUSR1, signal.SIGKILL):
            self.tell(number)
            if any(not self.is_locked() for _ in _deadline()):
                return True
        return False

    def purge(self) -> bool:
        """Kill and remove what its supervisor, which no more lives, has left on the host; whether all is gone."""
        spec = self._read("spec")
        group = Group(spec["cgroups"] if spec else {})
        group.kill()
        return group.remove() and (self.exit() is not None or self._kill_marked())

    def remove(self) -> bool:
        """Remove it; False if it is still there."""
        # What is cut short here must look like lost, not like never begun: `begun` goes last.
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(os.listdir(self.path), key=lambda name: name == "begun"):
                (self.path / name).unlink(missing_ok=True)
            self.path.rmdir()
        return not self.exists()

    def inspect(self) -> Execution:
        alive = self.is_locked()
        if facts := self.exit():
            return _ended(facts)
        begun = self.begun()
        if begun is None:
            return Execution(ExecutionStatus.CREATED)
        if alive:
            return Execution(ExecutionStatus.RUNNING, started_at=from_ns(begun["at_ns"]))
        if not self.purge():
            return Execution(ExecutionStatus.UNKNOWN, detail="its supervisor is gone and its processes are not")
        return Execution(ExecutionStatus.NOT_FOUND, detail="its supervisor was killed, or the host was restarted")

    def frames(self, offset: int = 0) -> Iterator[tuple[LogFrame, int]]:
        """The whole frames of the log from an offset on, each with the offset of the next one."""
        path = f"{self.path}/log"
        with contextlib.suppress(FileNotFoundError):
            if os.stat(path).st_size <= offset:
                return
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            file.seek(offset)
            while len(head := file.read(FRAME.size)) == FRAME.size:
                stream, at_ns, size = FRAME.unpack(head)
                if len(data := file.read(size)) < size:
                    return
                yield LogFrame(STREAMS[stream], data, from_ns(at_ns)), file.tell()

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads((self.path / name).read_bytes())
        except FileNotFoundError:
            return None
        return content

    def _kill_marked(self) -> bool:
        for _ in _deadline():
            found = [p for p in processes() if has_variable(p.pid, MARK, self.execution_id)]
            if not found:
                return True
            for process in found:
                _signal(process.pid, process.started, signal.SIGKILL)
        return False


def from_ns(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns / 1e9, UTC)


def _ended(facts: dict[str, Any]) -> Execution:
    usage = facts["usage"]
    failure = Failure(*facts["failure"]) if facts["failure"] else None
    return Execution(
        ExecutionStatus.EXITED if facts["exit_code"] == 0 else ExecutionStatus.FAILED,
        exit_code=facts["exit_code"],
        signal=facts["signal"],
        oom_killed=bool(usage["oom_kills"]),
        reason=failure and (Reason.COMMAND_NOT_FOUND if failure.is_the_commands else Reason.LAUNCH_ERROR),
        detail=failure.text if failure else "",
        started_at=from_ns(facts["started_ns"]),
        finished_at=from_ns(facts["finished_ns"]),
        usage=Usage(**{figure.name: usage.get(figure.name) for figure in fields(Usage)}),
        dropped_bytes={stream: count for stream, count in facts["dropped_bytes"].items() if count},
    )


def _deadline() -> Iterator[None]:
    """Yield at once and then in small steps until it has been long enough."""
    give_up = time.monotonic() + _WAIT_SECONDS
    yield
    while time.monotonic() < give_up:
        time.sleep(_STEP_SECONDS)
        yield


def _whole_file() -> bytes:
    return _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def _try_to_lock(fd: int) -> bool:
    # Belongs to the open file, not to the process: the supervisor inherits it, and other files of
    # the same process do not let it go.
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _whole_file())
    except BlockingIOError:
        return False
    return True


def _signal(pid: int, started: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            if (found := find_process(pid)) and found.started == started:
                signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)

"""The service that runs in the background of this data directory: at most one, known by a locked file."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from api.configuration import CHECKOUT

START_SECONDS = 60.0
_LOOKED_AT_SECONDS = 1.0  # who looks whether a service runs holds the file for an instant
_POLL_SECONDS = 0.05
T = TypeVar("T")


class BackgroundError(Exception):
    """The background service did not do as it was told."""


@dataclass(frozen=True, slots=True)
class Running:
    """A service that holds its file: the process, and where it listens."""

    pid: int
    address: str


def hold(path: Path, address: str) -> None:
    """Be the one service of that file until this process has ended. Raises BackgroundError when there is one."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # never closed: the kernel gives it up at the very end
    if not wait_for(lambda: _locked(file), _LOOKED_AT_SECONDS):
        raise BackgroundError(f"another service holds {path}")
    os.ftruncate(file, 0)
    os.write(file, json.dumps(asdict(Running(os.getpid(), address))).encode())


def running(path: Path) -> Running | None:
    """The service that holds the file, or None. A file that a dead service left behind is held by nobody."""
    if not path.exists():
        return None
    with path.open("r+") as file:
        content = file.read()
        return None if _locked(file.fileno()) or not content else Running(**json.loads(content))


def start(path: Path, log: Path) -> Running:
    """Start `manage.py serve` in a session of its own and wait until it holds the file.

    Raises BackgroundError with what it said when it ends instead.
    """
    with log.open("ab") as output:
        began = output.tell()
        process = subprocess.Popen(
            [sys.executable, CHECKOUT / "manage.py", "serve", "--pid-file", path],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    found = wait_for(lambda: process.poll() is not None or running(path), START_SECONDS)
    if isinstance(found, Running):
        return found
    process.kill()
    process.wait()
    raise BackgroundError(f"the service did not start:\n{log.read_bytes()[began:].decode(errors='replace').strip()}")


def stop(path: Path, seconds: float) -> bool:
    """Ask the service to drain and wait until it has ended; False if there is none. Raises BackgroundError."""
    service = running(path)
    if service is None:
        return False
    os.kill(service.pid, signal.SIGTERM)
    if not wait_for(lambda: running(path) is None, seconds):
        raise BackgroundError(f"process {service.pid} is still draining after {seconds:g} s")
    return True


def wait_for(look: Callable[[], T], seconds: float) -> T | None:
    """What `look` gives as soon as that is true, or None when the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(_POLL_SECONDS)
    return None


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

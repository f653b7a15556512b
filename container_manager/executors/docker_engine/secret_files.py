"""Secrets as files of containers: on a file system in memory that the engine sees at the same path.

They are there from just before the container is made until it has started: a mount outlives the name of its file.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from container_manager.executors.results import GivenSecret
from container_manager.spec import parse_execution_id

DEFAULT_DIR = "/dev/shm"  # noqa: S108
_TRIES = 10
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


class SecretFiles:
    """The files of one executor's executions, below a directory of our own."""

    def __init__(self, parent: str, instance: str, executor: str) -> None:
        self._home = Path(parent, f"purser-secrets-{os.geteuid()}")
        self._dir = self._home / f"{instance}.{executor}"

    def write(self, execution_id: str, given: Iterable[GivenSecret]) -> list[dict[str, Any]]:
        """Make the files of those that are given as such, and return the mounts by which a container has them.

        Raises OSError.
        """
        files = [secret for secret in given if secret.kind == "file"]
        if not files:
            return []
        directory = self._make(execution_id)
        for index, secret in enumerate(files):
            path = directory / str(index)
            draft = directory / secrets.token_hex(8)
            # Whom the job runs as is for the image to say: the container has the file for itself, whoever that is.
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secret.value)
                os.fchmod(file.fileno(), 0o444)
            draft.rename(path)
        return self.mounts(execution_id, [secret.place for secret in files])

    def mounts(self, execution_id: str, places: Iterable[str]) -> list[dict[str, Any]]:
        """By which a container has its files at these places, in the order in which they were given."""
        directory = self._dir / execution_id
        return [
            {"Type": "bind", "Source": str(directory / str(index)), "Target": place, "ReadOnly": True}
            for index, place in enumerate(places)
        ]

    def remove(self, execution_id: str) -> bool:
        """Whether none of it is left."""
        path = self._dir / execution_id
        if parse_execution_id(execution_id) and path.exists():
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(OSError):  # others are still in it
                self._dir.rmdir()
                self._home.rmdir()
            return not path.exists()
        return True

    def listed(self) -> list[str]:
        """The executions of which there are files."""
        try:
            return sorted(filter(parse_execution_id, os.listdir(self._dir)))
        except FileNotFoundError:
            return []

    def _make(self, execution_id: str) -> Path:
        for _ in range(_TRIES):
            with contextlib.suppress(FileNotFoundError):  # who removed the last one took what is above it along
                return self._make_once(execution_id)
        return self._make_once(execution_id)

    def _make_once(self, execution_id: str) -> Path:
        for path in (self._home, self._dir, self._dir / execution_id):
            path.mkdir(mode=0o700, exist_ok=True)
            found = path.lstat()
            if found.st_uid != os.geteuid() or path.is_symlink():
                raise PermissionError(f"{path} belongs to somebody else")
        return self._dir / execution_id


def is_in_memory(path: str) -> bool:
    """Whether what is written there stays in memory."""
    real, best, kind = os.path.realpath(path), "", ""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return False
    for line in lines:
        _, point, fstype, *_ = line.split(" ")
        if len(point) >= len(best) and os.path.commonpath([real, point]) == point:
            best, kind = point, fstype
    return kind in _IN_MEMORY and os.path.isdir(real) and os.access(real, os.W_OK)

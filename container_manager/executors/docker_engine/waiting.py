"""What waits in a warm container: which request makes it, what it is told, and whether it still waits."""

import hashlib
import json
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from container_manager.exceptions import PurserError
from container_manager.executors.docker_engine import gate
from container_manager.executors.docker_engine.options import DockerOptions, WarmPool
from container_manager.executors.docker_engine.request import ROLE, container_request
from container_manager.identifiers import uuid7
from container_manager.spec import JobSpec

GATE = "/.purser/gate"
_MAGIC = 0x31475250
_KEEPS_STDIN = 1
_MOST_TEXT = 256 * 1024
_MOST_WORDS = 8192
_HEADER = struct.Struct("<5I")
_FIELDS = {
    "User": "user", "WorkingDir": "working_dir", "PidsLimit": "pids_limit", "NetworkMode": "network",
    "ReadonlyRootfs": "read_only_root", "Tmpfs": "tmpfs or tmp_size_mib", "Mounts": "mounts",
}  # fmt: skip


class Misfit(PurserError):
    """A launch cannot have a warm container. The sentence says what it is about the job, or about the pool."""

    code = "misfit"


# Requests


def plain_request(pool: WarmPool, options: DockerOptions, executor: str) -> dict[str, Any]:
    """What a job of the pool that asks for nothing else would ask of the engine."""
    job = JobSpec(
        id=uuid7(), attempt=1, namespace="", image=pool.image, memory_mib=pool.memory_mib, cpu_cores=pool.cpu_cores,
        timeout_seconds=1, grace_seconds=0,
    )  # fmt: skip
    return container_request(job, options, executor)


def waiting_request(plain: Mapping[str, Any], labels: Mapping[str, str], program: Path) -> dict[str, Any]:
    """The same with the program in the place of a command. Its label `purser.pool` tells it from any other request."""
    mount = {"Type": "bind", "Source": str(program), "Target": GATE, "ReadOnly": True}
    host = {**plain["HostConfig"], "Mounts": [*plain["HostConfig"]["Mounts"], mount]}
    stdin = dict.fromkeys(("OpenStdin", "StdinOnce", "AttachStdin"), True)
    request = {**plain, "Entrypoint": [GATE], "Cmd": None, **stdin, "HostConfig": host, "Labels": dict(labels)}
    fingerprint = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    return {**request, "Labels": {**labels, "purser.pool": fingerprint[:32]}}


def differences(plain: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """What a job asks for that is fixed when a container is made, in the words of a request."""
    one, other = ({**request["HostConfig"], **request, "HostConfig": None} for request in (plain, asked))
    given_later = {"Entrypoint", "Cmd", "Env", "Labels", "OpenStdin", "StdinOnce", "AttachStdin"}
    return [_FIELDS.get(key, key) for key in one if key not in given_later and one[key] != other[key]]


# What the gate is told


def command_of(asked: Mapping[str, Any], image: Mapping[str, Any]) -> list[str]:
    """What the engine would run: the request's entrypoint and command, or the image's."""
    own = image.get("Config") or {}
    if asked["Entrypoint"]:
        return [*asked["Entrypoint"], *(asked["Cmd"] or [])]
    return [*(own.get("Entrypoint") or []), *(asked["Cmd"] or own.get("Cmd") or [])]


def header(command: Sequence[str], variables: Sequence[str], *, keeps_stdin: bool) -> bytes:
    """As `gate.c` reads it. Raises Misfit."""
    text = b"".join(word.encode() + b"\0" for word in (*command, *variables))
    if not command:
        raise Misfit("has no command, and its image has none")
    if len(text) > _MOST_TEXT or len(command) + len(variables) > _MOST_WORDS:
        raise Misfit(f"has more than {_MOST_TEXT // 1024} KiB of command and variables")
    flags = _KEEPS_STDIN if keeps_stdin else 0
    return _HEADER.pack(_MAGIC, len(text), len(command), len(variables), flags) + text


# The program and its processes


def write_program(folder: Path, architecture: str) -> Path:
    """The file of the program for an architecture, made where it is not there. Raises OSError, or Misfit."""
    program = gate.program(architecture)
    if program is None:
        raise Misfit(f"there is no gate for {architecture}")
    path = folder / f"gate-{hashlib.sha256(program).hexdigest()[:12]}"
    if not (path.exists() and path.read_bytes() == program):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".gate-{os.getpid()}-{uuid7().hex}"
        draft.write_bytes(program)
        draft.chmod(0o555)
        draft.rename(path)
    return path


def waits(pid: int) -> bool:
    """Whether a process is the gate of its container, and not yet the command. Raises PermissionError."""
    process = Path(f"/proc/{pid}")
    try:
        return os.path.samestat((process / "exe").stat(), Path(f"{process}/root{GATE}").stat())
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return False


def find_waiting(first: int) -> int | None:
    """The process of a container that waits, by the number of its first one: that, or a child of it.

    None where none does. Raises PermissionError, or FileNotFoundError where it is not seen from here, or has ended.
    """
    Path(f"/proc/{first}/root{GATE}").stat()
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return next((pid for pid in (first, *map(int, children)) if waits(pid)), None)


def is_warm(found: Mapping[str, Any]) -> bool:
    """Whether a container, as the engine describes it, was made to wait."""
    return bool(found["Config"]["Entrypoint"] == [GATE] and found["Config"]["Labels"].get(ROLE) == "warm")

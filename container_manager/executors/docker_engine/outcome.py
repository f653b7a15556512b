"""What the docker engine says, in the words of the contract."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from container_manager.executors.results import Execution
from container_manager.states import ExecutionStatus, Reason

# "removing" is still there: what it ended as is asked again until it is gone or told.
_STATUS = {
    "created": ExecutionStatus.CREATED,
    "running": ExecutionStatus.RUNNING,
    "paused": ExecutionStatus.RUNNING,
    "restarting": ExecutionStatus.RUNNING,
    "removing": ExecutionStatus.RUNNING,
    "dead": ExecutionStatus.FAILED,
}
_LISTED_EXIT = re.compile(r"Exited \(0\)")
_NO_COMMAND = re.compile(r'exec: "|executable file not found|[Nn]o command specified')
_AUTH = re.compile(r"unauthorized|authentication required|no basic auth credentials|incorrect username", re.IGNORECASE)
_NO_IMAGE = re.compile(
    r"no such image|manifest unknown|not found: |repository does not exist|name unknown|no matching manifest"
    r"|invalid reference format",
    re.IGNORECASE,
)
_INIT_FAILED = re.compile(rb"\[FATAL tini \(\d+\)\] (exec .+ failed: [^\n]+)\n")
_REFUSALS = (400, 404, 409)
_REFUSED_SPEC = re.compile(
    r"^unable to find (?:user|group)|^uids and gids must be|not a directory|OCI runtime create failed", re.IGNORECASE
)
# Sought at the end, or the start, where no word of the request can stand.
_HOST_TROUBLE = re.compile(
    r"(?:no space left on device|cannot allocate memory|resource temporarily unavailable|too many open files"
    r"|input/output error)(?:: unknown)?$"
    r"|^unknown runtime|^unknown or invalid runtime|^conflict\. the container name|^no such container",
    re.IGNORECASE,
)
CANNOT_EXECUTE = (126, 127)
SIGNALLED = 128


def execution(found: Mapping[str, Any]) -> Execution:
    """An engine's description of a container as an Execution."""
    state = found["State"]
    status = status_of(state["Status"], exited_well=state["ExitCode"] == 0)
    ended = status in (ExecutionStatus.EXITED, ExecutionStatus.FAILED)
    started_at, finished_at = _time(state["StartedAt"]), _time(state["FinishedAt"]) if ended else None
    if started_at and finished_at:  # the engine notes the start of a short one after its end
        started_at = min(started_at, finished_at)
    return Execution(
        status=status,
        exit_code=state["ExitCode"] if ended else None,
        oom_killed=bool(state["OOMKilled"]),
        detail=str(state.get("Error") or ""),
        started_at=started_at,
        finished_at=finished_at,
        image_digest=found["Image"],
    )


def status_of(word: str, *, exited_well: bool) -> ExecutionStatus:
    if word == "exited":
        return ExecutionStatus.EXITED if exited_well else ExecutionStatus.FAILED
    return _STATUS.get(word, ExecutionStatus.UNKNOWN)


def listed_status(entry: Mapping[str, Any]) -> ExecutionStatus:
    """The status in one line of the engine's list, which tells the exit code only in its text."""
    return status_of(entry["State"], exited_well=_LISTED_EXIT.match(entry["Status"]) is not None)


def init_failure(stdout: bytes, stderr: bytes) -> str | None:
    """The init's own sentence that it could not execute the command, where that is all there is."""
    told = _INIT_FAILED.fullmatch(stderr)
    return told[1].decode("utf-8", "replace") if told and not stdout else None


def pull_reason(status: int, message: str) -> Reason:
    """Why an image could not be had. A registry that was not reached is no answer about the image."""
    if _AUTH.search(message):
        return Reason.IMAGE_AUTH
    if status == 404 or _NO_IMAGE.search(message):
        return Reason.IMAGE_NOT_FOUND
    return Reason.IMAGE_PULL_FAILED


def launch_reason(status: int, message: str) -> Reason:
    """Why a container could not be made or started."""
    if _HOST_TROUBLE.search(message):
        return Reason.LAUNCH_ERROR
    if _NO_COMMAND.search(message):
        return Reason.COMMAND_NOT_FOUND
    if _NO_IMAGE.search(message):
        return Reason.IMAGE_NOT_FOUND
    is_refused = status in _REFUSALS or _REFUSED_SPEC.search(message)
    return Reason.LAUNCH_REFUSED if is_refused else Reason.LAUNCH_ERROR


def _time(text: str) -> datetime | None:
    """The engine's zero time stands for never."""
    return None if text.startswith("0001-") else datetime.fromisoformat(text)

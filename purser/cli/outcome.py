"""The exit codes of `purser`. docs/cli.md lists them."""

from collections.abc import Mapping

USAGE = 2
TIMEOUT = 124
PURSER = 125
COMMAND_NOT_FOUND = 127
CANCELLED = 130
BROKEN_PIPE = 141

_OF_REASON: Mapping[str, int] = {
    "completed": 0,
    "timeout": TIMEOUT,
    "cancelled": CANCELLED,
    "queue_timeout": PURSER,
    "image_not_found": PURSER,
    "image_auth": PURSER,
    "image_pull_failed": PURSER,
    "policy_denied": PURSER,
    "launch_refused": PURSER,
    "launch_error": PURSER,
    "engine_lost": PURSER,
}
_WITHOUT_CODE: Mapping[str, int] = {"command_not_found": COMMAND_NOT_FOUND, "oom": 137}
"""For a job that ended by itself and of whose exit code the engine says nothing."""


def exit_code(reason: str | None, code: int | None) -> int:
    """What `purser` ends with for a job that has ended so."""
    if reason is not None and reason in _OF_REASON:
        return _OF_REASON[reason]
    own = (code or 0) & 0xFF  # all that a process can end with
    return own or _WITHOUT_CODE.get(reason or "", PURSER)


def is_told_by_code(reason: str | None) -> bool:
    """Whether the exit code alone says how the job ended, so that nobody needs a sentence."""
    return reason in ("completed", "exit_nonzero")

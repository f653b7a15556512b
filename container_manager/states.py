"""The states of a job, the arrows between them, and why a job ends. The table is the state machine."""

from collections.abc import Mapping
from enum import StrEnum


class JobState(StrEnum):
    """Where a job is in its life; `succeeded`, `failed` and `cancelled` are its ends."""

    QUEUED = "queued"  # accepted; waits for room, for its time, or for the engine
    LAUNCHING = "launching"  # claimed and reserved; the engine is being asked
    RUNNING = "running"  # the engine has said that it started
    SUCCEEDED = "succeeded"  # ended with exit code 0
    FAILED = "failed"  # ended any other way; the reason says which
    CANCELLED = "cancelled"  # ended because somebody asked


TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.LAUNCHING, JobState.FAILED, JobState.CANCELLED}),
    JobState.LAUNCHING: frozenset(
        {JobState.RUNNING, JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

TERMINAL = frozenset(state for state, targets in TRANSITIONS.items() if not targets)
ACTIVE = frozenset({JobState.LAUNCHING, JobState.RUNNING})
"""States in which an execution may exist, resources are reserved and a dispatcher owns the job."""


def sources_of(target: JobState) -> frozenset[JobState]:
    """The states from which `target` may be reached."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)


class Reason(StrEnum):
    """Why a job ended: one closed list, the same on every engine."""

    COMPLETED = "completed"  # exit code 0
    EXIT_NONZERO = "exit_nonzero"  # the command ended with another exit code
    SIGNAL = "signal"  # a signal that is known to have been sent ended it
    OOM = "oom"  # the kernel killed it at its memory limit
    TIMEOUT = "timeout"  # it ran longer than timeout_seconds
    QUEUE_TIMEOUT = "queue_timeout"  # it waited longer than queue_timeout_seconds
    CANCELLED = "cancelled"  # somebody asked
    IMAGE_NOT_FOUND = "image_not_found"  # the engine or registry answered that there is no such image
    IMAGE_AUTH = "image_auth"  # the registry refused the credentials
    IMAGE_PULL_FAILED = "image_pull_failed"  # the pull failed for another cause
    COMMAND_NOT_FOUND = "command_not_found"  # the command is not there or cannot be executed
    POLICY_DENIED = "policy_denied"  # the executor's config no longer allows what was accepted
    LAUNCH_REFUSED = "launch_refused"  # the engine refused the request itself
    LAUNCH_ERROR = "launch_error"  # the engine could not create or start it
    ENGINE_LOST = "engine_lost"  # the engine answered that the execution is gone


RETRYABLE = frozenset({Reason.IMAGE_PULL_FAILED, Reason.LAUNCH_ERROR, Reason.ENGINE_LOST})
"""Reasons that are not the job's fault, retried while `max_retries` allows."""

JOB_FAULTS = frozenset(
    {
        Reason.IMAGE_NOT_FOUND,
        Reason.IMAGE_AUTH,
        Reason.COMMAND_NOT_FOUND,
        Reason.OOM,
        Reason.POLICY_DENIED,
        Reason.LAUNCH_REFUSED,
    }
)
"""Causes of a failed launch that lie in the job itself."""

NOT_HELD_AGAINST_EXECUTOR = JOB_FAULTS | {Reason.IMAGE_PULL_FAILED}
"""Causes of a failed launch that say nothing about the executor's own health: a registry is not its own."""


class EventType(StrEnum):
    """What happened: `state` is a change of state; the others change none."""

    STATE = "state"
    CANCEL_REQUESTED = "cancel_requested"  # somebody asked for its end
    TIMED_OUT = "timed_out"  # it ran longer than it may, and is being stopped
    CLEANED = "cleaned"  # nothing of it is left on the engine


class LaunchPath(StrEnum):
    """Which way a launch took, on an executor that has more than one."""

    COLD = "cold"  # nothing of it was there before
    PREPARED_NETWORK = "prepared_network"  # its network namespace was made ahead
    WARM = "warm"  # its container was made and started ahead


class ExecutionStatus(StrEnum):
    """What an engine knows of an execution. No answer is `unknown`, never `failed`."""

    CREATED = "created"  # made, not yet started
    RUNNING = "running"
    EXITED = "exited"  # ended with exit code 0
    FAILED = "failed"  # ended in any other way
    NOT_FOUND = "not-found"  # the engine answered that there is none
    UNKNOWN = "unknown"  # the engine did not answer


ENDED = frozenset({ExecutionStatus.EXITED, ExecutionStatus.FAILED})

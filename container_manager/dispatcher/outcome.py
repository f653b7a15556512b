"""From what an engine says of an ended execution to how the job ended: one reading for every engine."""

import random
import signal
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from container_manager.executors.results import Execution
from container_manager.lifecycle import Outcome
from container_manager.models import Job
from container_manager.spec import JobRequest
from container_manager.states import RETRYABLE, ExecutionStatus, JobState, Reason

_ENDED_BY_STOP = (128 + signal.SIGTERM, 128 + signal.SIGKILL)
_NEVER_LEARNT = 255  # what an engine with live-restore says of an end that it could not learn afterwards
_NOTICED_WITHIN = timedelta(seconds=2)


def outcome_of(job: Job, execution: Execution) -> Outcome:
    """How the attempt ended, with the evidence. `execution` has ended, or is answered to be gone."""
    reason, evidence = _reason(job, execution)
    if execution.exit_code is not None:
        evidence.setdefault("exit_code", execution.exit_code)
    if execution.unheard_while_away and _ended_while_away(job, execution):
        evidence["logs"] = "incomplete"  # as far as can be known: it may have written nothing more
    return Outcome(
        _STATES.get(reason, JobState.FAILED),
        reason,
        evidence,
        exit_code=execution.exit_code,
        started_at=execution.started_at,
        finished_at=execution.finished_at,
        image_digest=execution.image_digest or "",
        usage=asdict(execution.usage),
    )


_STATES = {Reason.COMPLETED: JobState.SUCCEEDED, Reason.CANCELLED: JobState.CANCELLED}


def launch_failure(reason: Reason | None, error: str, pull_seconds: float | None = None) -> Outcome:
    """How an attempt ended that the engine refused to start."""
    return Outcome(JobState.FAILED, reason or Reason.LAUNCH_ERROR, {"error": error}, pull_seconds=pull_seconds)


def may_retry(job: Job, outcome: Outcome) -> bool:
    """Whether the job's own policy and the reason allow another attempt."""
    asked = job.request.get("retry_on")
    retried = RETRYABLE if asked is None else asked
    return outcome.reason in retried and job.attempt <= job.max_retries and job.cancel_requested_at is None


def as_asked(job: Job, outcome: Outcome) -> Outcome:
    """A launch that failed after somebody asked for the end is the end that was asked for."""
    if job.cancel_requested_at and outcome.reason in RETRYABLE:
        return replace(outcome, state=JobState.CANCELLED, reason=Reason.CANCELLED)
    return outcome


def backoff(job: Job, now: datetime) -> datetime:
    """When the next attempt may begin: exponential, capped, with jitter so that retries do not come together."""
    request = JobRequest.model_validate(job.request)
    seconds = min(request.retry_backoff_seconds * 2 ** (job.attempt - 1), request.retry_backoff_cap_seconds)
    return now + timedelta(seconds=random.uniform(seconds / 2, seconds))  # noqa: S311  (jitter, not a secret)


def _reason(job: Job, execution: Execution) -> tuple[Reason, dict[str, Any]]:
    stopped = _stopped(job, execution)
    if stopped:
        return stopped
    if execution.status == ExecutionStatus.NOT_FOUND:
        return Reason.ENGINE_LOST, {"error": execution.detail or "the engine answered that the execution is gone"}
    if _died_with_the_engine(job, execution):
        return Reason.ENGINE_LOST, {"error": "it was ended while the engine was away"}
    if execution.reason:
        return execution.reason, {"error": execution.detail}
    if execution.exit_code == 0:
        warning = {"warning": "a process of the job was killed at the memory limit"} if execution.oom_killed else {}
        return Reason.COMPLETED, warning
    if execution.oom_killed:
        return Reason.OOM, {"memory_mib": job.memory_mib}
    if execution.signal:
        return Reason.SIGNAL, {"signal": _signal_name(execution.signal)}
    return Reason.EXIT_NONZERO, _possible_signal(execution.exit_code)


def _stopped(job: Job, execution: Execution) -> tuple[Reason, dict[str, Any]] | None:
    """What we asked for is the reason, unless the job had ended by itself before."""
    asked = [
        (at, reason)
        for at, reason in ((job.timed_out_at, Reason.TIMEOUT), (job.cancel_requested_at, Reason.CANCELLED))
        if at
    ]
    if not asked:
        return None
    at, reason = min(asked)
    if execution.finished_at and execution.finished_at < at:
        return None
    return reason, ({"timeout_seconds": job.timeout_seconds} if reason == Reason.TIMEOUT else {})


def _died_with_the_engine(job: Job, execution: Execution) -> bool:
    """An engine that is stopped ends what it runs, and tells it afterwards like any other end."""
    if execution.fell_with_engine and execution.exit_code in (*_ENDED_BY_STOP, _NEVER_LEARNT):
        return True  # also where no dispatcher was there to see the outage
    if execution.exit_code in _ENDED_BY_STOP:
        return _ended_while_away(job, execution, _NOTICED_WITHIN)
    return not execution.outlives_engine and _ended_while_away(job, execution)


def _ended_while_away(job: Job, execution: Execution, noticed_within: timedelta = timedelta()) -> bool:
    if not (job.stale_since and execution.finished_at):
        return False
    return execution.finished_at >= job.stale_since - noticed_within


def _possible_signal(exit_code: int | None) -> dict[str, Any]:
    """An exit code over 128 may stand for a signal, or be the command's own: it is told as evidence only."""
    if exit_code is None or not 128 < exit_code < 128 + signal.NSIG:
        return {}
    return {"possible_signal": _signal_name(exit_code - 128)}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)

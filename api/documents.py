"""What the domain knows, as the documents of `api.schemas`: plain dicts that are JSON already."""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from container_manager import jobs, namespaces, reads, reports, tallies, tokens
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.registry import executors
from container_manager.executors.results import Usage
from container_manager.explanation import Explanation
from container_manager.jobs import Rehearsal
from container_manager.listing import Page
from container_manager.logs import LogChunk, LogLine, LogPage
from container_manager.models import (
    Attempt,
    AuditEntry,
    ExecutorReport,
    Job,
    JobEvent,
    StoredSecret,
    Token,
    Webhook,
    WebhookDelivery,
)
from container_manager.spec import HONOURED_BY_PURSER, JobRequest
from container_manager.states import RETRYABLE
from container_manager.usage import UsageSum

Document = dict[str, Any]

_FIGURES = tuple(figure.name for figure in fields(Usage))
_PHASES = ("queued_seconds", "pull_seconds", "launch_seconds", "run_seconds", "cleanup_seconds")
_BY_EXECUTOR = (
    "memory_mib", "cpu_cores", "timeout_seconds", "grace_seconds", "max_retries", "retry_on",
    "pull_policy", "working_dir", "user", "pids_limit", "tmp_size_mib", "network", "read_only_root",
)  # fmt: skip
"""Fields of a request that an executor's defaults may fill."""

_AUDIT_TEXTS = ("code", "token", "namespace", "user", "subject_type", "subject", "address", "request_id", "user_agent")


def job_path(job_id: object) -> str:
    """Where a job's status is."""
    return f"/api/v1/jobs/{job_id}"


def job_document(job: Job) -> Document:
    """A job with all that is known of it."""
    return {**_job(job), "waiting": _waiting(job)}


def listed_job_document(job: Job) -> Document:
    """A job in a list: the same, but for `waiting`, which would have to be asked for each."""
    return {**_job(job), "waiting": None}


def job_page_document(page: Page) -> Document:
    """Some jobs of a list."""
    results = [listed_job_document(job) for job in page.jobs]
    return {"results": results, "next_cursor": page.next_cursor, "watermark": _time(page.watermark)}


def _job(job: Job) -> Document:
    attempts = reads.attempts_of(job)
    last = attempts[-1] if attempts else None
    path = job_path(job.pk)
    return {
        "id": str(job.pk),
        "executor": job.executor,
        "namespace": job.namespace,
        "state": job.state,
        "version": job.version,
        "reason": job.reason or None,
        "evidence": job.evidence,
        "exit_code": job.exit_code,
        "attempt": job.attempt,
        "attempts": [_attempt(attempt) for attempt in attempts],
        "labels": job.labels,
        "request": job.request,
        "memory_mib": job.memory_mib,
        "cpu_cores": job.cpu_millis / 1000,
        "timeout_seconds": job.timeout_seconds,
        "priority": job.priority,
        "created_at": _time(job.created_at),
        "queued_at": _time(job.queued_at),
        "launching_at": _time(job.launching_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "cleaned_at": _time(job.cleaned_at),
        "logs_deleted_at": _time(job.logs_deleted_at),
        "cancel_requested_at": _time(job.cancel_requested_at),
        "not_before": _time(job.not_before),
        "stale_since": _time(job.stale_since),
        "usage": _usage(last) if last else None,
        "image_digest": (last.image_digest or None) if last else None,
        "links": {"self": path, "logs": f"{path}/logs", "events": f"{path}/events", "cancel": f"{path}/cancel"},
    }


def _attempt(attempt: Attempt) -> Document:
    return {
        "number": attempt.number,
        "launching_at": _time(attempt.launching_at),
        "pulling_at": _time(attempt.pulling_at),
        "started_at": _time(attempt.started_at),
        "finished_at": _time(attempt.finished_at),
        "reason": attempt.reason or None,
        "evidence": attempt.evidence,
        "exit_code": attempt.exit_code,
        "image_digest": attempt.image_digest or None,
        "launch_path": attempt.launch_path or None,
        "launch_path_detail": attempt.launch_path_detail or None,
        "usage": _usage(attempt),
        "phases": _phases(attempt),
        "cleaned_at": _time(attempt.cleaned_at),
    }


def _usage(attempt: Attempt) -> Document:
    return {name: getattr(attempt, name) for name in _FIGURES}


def _phases(attempt: Attempt) -> Document:
    return {name: getattr(attempt, name) for name in _PHASES}


def _waiting(job: Job) -> Document | None:
    return _shortages(jobs.waiting(job))


def _shortages(waiting: Document | None) -> Document | None:
    return None if waiting is None else {"memory_mib": None, "cpu_cores": None, "jobs": None, **waiting}


def explanation_document(job: Job, found: Explanation) -> Document:
    """Why a job is as it is."""
    evidence = asdict(found.evidence)
    return {
        "job": str(job.pk),
        "executor": job.executor,
        "state": job.state,
        "code": found.code,
        "sentence": found.sentence,
        "hint": found.hint,
        "evidence": {name: _plain(value) for name, value in evidence.items()},
        "timeline": [{name: _plain(value) for name, value in asdict(moment).items()} for moment in found.timeline],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return _time(value) if isinstance(value, datetime) else value


def dry_run_document(found: Rehearsal) -> Document:
    """What a launch would do."""
    job, executor = found.job, executor_document(executors[found.job.executor])
    quota = namespaces.quotas(job.namespace)
    asked = found.spec.model_dump(
        mode="json", include=set(JobRequest.model_fields), exclude={"secrets": {"__all__": {"value"}}}
    )
    retried = sorted(RETRYABLE) if asked["retry_on"] is None else asked["retry_on"]
    effective = {**asked, "max_retries": job.max_retries, "retry_on": retried}
    return {
        "dry_run": True,
        "executor": job.executor,
        "namespace": job.namespace,
        "effective": effective,
        "defaulted": [name for name in _BY_EXECUTOR if job.request.get(name) is None and effective[name] is not None],
        "limits": executor["limits"],
        "quota": {
            "max_jobs": quota.max_jobs,
            "max_memory_mib": quota.max_memory_mib,
            "max_cpu_cores": None if quota.max_cpu_millis is None else quota.max_cpu_millis / 1000,
            "max_queued": quota.max_queued,
        },
        "policy": executor["capabilities"],
        "queued": found.waiting is not None,
        "waiting": _shortages(found.waiting),
        "engine_request": found.engine_request,
    }


def event_document(event: JobEvent) -> Document:
    return {
        "seq": event.seq,
        "at": _time(event.at),
        "type": event.type,
        "state": event.state,
        "reason": event.reason or None,
        "detail": event.detail,
    }


def end_document(job: Job) -> Document:
    """How the job ended: the last message of a followed stream."""
    return {"state": job.state, "reason": job.reason or None, "exit_code": job.exit_code}


def log_page_document(attempt: int, page: LogPage, next_cursor: str, complete: bool) -> Document:
    return {
        "attempt": attempt,
        "lines": [log_line_document(line) for line in page.lines],
        "next_cursor": next_cursor,
        "complete": complete,
        "truncated": bool(page.dropped_bytes),
        "dropped_bytes": page.dropped_bytes,
    }


def log_line_document(line: LogLine) -> Document:
    text, encoded = _text(line.data), None
    if text is None:
        encoded = base64.b64encode(line.data).decode()
    return {
        "seq": line.seq,
        "stream": line.stream,
        "at": _time(line.at),
        "text": text,
        "data_base64": encoded,
        "partial": line.partial,
    }


def log_chunk_document(chunk: LogChunk) -> Document:
    text, encoded = _text(chunk.data), None
    if text is None:
        encoded = base64.b64encode(chunk.data).decode()
    return {"stream": chunk.stream, "at": _time(chunk.at), "text": text, "data_base64": encoded}


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def executor_document(executor: ContainerExecutor) -> Document:
    """An executor: what it can, its limits, and what is known of it now."""
    facts = asdict(executor.capabilities)
    fields = sorted(facts["fields"] | HONOURED_BY_PURSER)
    utilization = utilization_document(executor.name)
    return {
        "name": executor.name,
        "capabilities": {
            **facts,
            "fields": fields,
            "networks": list(facts["networks"]),
            "secrets": list(facts["secrets"]),
        },
        "limits": {
            "max_memory_mib": executor.limits.max_memory,
            "max_cpu_cores": executor.limits.max_cpu,
            "total_memory_mib": _first(utilization["memory_total_mib"], executor.limits.total_memory),
            "total_cpu_cores": _first(utilization["cpu_total_cores"], executor.limits.total_cpu),
            "max_jobs": _first(utilization["jobs_total"], executor.limits.total_jobs),
        },
        "defaults": {
            "memory_mib": executor.default_memory,
            "cpu_cores": executor.default_cpu,
            "timeout_seconds": executor.timeout,
            "grace_seconds": executor.grace_seconds,
            "max_retries": executor.max_retries,
        },
        "health": health_document(executor.name),
        "utilization": utilization,
    }


def _first(found: float | None, configured: float | None) -> float | None:
    """What dispatchers have found out, or else what is configured: there may not have been one yet."""
    return configured if found is None else found


def health_document(executor: str) -> Document:
    health = reports.health(executor)
    return {**asdict(health), "checked_at": _time(health.checked_at)}


def utilization_document(executor: str) -> Document:
    figures = reports.utilization(executor)
    return {
        "memory_used_mib": figures["memory_used"],
        "memory_total_mib": figures["memory_total"],
        "memory_percent": figures["memory_percent"],
        "cpu_used_cores": figures["cpu_used"],
        "cpu_total_cores": figures["cpu_total"],
        "cpu_percent": figures["cpu_percent"],
        "jobs_used": figures["jobs_used"],
        "jobs_total": figures["jobs_total"],
        "jobs_percent": figures["jobs_percent"],
    }


def metrics_document(executor: str, namespace: str) -> Document:
    """An executor's accounting, with the jobs of one namespace."""
    counts = reports.counts(executor, namespace)
    return {
        "executor": executor,
        "utilization": utilization_document(executor),
        "active": reports.active(executor, namespace),
        "jobs": [{**count, "reason": count["reason"] or None} for count in counts],
        "removed": {f"{kind}": count for kind, count in tallies.counts(executor).items()},
        "launches": {f"{path}": count for path, count in tallies.launches(executor).items()},
        "processes": [_process(report) for report in reports.fresh(executor)],
    }


def drift_document(executor: str) -> Document:
    """How the engine last differed from the books."""
    report = reports.drift(executor)
    return {
        "executor": executor,
        "checked_at": _time(report.checked_at),
        "unowned": report.unowned,
        "unowned_count": report.unowned_count,
        "missing": report.missing,
        "missing_count": report.missing_count,
    }


def token_document(token: Token) -> Document:
    """A token without its secret."""
    rate = tokens.rate_of(token)
    return {
        "id": token.pk,
        "name": token.name,
        "namespace": token.namespace,
        "state": tokens.state_of(token),
        "scopes": token.scopes,
        "executors": token.executors,
        "rate_limit": str(rate) if rate else "none",
        "created_at": _time(token.created_at),
        "rotated_at": _time(token.rotated_at),
        "previous_expires_at": _time(tokens.overlap_of(token)),
        "expires_at": _time(token.expires_at),
        "last_used_at": _time(token.last_used_at),
        "revoked_at": _time(token.revoked_at),
    }


def new_token_document(token: Token, plaintext: str) -> Document:
    """A token with what a client sends."""
    return {**token_document(token), "token": plaintext}


def audit_document(entry: AuditEntry) -> Document:
    """One act; what is not known of it is null."""
    texts = {name: getattr(entry, name) or None for name in _AUDIT_TEXTS}
    return {
        "id": entry.pk,
        "at": _time(entry.at),
        "operation": entry.operation,
        "outcome": entry.outcome,
        "status": entry.status,
        "via": entry.via,
        "missed": entry.missed,
        **texts,
    }


def usage_document(namespace: str, since: datetime, until: datetime, sums: Sequence[UsageSum]) -> Document:
    """What a namespace has used between two times."""
    return {"namespace": namespace, "from": _time(since), "to": _time(until), "results": list(sums)}


def secret_document(secret: StoredSecret) -> Document:
    """A stored secret: everything but its value."""
    return {"name": secret.name, "created_at": _time(secret.created_at), "updated_at": _time(secret.updated_at)}


def webhook_document(webhook: Webhook) -> Document:
    """A webhook, without its secret."""
    return {
        "id": str(webhook.pk),
        "url": webhook.url,
        "events": webhook.events,
        "executors": webhook.executors,
        "labels": webhook.labels,
        "enabled": webhook.disabled_at is None,
        "disabled_reason": webhook.disabled_reason or None,
        "created_at": _time(webhook.created_at),
        "failing_since": _time(webhook.failing_since),
        "disabled_at": _time(webhook.disabled_at),
        "old_secret_until": _time(webhook.old_secret_until),
    }


def delivery_document(delivery: WebhookDelivery) -> Document:
    """A delivery with its attempts."""
    return {
        "id": str(delivery.pk),
        "job": str(delivery.job_id),
        "event": delivery.event,
        "state": delivery.state,
        "reason": delivery.reason or None,
        "created_at": _time(delivery.created_at),
        "finished_at": _time(delivery.finished_at),
        "next_attempt_at": _time(delivery.next_attempt_at),
        "attempt_count": delivery.attempts,
        "attempts": delivery.log,
        "payload": json.loads(delivery.body),
    }


def _process(report: ExecutorReport) -> Document:
    return {
        "dispatcher": str(report.dispatcher_id),
        "checked_at": _time(report.checked_at),
        "metrics": report.metrics,
        "performance": report.performance,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()[:-6] + "Z"

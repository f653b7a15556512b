"""Jobs: launch, list, status, cancel, cleanup."""

import re
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from api.auth import caller, require_executor, token_of
from api.documents import (
    dry_run_document,
    explanation_document,
    job_document,
    job_page_document,
    job_path,
    listed_job_document,
)
from api.endpoint import ETAG, IF_NONE_MATCH, Header, Tagged, View, answer, at_hand, endpoint, find_job
from api.errors import ExecutorForbidden
from api.middleware import HOLDS
from api.parsing import Query, read_job_request, read_nothing, read_object
from api.problems import guarded
from api.schemas.jobs import Explanation, JobOrDryRun, JobPage
from api.schemas.jobs import Job as JobAnswer
from api.schemas.queries import AllJobsQuery, JobListQuery, LaunchQuery, StatusQuery
from api.waiting import Held, Signs
from container_manager import exceptions as domain
from container_manager import explanation, jobs, listing
from container_manager.bell import end_topic, job_topic
from container_manager.executors.registry import executors
from container_manager.models import Job
from container_manager.spec import JobRequest
from container_manager.states import TERMINAL, JobState
from container_manager.tokens import Scope

CLEANUP_WAIT_SECONDS = 30.0

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d+)\"?(?=$|[,;\s])")

_PREFER = Header(
    "Prefer",
    "`wait=N` holds the answer up to N seconds (RFC 7240). A longer wait than the server's longest "
    "(`PURSER_MAX_WAIT_SECONDS`) is taken as that; `Preference-Applied` says what was taken. As the RFC has it, "
    "a preference that is not understood, such as a negative wait, is ignored.",
    {"type": "string"},
    "wait=30",
)
_APPLIED = Header("Preference-Applied", "The preference that was followed.", {"type": "string"}, "wait=30", (200, 202))
_LOCATION = Header(
    "Location", "Where the job's status is.", {"type": "string", "format": "uri-reference"},
    job_path("0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"), (200, 202),
)  # fmt: skip
_KEY = Header(
    "Idempotency-Key",
    "1 to 255 visible ASCII characters. The same key and request again is answered with the first answer and "
    "launches nothing; with another request it is refused.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "build-4711-test",
)
_REPLAYED = Header(
    "Idempotency-Replayed", "`true` when the key had been used before.", {"type": "string"}, "true", (200, 202)
)


class ExecutorJobs(View):
    """The jobs of one executor."""

    @endpoint(
        "launchJob",
        "Launch a job",
        scope=Scope.JOBS_WRITE,
        body=JobRequest,
        query=LaunchQuery,
        answers={202: JobAnswer, 200: JobOrDryRun},
        headers=(_KEY, _PREFER, _LOCATION, _APPLIED, _REPLAYED),
        raises=(
            domain.InvalidJob, domain.QueueFull, domain.InvalidIdempotencyKey, domain.IdempotencyMismatch,
            domain.IdempotencyInProgress,
        ),
    )  # fmt: skip
    def post(self, request: Request, query: LaunchQuery, executor: str) -> HttpResponse:
        """Accept a job. Once this is answered the job is on record and will be launched when there is room.

        With `Prefer: wait=N` the answer is held until the job ends: 200 with its outcome, or 202 when it has not
        ended in time. A field that the executor cannot honour is refused, never dropped; all fields that are wrong
        are named at once. With `dry_run=true` nothing is launched: 200 says what would be.
        """
        namespace = token_of(request).namespace
        asked = read_job_request(executor, read_object(request), namespace)
        key = request.headers.get("Idempotency-Key")
        if query.dry_run:
            if key is not None:
                jobs.require_key(key)
            return answer(dry_run_document(jobs.rehearse(executor, asked, namespace=namespace)))
        launched = jobs.launch(executor, asked, namespace=namespace, describe=listed_job_document, idempotency_key=key)
        at_hand(launched.job)
        wait = _preferred_wait(request)
        given = answer(launched.document, 202) if wait is None else _hold_to_the_end(request, launched.job, wait)
        given["Location"] = job_path(launched.job.pk)
        if launched.replayed:
            given["Idempotency-Replayed"] = "true"
        return given

    @endpoint(
        "listExecutorJobs",
        "List an executor's jobs",
        scope=Scope.JOBS_READ,
        hot=True,
        query=JobListQuery,
        answers={200: JobPage, 304: None},
        headers=(IF_NONE_MATCH, ETAG),
        raises=(domain.InvalidCursor,),
    )
    def get(self, request: Request, query: JobListQuery, executor: str) -> HttpResponse:
        """The namespace's jobs on this executor, newest first, page by page; with `updated_since`, what has changed."""
        return _list(request, query, executor)


class Jobs(View):
    """All jobs of the token's namespace."""

    @endpoint(
        "listJobs",
        "List jobs",
        scope=Scope.JOBS_READ,
        hot=True,
        query=AllJobsQuery,
        answers={200: JobPage, 304: None},
        headers=(IF_NONE_MATCH, ETAG),
        raises=(domain.InvalidCursor, domain.UnknownExecutor, ExecutorForbidden),
    )
    def get(self, request: Request, query: AllJobsQuery) -> HttpResponse:
        """The namespace's jobs on every executor that the token may use, newest first, page by page.

        With `updated_since` they come in the order of their last changes, the oldest first: to keep a copy, follow
        `next_cursor` to the last page, then ask again with its `watermark`. No change is missed.
        """
        if query.executor:
            require_executor(token_of(request), query.executor)
            executors[query.executor]
        return _list(request, query, query.executor)


class JobStatus(View):
    """One job."""

    @endpoint(
        "get{}Job",
        "Read a job's status",
        scope=Scope.JOBS_READ,
        hot=True,
        query=StatusQuery,
        answers={200: JobAnswer, 304: None},
        headers=(IF_NONE_MATCH, ETAG),
        raises=(domain.UnknownJob,),
    )
    def get(self, request: Request, query: StatusQuery, job: str, executor: str | None = None) -> HttpResponse:
        """How a job is doing, why it waits, or why it ended.

        With `wait` the answer is held until the job has changed or has ended, or the time is over. Who has read it
        before gives the `ETag` of that answer as `If-None-Match`, and gets 304 while it is still so.
        """
        found = find_job(request, job, executor)
        if query.wait is None:
            return _told(found).to(request)
        known = found.version if query.version is None else query.version

        def when_changed(now: Job, final: bool) -> HttpResponse | None:
            changed = final or now.state in TERMINAL or now.version != known
            return _told(now).to(request) if changed else None

        return _hold(request, found, query.wait, when_changed)

    @endpoint(
        "cleanup{}Job",
        "Clean up a job",
        scope=Scope.JOBS_WRITE,
        answers={204: None, 202: JobAnswer},
        headers=(_PREFER, _APPLIED),
        raises=(domain.UnknownJob,),
    )
    def delete(self, request: Request, query: Query, job: str, executor: str | None = None) -> HttpResponse:
        """Cancel the job if it has not ended, and remove everything of it from the engine; again is no change.

        Answered with 204 when nothing is left there, or with 202 when that takes longer than 30 seconds or
        `Prefer: wait=N`: it goes on all the same. The job's record and logs stay until their retention ends.
        """
        read_nothing(request)
        found = jobs.cleanup(find_job(request, job, executor), by=caller(request))
        wait = _preferred_wait(request)
        return _hold(request, found, CLEANUP_WAIT_SECONDS if wait is None else wait, _when_cleaned)


class JobExplanation(View):
    """Why a job is as it is."""

    @endpoint(
        "explain{}Job",
        "Explain a job",
        scope=Scope.JOBS_READ,
        hot=True,
        answers={200: Explanation},
        raises=(domain.UnknownJob,),
    )
    def get(self, request: Request, query: Query, job: str, executor: str | None = None) -> HttpResponse:
        """Why the job waits, what it does, or why it ended: with evidence, what led there, and what can be done.

        The same shape on every executor, and the same words as `waiting`, `reason` and `evidence` of its status.
        """
        found = find_job(request, job, executor)
        return answer(explanation_document(found, explanation.explain(found)))


class JobCancel(View):
    """The end of a job, asked for."""

    @endpoint(
        "cancel{}Job",
        "Cancel a job",
        scope=Scope.JOBS_WRITE,
        answers={202: JobAnswer},
        raises=(domain.UnknownJob, domain.IllegalTransition),
    )
    def post(self, request: Request, query: Query, job: str, executor: str | None = None) -> HttpResponse:
        """Ask for the job's end. One that waits ends at once, one that runs is stopped with its grace.

        Asking twice is asking once. A job that has ended by itself is a conflict.
        """
        read_nothing(request)
        return answer(job_document(jobs.cancel(find_job(request, job, executor), by=caller(request))), 202)


def _list(request: Request, query: JobListQuery, executor: str | None) -> HttpResponse:
    token = token_of(request)
    filters = listing.JobFilter(
        executor=executor, executors=tuple(token.executors), states=tuple(query.state), reasons=tuple(query.reason),
        labels=query.labels, created_after=query.created_after, created_before=query.created_before,
        updated_since=query.updated_since,
    )  # fmt: skip
    page = listing.page(token.namespace, filters, limit=query.limit, cursor=query.cursor)
    return Tagged.of(job_page_document(page)).to(request)


def _told(job: Job) -> Tagged:
    """What is told of a job. It is kept with it, but for one that waits: why it does depends on others."""
    if job.state == JobState.QUEUED:
        return Tagged.of(job_document(job))
    kept: dict[str, Any] = vars(job)
    return cast("Tagged", kept.get("told") or kept.setdefault("told", Tagged.of(job_document(job))))


def _preferred_wait(request: Request) -> float | None:
    match = _WAIT.search(request.headers.get("Prefer", "").lower())
    return float(match[1]) if match else None


def _hold_to_the_end(request: Request, job: Job, seconds: float) -> HttpResponse:
    return _hold(request, job, seconds, _when_ended, end_topic)


def _hold(
    request: Request,
    job: Job,
    seconds: float,
    when: Callable[[Job, bool], HttpResponse | None],
    topic: Callable[[object], str] = job_topic,
) -> HttpResponse:
    """The answer that `when` gives for the job, which is asked again after each ring, and at last with True."""
    seconds = min(seconds, settings.PURSER.max_wait_seconds)

    def attempt(final: bool) -> HttpResponse | None:
        return when(jobs.get(job.pk, namespace=job.namespace), final)

    held = Held(Signs((topic(job.pk),)), seconds, guarded(request, attempt))
    if _preferred_wait(request) is not None:
        held["Preference-Applied"] = f"wait={seconds:g}"
    return held if request.META.get(HOLDS) else held.wait_here()


def _when_ended(job: Job, final: bool) -> HttpResponse | None:
    if job.state in TERMINAL:
        return answer(job_document(job))
    return answer(job_document(job), 202) if final else None


def _when_cleaned(job: Job, final: bool) -> HttpResponse | None:
    if job.cleaned_at:
        return HttpResponse(status=204)
    return answer(job_document(job), 202) if final else None

"""The thin layer over the generated client: retries, waiting, following and paging. The only module that knows it."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Self, cast
from urllib.parse import quote

import httpx

from purser.api_client import AuthenticatedClient
from purser.api_client.api.executors import list_executors
from purser.api_client.api.jobs import cancel_job, cleanup_job, get_job, launch_job, list_jobs
from purser.api_client.models import Executor, ExecutorList, Job, JobPage, JobRequest, JobState
from purser.api_client.types import UNSET
from purser.exceptions import Misunderstood, Refused, Unreachable
from purser.following import SSE, Message, messages
from purser.patience import Patience

__all__ = ("Client", "Executor", "Job", "JobRequest", "JobState")

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0  # longer than any wait that is asked for, and than the silences of a stream
_WAIT_SECONDS = 30.0
_PAGE_JOBS = 100
_GONE = 410


class Client:
    """Speaks to one service with one token.

    What the service does not answer, or answers with "later", is tried again for `retry_seconds`; `say` is told so.
    Every call raises Refused, Unreachable or Misunderstood.
    """

    def __init__(
        self, url: str, token: str, *, retry_seconds: float = 120.0, say: Callable[[str], object] = str
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/api/v1")
        self._retry_seconds, self._say = retry_seconds, say
        self._api = AuthenticatedClient(
            base_url=self.url,
            token=token,
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            httpx_args={"event_hooks": {"response": [_refuse]}},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up its connections."""
        self._api.get_httpx_client().close()

    def launch(self, executor: str, request: JobRequest | Mapping[str, Any], *, key: str | None = None) -> Job:
        """Launch a job, once, however often it has to be asked for.

        The same `key` (1 to 255 visible ASCII characters; one is made up when none is given) and request again is
        answered with the first job. A mapping is sent as it is: the service says what is wrong with it.
        """
        body = request if isinstance(request, JobRequest) else cast(JobRequest, _AsGiven(request))
        return cast(
            Job, self._ask(launch_job.sync_detailed, executor, body=body, idempotency_key=key or str(uuid.uuid4()))
        )

    def job(self, job_id: str, *, wait: float | None = None, version: int | None = None) -> Job:
        """The job's status; held up to `wait` seconds (at most 30) until its version is another one."""
        held = {"wait": min(wait, _WAIT_SECONDS)} if wait is not None else {}
        known = {"version": version} if version is not None else {}
        return cast(Job, self._ask(get_job.sync_detailed, cast(Any, job_id), **held, **known))

    def wait(self, job_id: str) -> Job:
        """The job, once it has ended."""
        job = self.job(job_id)
        while job.finished_at is None:
            job = self.job(job_id, wait=_WAIT_SECONDS, version=job.version)
        return job

    def cancel(self, job_id: str) -> Job:
        """Ask for the job's end. Refused with `illegal_transition` when it has ended."""
        return cast(Job, self._ask(cancel_job.sync_detailed, cast(Any, job_id)))

    def cleanup(self, job_id: str) -> None:
        """Cancel the job if it has not ended, and remove everything of it from the engine; its record stays."""
        while self._ask(cleanup_job.sync_detailed, cast(Any, job_id)) is not None:
            pass  # 202: it takes longer than the service holds an answer

    def jobs(
        self,
        *,
        executor: str | None = None,
        states: tuple[str, ...] = (),
        labels: Mapping[str, str] | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> Iterator[Job]:
        """The namespace's jobs, newest first, page by page as they are taken."""
        filters: dict[str, Any] = {
            "executor": executor or UNSET,
            "state": [JobState(state) for state in states] or UNSET,
            "label": [f"{name}:{value}" for name, value in (labels or {}).items()] or UNSET,
            "created_after": created_after or UNSET,
            "created_before": created_before or UNSET,
        }
        cursor: str | None = ""
        while cursor is not None:
            page: JobPage = self._ask(list_jobs.sync_detailed, limit=_PAGE_JOBS, cursor=cursor or UNSET, **filters)
            yield from page.results
            cursor = page.next_cursor

    def executors(self) -> list[Executor]:
        """The executors that the token may use."""
        return cast(ExecutorList, self._ask(list_executors.sync_detailed)).results

    def logs(self, job_id: str, *, follow: bool = True, **query: str) -> Iterator[Message]:
        """What the job has written: `chunk` messages (with `unit="line"`: `log`), `attempt`, and a last `end`.

        A stream that breaks off is taken up behind the last message, so that no byte is lost or comes twice. With
        `follow=False` it ends, without `end`, at what is stored. `query` is the route's own, such as `stream`,
        `tail` and `since`; without a `cursor` it begins with the present attempt, with `cursor="start"` with the first.
        """
        asked = {"unit": "chunk", **query, "follow": str(follow).lower()}
        patience, place = Patience(self._retry_seconds, self._say), ""
        while True:
            try:
                for message in self._stream(f"/api/v1/jobs/{quote(job_id, safe='')}/logs", asked, place):
                    patience.succeeded()
                    if message.event == "error":
                        raise Refused(_GONE, message.document)
                    yield message
                    place = message.id or place
                    if message.event == "end":
                        return
                if not follow:
                    return
                patience.pause(Unreachable(f"the stream of {self.url} was cut short"))
            except (httpx.HTTPError, Refused) as error:
                patience.pause(*self._passing(error))
            except ValueError as error:
                raise self._misunderstood(error) from error

    def _stream(self, path: str, query: Mapping[str, str], place: str) -> Iterator[Message]:
        headers = {"Accept": SSE, **({"Last-Event-ID": place} if place else {})}
        with self._api.get_httpx_client().stream("GET", path, params=query, headers=headers) as answer:
            yield from messages(answer.iter_bytes())

    def _ask(self, call: Callable[..., Any], *args: Any, **parameters: Any) -> Any:
        """The answer to a call of the generated client, which may be made again and again to the same effect."""
        patience = Patience(self._retry_seconds, self._say)
        while True:
            try:
                return call(*args, client=self._api, **parameters).parsed
            except (httpx.HTTPError, Refused) as error:
                patience.pause(*self._passing(error))
            except (KeyError, TypeError, ValueError) as error:
                raise self._misunderstood(error) from error

    def _misunderstood(self, error: Exception) -> Misunderstood:
        return Misunderstood(f"{self.url} answered what this client does not understand: {error!r}")

    def _passing(self, error: httpx.HTTPError | Refused) -> tuple[Refused | Unreachable, float | None]:
        """The error and when to try again, of one that may pass. Raises any other."""
        if isinstance(error, Refused):
            if error.is_passing:
                return error, error.retry_after
            raise error
        cause = Unreachable(f"{self.url} cannot be reached: {str(error) or type(error).__name__}")
        if isinstance(error, httpx.UnsupportedProtocol):
            raise cause from error
        return cause, None


class _AsGiven:
    """A launch request that this client does not look into."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = dict(document)

    def to_dict(self) -> dict[str, Any]:
        """What the generated client sends."""
        return self._document


def _refuse(response: httpx.Response) -> None:
    """Every answer passes here before it is read. Raises Refused for one that is an error."""
    if response.status_code < 400:
        return
    response.read()
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict) or not problem:
        problem = {"detail": f"{response.url.host} answered {response.status_code} {response.reason_phrase}"}
    raise Refused(response.status_code, problem, _seconds(response.headers.get("Retry-After", "")))


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else None

"""What an operation is: declared once beside its method, followed by the request and shown in the schema."""

import functools
import hashlib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import orjson
import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from pydantic import BaseModel
from rest_framework import exceptions as drf
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from api import limits
from api.auth import (
    BearerAuthentication,
    may_use,
    require_executor,
    require_operator,
    require_scope,
    token_of,
)
from api.errors import MethodNotAllowed, MissingToken, NotAcceptable, UnusableToken
from api.limits import RATE_HEADERS
from api.parsing import Query, read_query
from api.problems import PROBLEM_CODE, REQUEST_ID, exception_handler
from api.schema import Schema, Text
from api.waiting import Held
from container_manager import audit, jobs, recall
from container_manager.audit import Act, AuditOutcome, Via
from container_manager.exceptions import PurserError, UnknownJob
from container_manager.executors.registry import executors
from container_manager.models import Job
from container_manager.tokens import Scope

JSON = "application/json"
_READS = ("GET", "HEAD")
_NEGOTIATION = DefaultContentNegotiation()
Answer = type[BaseModel] | Text | None
Method = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a request or, with `statuses`, of those answers."""

    name: str
    description: str
    schema: Mapping[str, Any]
    example: str | int
    statuses: tuple[int, ...] = ()


IF_NONE_MATCH = Header(
    "If-None-Match",
    "The `ETag` of the answer that the client has, or several: while it is still so, the answer is 304 without a body.",
    {"type": "string"},
    '"6f1c6d4a4b1f2e0d9c8b7a6958473625"',
)
ETAG = Header(
    "ETag",
    "Stands for these very bytes: any change of the document changes it.",
    {"type": "string"},
    '"6f1c6d4a4b1f2e0d9c8b7a6958473625"',
    (200, 304),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API.

    `operation` is its operationId, with `{}` where the path that names the executor puts `Executor`.
    `answers` has a model, a Text or None (no body) by status, and by media type where there are several; the
    first status is the one that a change is audited with. `operator` is for what shows all namespaces, `hot` for a
    read whose query confirms the token (`recall`).
    """

    operation: str
    summary: str
    scope: Scope | None
    answers: Mapping[int, Answer | Mapping[str, Answer]]
    query: type[Query] = Query
    body: type[BaseModel] | None = None
    raises: Sequence[type[PurserError]] = ()
    headers: Sequence[Header] = field(default_factory=tuple)
    media_types: tuple[str, ...] = (JSON,)
    operator: bool = False
    hot: bool = False

    def operation_id(self, path: Container[str]) -> str:
        """Its name under a path with these parameters."""
        return self.operation.format("Executor" if "executor" in path else "")


def endpoint(operation: str, summary: str, **facts: Any) -> Callable[[Method], Method]:
    """Declare a view's method as an operation; it is called with the parsed query. Facts are Endpoint's fields."""
    declared = Endpoint(operation, summary, **facts)

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def handle(view: "View", request: Request, **path: str) -> HttpResponseBase:
            return method(view, request, read_query(declared.query, request.query_params), **path)

        handle.endpoint = declared  # type: ignore[attr-defined]
        return handle

    return decorate


class _Permission(BasePermission):
    """The token's scope and executors, then whether there is such an executor: each refused in its own words."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        declared = cast("View", view).declared(request.method)
        if declared and declared.scope:
            require_scope(token_of(request), declared.scope)
            if declared.operator:
                require_operator(token_of(request))
        if executor := view.kwargs.get("executor"):
            require_executor(token_of(request), executor)
            executors[executor]
        return True


@functools.cache
def _media_types(names: tuple[str, ...]) -> list[BaseRenderer]:
    """For negotiation only: views write their answers themselves."""
    return [type("MediaType", (BaseRenderer,), {"media_type": name, "format": name})() for name in names]


class View(APIView):
    """One path. Each of its methods is an `endpoint`."""

    authentication_classes = [BearerAuthentication]
    permission_classes = [_Permission]
    format_kwarg = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    schema = Schema()

    def declared(self, method: str | None) -> Endpoint | None:
        """The operation behind a method; HEAD is GET without its body."""
        name = "get" if method == "HEAD" else (method or "").lower()
        return getattr(getattr(self, name, None), "endpoint", None)

    def dispatch(self, request: HttpRequest, *args: Any, **path: str) -> Any:
        """As of Django, audited: every change, and every refusal."""
        declared = self.declared(request.method)
        if declared is None:
            return super().dispatch(request, *args, **path)
        with audit.acting(_act(request, declared, path)) as act:
            try:
                response = self._answered(request, declared, path)
            except Exception:
                audit.close(act, AuditOutcome.FAILED, 500, PurserError.code)
                raise
            _close(act, request, response)
        return response

    def _answered(self, request: HttpRequest, declared: Endpoint, path: Mapping[str, str]) -> Any:
        """A hot read is made with the token as it is remembered; unless the books confirm that, it is made anew."""
        if declared.hot:
            with recall.recalling() as recollection:
                response = super().dispatch(request, **path)
            if recollection.holds:
                return response
        return super().dispatch(request, **path)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        return Request(request, authenticators=self.get_authenticators(), negotiator=_NEGOTIATION)

    def perform_authentication(self, request: Request) -> None:
        """Who asks, counted: each token has its rate, and addresses may not guess for ever."""
        try:
            super().perform_authentication(request)
        except (MissingToken, UnusableToken) as refusal:
            raise limits.refuse(request.META.get("REMOTE_ADDR", ""), refusal) from None
        if request.auth is not None:
            token = token_of(request)
            if act := audit.current():
                act.token, act.namespace = token.pk, token.namespace
            if RATE_HEADERS not in request.META:
                request.META[RATE_HEADERS] = limits.charge(token)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.perform_authentication(request)
        self.check_permissions(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        for headers in (self.headers, request.META.get(RATE_HEADERS, {})):
            for name, value in headers.items():
                response[name] = value
        return response

    @functools.cached_property
    def default_response_headers(self) -> dict[str, str]:
        methods = [name for name in self.http_method_names if hasattr(self, name)]
        return {"Allow": ", ".join(methods).upper(), "Vary": "Accept"}

    def get_renderers(self) -> list[BaseRenderer]:
        declared = self.declared(getattr(self.request, "method", None))
        return _media_types(declared.media_types if declared else (JSON,))

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        accepted = request.META.get("HTTP_ACCEPT", "*/*")
        for renderer in self.get_renderers():
            if accepted in ("*/*", renderer.media_type):
                return renderer, renderer.media_type  # as nearly all ask, without taking the header apart
        try:
            undeclared = self.declared(request.method) is None  # refused for that, whatever it accepts
            return super().perform_content_negotiation(request, force or undeclared)
        except drf.NotAcceptable:
            given = ", ".join(renderer.media_type for renderer in self.get_renderers())
            raise NotAcceptable(f"Accept: {request.headers.get('Accept')} cannot be given; here is: {given}") from None

    def get_content_negotiator(self) -> BaseContentNegotiation:
        return _NEGOTIATION

    def get_exception_handler(self) -> Callable[..., HttpResponse | None]:
        return exception_handler

    def http_method_not_allowed(self, request: HttpRequest, *_: Any, **__: Any) -> Any:
        allowed = ", ".join(self.allowed_methods)
        raise MethodNotAllowed(f"{request.method} is not allowed here; allowed are {allowed}")


class OpenView(View):
    """A path that needs no token."""

    authentication_classes = []


def _act(request: HttpRequest, declared: Endpoint, path: Mapping[str, str]) -> Act:
    subject_type, subject = [("", ""), *path.items()][-1]
    return Act(
        operation=declared.operation_id(path),
        via=Via.API,
        success_status=next(iter(declared.answers)),
        subject_type=subject_type,
        subject=subject,
        address=request.META.get("REMOTE_ADDR", ""),
        request_id=request.META.get(REQUEST_ID, ""),
        user_agent=request.META.get("HTTP_USER_AGENT", ""),
    )


def _close(act: Act, request: HttpRequest, response: HttpResponseBase) -> None:
    """Write down a refusal, and a change that was not noted when it was made. A read that is answered leaves none."""
    status = act.success_status if isinstance(response, Held) else response.status_code
    if status >= 500:
        audit.close(act, AuditOutcome.FAILED, status, request.META.get(PROBLEM_CODE, ""))
    elif status >= 400:
        audit.close(act, AuditOutcome.REFUSED, status, request.META.get(PROBLEM_CODE, ""))
    elif request.method not in _READS:
        audit.close(act, AuditOutcome.DONE, status)


def answer(document: Mapping[str, Any], status: int = 200, **headers: str) -> HttpResponse:
    """A JSON answer; underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(orjson.dumps(document), status=status, content_type=JSON, headers=named)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A JSON answer with its ETag.

    The tag is of the bytes themselves: not every figure of a job is counted in its version.
    """

    body: bytes
    tag: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Tagged":
        body = orjson.dumps(document)
        return cls(body, f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"')

    def to(self, request: Request) -> HttpResponse:
        """The answer, or 304 when that is what the client has."""
        known = request.META.get("HTTP_IF_NONE_MATCH", "").strip()
        if known and (known == "*" or self.tag in {each.removeprefix("W/") for each in parse_etags(known)}):
            return HttpResponseNotModified(headers={"ETag": self.tag})
        return HttpResponse(self.body, content_type=JSON, headers={"ETag": self.tag})


def find_job(request: Request, job: str, executor: str | None = None) -> Job:
    """The job in the path. Raises UnknownJob, also for one that the token may not see."""
    token = token_of(request)
    found = jobs.get(_job_id(job), namespace=token.namespace, executor=executor)
    if not may_use(token, found.executor):
        raise UnknownJob(f"there is no job {job!r}")
    at_hand(found)
    return found


def at_hand(job: Job) -> None:
    """From here on what is logged of the request names the job."""
    structlog.contextvars.bind_contextvars(job_id=str(job.pk))


def _job_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UnknownJob(f"there is no job {text!r}; a job's id is a UUID") from None

"""What an operation is: declared once beside its method, followed by the request and shown in the schema."""

import functools
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import orjson
import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from pydantic import BaseModel
from rest_framework import exceptions as drf
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
from container_manager import audit, jobs
from container_manager.audit import Act, AuditOutcome, Via
from container_manager.exceptions import PurserError, UnknownJob
from container_manager.executors.registry import executors
from container_manager.models import Job
from container_manager.tokens import Scope

JSON = "application/json"
_READS = ("GET", "HEAD")
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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API.

    `operation` is its operationId, with `{}` where the path that names the executor puts `Executor`.
    `answers` has a model, a Text or None (no body) by status, and by media type where there are several; the
    first status is the one that a change is audited with. `operator` is for what shows all namespaces.
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


def _media_type(name: str) -> type[BaseRenderer]:
    """For negotiation only: views write their answers themselves."""
    return type("MediaType", (BaseRenderer,), {"media_type": name, "format": name})


class View(APIView):
    """One path. Each of its methods is an `endpoint`."""

    authentication_classes = [BearerAuthentication]
    permission_classes = [_Permission]
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
                response = super().dispatch(request, *args, **path)
            except Exception:
                audit.close(act, AuditOutcome.FAILED, 500, PurserError.code)
                raise
            _close(act, request, response)
        return response

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
            request.META[RATE_HEADERS] = limits.charge(token)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        for name, value in request.META.get(RATE_HEADERS, {}).items():
            response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)

    def get_renderers(self) -> list[BaseRenderer]:
        declared = self.declared(getattr(self.request, "method", None))
        return [_media_type(name)() for name in (declared.media_types if declared else (JSON,))]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        try:
            undeclared = self.declared(request.method) is None  # refused for that, whatever it accepts
            return super().perform_content_negotiation(request, force or undeclared)
        except drf.NotAcceptable:
            given = ", ".join(renderer.media_type for renderer in self.get_renderers())
            raise NotAcceptable(f"Accept: {request.headers.get('Accept')} cannot be given; here is: {given}") from None

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
        user_agent=request.headers.get("User-Agent", ""),
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

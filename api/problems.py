"""The one table from an error to what a caller is told: every 4xx and 5xx is an RFC 9457 problem."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import orjson
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from rest_framework import exceptions as drf
from rest_framework.request import Request

from api import errors
from container_manager import exceptions as domain
from container_manager.exceptions import FieldError, InvalidBody, PurserError

logger = logging.getLogger(__name__)
T = TypeVar("T")

REQUEST_ID = "purser.request_id"
"""Where request.META holds the request's id."""

PROBLEM_CODE = "purser.problem"
"""Where request.META holds the code of the problem that it was answered with."""

RETRY_AFTER_SECONDS = 5

STATUS: Mapping[type[PurserError], int] = {
    PurserError: 500,
    domain.InvalidConfig: 500,
    domain.InvalidResources: 422,
    domain.InvalidBody: 422,
    domain.InvalidJob: 422,
    domain.UnknownExecutor: 404,
    domain.UnknownJob: 404,
    domain.IllegalTransition: 409,
    domain.QueueFull: 429,
    domain.IdempotencyMismatch: 422,
    domain.IdempotencyInProgress: 409,
    domain.InvalidIdempotencyKey: 400,
    domain.InvalidCursor: 422,
    domain.EngineUnavailable: 503,
    domain.ExecutionNotFound: 404,
    domain.LogsGone: 410,
    domain.Unsupported: 422,
    domain.InvalidTokenRequest: 422,
    domain.UnknownToken: 404,
    domain.SecretUnreadable: 500,
    domain.SecretUnavailable: 500,
    domain.UnknownSecret: 404,
    domain.TooManySecrets: 409,
    domain.DestinationRefused: 422,
    domain.UnknownWebhook: 404,
    domain.UnknownDelivery: 404,
    domain.WebhookDisabled: 409,
    domain.TooManyWebhooks: 409,
    domain.TokenExceeds: 403,
    domain.TokenEnded: 409,
    errors.RequestError: 400,
    errors.HostNotAllowed: 400,
    errors.MalformedJson: 400,
    errors.MissingToken: 401,
    errors.UnusableToken: 401,
    errors.InsufficientScope: 403,
    errors.ExecutorForbidden: 403,
    errors.OperatorOnly: 403,
    errors.RateLimited: 429,
    errors.TooManyFailures: 429,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.NotAcceptable: 406,
    errors.BodyTooLarge: 413,
    errors.UriTooLong: 414,
    errors.UnsupportedMediaType: 415,
    errors.InvalidQuery: 422,
    errors.HeadersTooLarge: 431,
    errors.Unavailable: 503,
}

_FOREIGN: Mapping[type[Exception], type[PurserError]] = {
    drf.MethodNotAllowed: errors.MethodNotAllowed,
    drf.NotAcceptable: errors.NotAcceptable,
    Http404: errors.NotFound,
    PermissionDenied: errors.InsufficientScope,
    SuspiciousOperation: errors.RequestError,
    OperationalError: errors.Unavailable,
    InterfaceError: errors.Unavailable,
}
"""Errors of the libraries below, and which of ours each one is."""

_PLACES: Mapping[type[PurserError], tuple[str, str]] = {
    domain.InvalidCursor: ("parameter", "cursor"),
    domain.InvalidIdempotencyKey: ("header", "Idempotency-Key"),
    domain.IdempotencyMismatch: ("header", "Idempotency-Key"),
}
"""Errors that are always about the same place of a request."""


def status_of(kind: type[PurserError]) -> int:
    """The HTTP status of an error's class, or of its nearest parent's."""
    return next(STATUS[cls] for cls in kind.__mro__ if cls in STATUS)


def title_of(kind: type[PurserError]) -> str:
    """The sentence of an error's class."""
    return (kind.__doc__ or "").strip().splitlines()[0]


def problem(request: HttpRequest | Request, error: PurserError) -> HttpResponse:
    """The answer to a request that ended in an error. What is not meant for callers is left out."""
    kind, status = type(error), status_of(type(error))
    request.META[PROBLEM_CODE] = error.code
    document: dict[str, Any] = {
        "type": f"/api/docs/problems#{error.code}",
        "title": title_of(kind),
        "status": status,
        "detail": title_of(kind) if status == 500 else _detail(error),
        "instance": escape_uri_path(request.path),
        "code": error.code,
        "request_id": request.META.get(REQUEST_ID, ""),
    }
    if places := list(_places(error, request)):
        document["errors"] = places
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if error.retryable else {}
    headers |= getattr(error, "headers", {})
    body = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    return HttpResponse(body, status=status, content_type="application/problem+json", headers=headers)


def _detail(error: PurserError) -> str:
    """The error's sentence, with places as `errors` has them."""
    if isinstance(error, InvalidBody):
        return "; ".join(f"{_pointer(each)}: {each.detail}" if each.field else each.detail for each in error.errors)
    return str(error)


def _places(error: PurserError, request: HttpRequest | Request) -> Iterable[dict[str, str]]:
    if isinstance(error, InvalidBody):
        return [{"pointer": _pointer(each), "code": each.code, "detail": each.detail} for each in error.errors]
    if isinstance(error, errors.InvalidQuery):
        return [{"parameter": each.field, "code": each.code, "detail": each.detail} for each in error.errors]
    if isinstance(error, domain.InvalidCursor) and "cursor" not in request.GET:
        return [{"header": "Last-Event-ID", "code": error.code, "detail": str(error)}]
    if type(error) in _PLACES:
        place, name = _PLACES[type(error)]
        return [{place: name, "code": error.code, "detail": str(error)}]
    return []


def _pointer(error: FieldError) -> str:
    return error.field if error.field.startswith("/") or not error.field else "/" + error.field.replace(".", "/")


def translate(error: Exception) -> PurserError | None:
    """An error of ours for any error that a caller may cause, None for a bug."""
    if isinstance(error, PurserError):
        return error
    for foreign, kind in _FOREIGN.items():
        if isinstance(error, foreign):
            return kind(str(error)) if isinstance(error, drf.APIException) else kind()
    return None


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's hook. None hands a bug on to Django, which logs it and asks `server_error` for the answer."""
    known = translate(error)
    if known is None or status_of(type(known)) == 500:
        return None
    return problem(context["request"], known)


def guarded(request: HttpRequest | Request, function: Callable[[bool], T]) -> Callable[[bool], T | HttpResponse]:
    """The function, with a problem as its answer when it raises: for what runs after Django's own handling."""

    def answered(final: bool) -> T | HttpResponse:
        try:
            return function(final)
        except Exception as error:
            known = translate(error)
            if known is None:
                logger.exception("an answer that was held failed")
            return problem(request, known or PurserError())

    return answered


def bad_request(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    return problem(request, errors.RequestError())


def not_found(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    return problem(request, errors.NotFound(f"there is nothing at {request.path}"))


def forbidden(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    return problem(request, errors.InsufficientScope())


def server_error(request: HttpRequest) -> HttpResponse:
    return problem(request, PurserError())

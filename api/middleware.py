"""Around every request: its id, the line about it in the log, and what is refused before any view."""

import logging
import re
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api import errors, metrics
from api.problems import REQUEST_ID, problem
from api.protocol import HEADERS_TOO_LARGE
from container_manager.exceptions import PurserError
from container_manager.identifiers import uuid7

HOLDS = "purser.holds"
"""Set in request.META by a server that can hold an answer without a thread."""

REFUSED = "purser.refused"
"""Set in request.META by the server to why it has not read the request, or nothing.

A key of `_UNREAD`, or `body_too_large`.
"""

MAX_URI_CHARACTERS = 8192

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_UNREAD = {
    "query_encoding": (errors.RequestError, "the query is not percent-encoded UTF-8"),
    "headers_too_large": (errors.HeadersTooLarge, HEADERS_TOO_LARGE),
    "no_host": (errors.HostNotAllowed, "the request has no Host header"),
}
_log = structlog.stdlib.get_logger("purser.access")


class RequestMiddleware:
    """The outermost one. Gives each request an id, logs and counts it once, when its answer has been sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        request_id = _request_id(request)
        request.META[REQUEST_ID] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        refusal = _refusal(request)
        response = problem(request, refusal) if refusal else self._get_response(request)
        response["X-Request-ID"] = request_id
        # Django's own list of what is done when the answer has been sent.
        closers: list[Callable[[], None]] = getattr(response, "_resource_closers")  # noqa: B009
        closers.append(lambda: _account(request, response, time.perf_counter() - began))
        return response


def _request_id(request: HttpRequest) -> str:
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else str(uuid7())


def _refusal(request: HttpRequest) -> PurserError | None:
    most = settings.PURSER.max_body_bytes
    length = request.META.get("CONTENT_LENGTH") or "0"
    why = request.META.get(REFUSED, "")
    if why == "body_too_large" or (length.isdecimal() and int(length) > most):
        return errors.BodyTooLarge(f"a body may have at most {most} bytes")
    if why:
        kind, told = _UNREAD[why]
        return kind(told)
    if len(request.path) + len(request.META.get("QUERY_STRING", "")) > MAX_URI_CHARACTERS:
        return errors.UriTooLong(f"path and query may have at most {MAX_URI_CHARACTERS} characters")
    return _wrong_host(request)


def _wrong_host(request: HttpRequest) -> PurserError | None:
    """A request without Host, as HTTP/1.0 allows, is for the address that it came to."""
    try:
        request.get_host()
    except DisallowedHost:
        host = request.headers.get("Host", request.META["SERVER_NAME"])
        allowed = ", ".join(settings.PURSER.allowed_hosts)
        return errors.HostNotAllowed(f"host {host[:255]!r} is not in PURSER_ALLOWED_HOSTS, which allows: {allowed}")
    return None


def _account(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    route = f"/{request.resolver_match.route}" if request.resolver_match else "unmatched"
    metrics.observe_request(request.method or "", route, response.status_code, seconds)
    level = logging.ERROR if response.status_code >= 500 else logging.INFO
    _log.log(
        level,
        "request",
        method=request.method,
        path=request.path,
        route=route,
        status=response.status_code,
        seconds=round(seconds, 6),
    )

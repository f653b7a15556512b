"""What REST itself refuses, in the same tree as the domain's errors."""

from collections.abc import Mapping, Sequence

from container_manager.exceptions import FieldError, PurserError


class RequestError(PurserError):
    """The request cannot be served as it is."""

    code = "bad_request"

    def __init__(self, message: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = dict(headers or {})


class HostNotAllowed(RequestError):
    """The request is for a host that this service does not go by."""

    code = "host_not_allowed"


class HeadersTooLarge(RequestError):
    """The headers are larger than this server takes."""

    code = "headers_too_large"


class MalformedJson(RequestError):
    """The body is not a JSON object."""

    code = "malformed_json"


class MissingToken(RequestError):
    """This needs a bearer token."""

    code = "missing_token"


class UnusableToken(RequestError):
    """The bearer token is unknown, expired or revoked."""

    code = "unusable_token"


class InsufficientScope(RequestError):
    """The token lacks the scope that this needs."""

    code = "insufficient_scope"


class ExecutorForbidden(RequestError):
    """The token may not use this executor."""

    code = "executor_forbidden"


class OperatorOnly(RequestError):
    """This is of all namespaces, and for tokens of the operator's only."""

    code = "operator_only"


class RateLimited(RequestError):
    """The token has asked as often as it may for now; Retry-After says when it may again."""

    code = "rate_limited"
    retryable = True


class TooManyFailures(RequestError):
    """Too many requests without a usable token came from this address; Retry-After says when to try again."""

    code = "too_many_failures"
    retryable = True


class NotFound(RequestError):
    """There is nothing at this path."""

    code = "not_found"


class MethodNotAllowed(RequestError):
    """This path does not take that method."""

    code = "method_not_allowed"


class NotAcceptable(RequestError):
    """None of the media types in Accept can be given."""

    code = "not_acceptable"


class BodyTooLarge(RequestError):
    """The body is larger than this server takes."""

    code = "body_too_large"


class UriTooLong(RequestError):
    """The path and query are longer than this server takes."""

    code = "uri_too_long"


class UnsupportedMediaType(RequestError):
    """The body must be application/json."""

    code = "unsupported_media_type"


class InvalidQuery(RequestError):
    """A query parameter cannot be accepted."""

    code = "invalid_query"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, self.errors)))


class Unavailable(RequestError):
    """Purser cannot reach its database just now; try again."""

    code = "unavailable"
    retryable = True

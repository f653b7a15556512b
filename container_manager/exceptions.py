"""The one error tree. A class is a code, a sentence and whether trying again can help."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class PurserError(Exception):
    """Something went wrong inside Purser."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class InvalidConfig(PurserError, ValueError):
    """An executor's config has a wrong value or an unknown key."""

    code = "invalid_config"


class InvalidResources(PurserError, ValueError):
    """Resources are {"memory": MiB, "cpu": cores}, each a number that is 0 or more."""

    code = "invalid_resources"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of a request that cannot be accepted: where it is, why, and what is allowed."""

    field: str
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}" if self.field else self.detail


class InvalidBody(PurserError):
    """A field of the body cannot be accepted."""

    code = "invalid_body"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, self.errors)))


class InvalidJob(InvalidBody):
    """The job cannot be accepted as it is described."""

    code = "invalid_job"


class UnknownExecutor(PurserError):
    """No executor of that name is registered."""

    code = "unknown_executor"


class UnknownJob(PurserError):
    """There is no such job."""

    code = "unknown_job"


class IllegalTransition(PurserError):
    """The job's state does not allow that."""

    code = "illegal_transition"


class QueueFull(PurserError):
    """The queue holds as many jobs as it may; try again later."""

    code = "queue_full"
    retryable = True


class IdempotencyMismatch(PurserError):
    """This Idempotency-Key was used with another request."""

    code = "idempotency_mismatch"


class IdempotencyInProgress(PurserError):
    """The first request with this Idempotency-Key is still being worked on."""

    code = "idempotency_in_progress"
    retryable = True


class InvalidIdempotencyKey(PurserError):
    """An Idempotency-Key is 1 to 255 visible ASCII characters."""

    code = "invalid_idempotency_key"


class InvalidCursor(PurserError, ValueError):
    """The cursor was not given out by this list."""

    code = "invalid_cursor"


class EngineUnavailable(PurserError):
    """The engine did not answer, so nothing is known about its executions."""

    code = "engine_unavailable"
    retryable = True


class ExecutionNotFound(PurserError):
    """The engine has no such execution."""

    code = "execution_not_found"


class LogsGone(PurserError):
    """The job's logs are past their retention and have been deleted."""

    code = "logs_gone"


class Unsupported(PurserError):
    """The executor does not have this power."""

    code = "unsupported"


class InvalidTokenRequest(PurserError, ValueError):
    """A token cannot be made as it is described."""

    code = "invalid_token_request"


class UnknownToken(PurserError):
    """There is no such token."""

    code = "unknown_token"


class SecretUnreadable(PurserError):
    """None of the service's present keys opens this secret."""

    code = "secret_unreadable"


class SecretUnavailable(PurserError):
    """A secret that the operator provides cannot be read."""

    code = "secret_unavailable"


class UnknownSecret(PurserError):
    """There is no such secret."""

    code = "unknown_secret"


class TooManySecrets(PurserError):
    """The namespace has as many secrets as it may have."""

    code = "too_many_secrets"


class DestinationRefused(PurserError, ValueError):
    """Purser does not send there."""

    code = "destination_refused"


class UnknownWebhook(PurserError):
    """There is no such webhook."""

    code = "unknown_webhook"


class UnknownDelivery(PurserError):
    """There is no such delivery."""

    code = "unknown_delivery"


class WebhookDisabled(PurserError):
    """The webhook is disabled, so nothing is sent to it."""

    code = "webhook_disabled"


class TooManyWebhooks(PurserError):
    """The namespace has as many webhooks as it may have."""

    code = "too_many_webhooks"


class TokenExceeds(PurserError):
    """A token can neither make nor renew one that may do more than itself."""

    code = "token_exceeds"


class TokenEnded(PurserError):
    """The token is revoked or expired; make another."""

    code = "token_ended"

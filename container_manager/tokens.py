"""Bearer tokens: `purser_<id>_<secret>`, shown once; only the SHA-256 of the secret is kept."""

import contextlib
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from container_manager import audit, cursors, rates, recall
from container_manager.exceptions import (
    InvalidTokenRequest,
    TokenEnded,
    TokenExceeds,
    UnknownExecutor,
    UnknownToken,
)
from container_manager.executors.registry import executors as registry
from container_manager.models import Token
from container_manager.rates import Rate

_TOKEN = re.compile(r"purser_([0-9a-f]{12})_([0-9a-f]{64})")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LAST_USED_EVERY = timedelta(minutes=1)
MOST_OVERLAP_SECONDS = 604_800
"""How long a secret may go on opening after it was replaced: a week."""


class Scope(StrEnum):
    """What a token may be used for. `admin` is all of them."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    EXECUTORS_READ = "executors:read"
    METRICS_READ = "metrics:read"
    ADMIN = "admin"


class TokenState(StrEnum):
    """Whether a token opens."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Page:
    """Some tokens, newest first, and where the next page begins."""

    tokens: list[Token]
    next_cursor: str | None


def create(
    *,
    namespace: str,
    name: str,
    scopes: Collection[str],
    executors: Collection[str] = (),
    expires_at: datetime | None = None,
    rate_limit: str = "",
) -> tuple[Token, str]:
    """Make a token; the text that is returned with it cannot be had again.

    No `executors` is all of them, and no `rate_limit` the service's. Raises InvalidTokenRequest, or UnknownExecutor.
    """
    _validate(namespace, name, scopes, executors, expires_at, rate_limit)
    token_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    token = Token(
        id=token_id,
        digest=_digest(secret),
        name=name,
        namespace=namespace,
        scopes=sorted(set(scopes)),
        executors=sorted(set(executors)),
        expires_at=expires_at,
        rate_limit=rate_limit,
    )
    with transaction.atomic():
        token.save(force_insert=True)
        audit.note("token", token.pk, namespace)
    return token, _plaintext(token_id, secret)


def create_by(
    maker: Token,
    *,
    name: str,
    scopes: Collection[str],
    executors: Collection[str] = (),
    expires_at: datetime | None = None,
    rate_limit: str = "",
) -> tuple[Token, str]:
    """Make a token of the maker's namespace that may do nothing that the maker may not.

    What is left out is as the maker has it. Raises TokenExceeds, InvalidTokenRequest, or UnknownExecutor.
    """
    asked = Token(
        scopes=list(scopes),
        executors=list(executors or maker.executors),
        expires_at=expires_at or maker.expires_at,
        rate_limit=rate_limit or maker.rate_limit,
    )
    _validate(maker.namespace, name, scopes, (), expires_at, rate_limit)
    _require_within(asked, maker)
    return create(
        namespace=maker.namespace, name=name, scopes=scopes, executors=asked.executors, expires_at=asked.expires_at,
        rate_limit=asked.rate_limit,
    )  # fmt: skip


def get(token_id: str, *, namespace: str | None = None) -> Token:
    """Raises UnknownToken, also for the token of another namespace; None is any."""
    token = _of(namespace).filter(pk=token_id).first()
    if token is None:
        raise UnknownToken(f"there is no token {audit.without_secrets(token_id, 128)!r}")
    return token


def page(namespace: str, *, limit: int, cursor: str | None = None) -> Page:
    """List the tokens of a namespace, those that have ended too, newest first. Raises InvalidCursor."""
    rows = _of(namespace).order_by("-created_at", "-id")
    if cursor:
        at, last = _place(cursor)
        rows = rows.filter(Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(pk__lt=last)))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    return Page(
        found[:limit],
        cursors.encode(f"{found[limit - 1].created_at.isoformat()} {found[limit - 1].pk}") if more else None,
    )


def rotate(
    token_id: str, *, overlap_seconds: float = 0, namespace: str | None = None, by: Token | None = None
) -> tuple[Token, str]:
    """Give the token a new secret; the text that is returned cannot be had again. All else of it stays.

    The secret before opens for `overlap_seconds` more, the one before that no longer. Raises UnknownToken, TokenEnded,
    InvalidTokenRequest, and TokenExceeds for a token that may do more than the one `by` which it is renewed.
    """
    if not 0 <= overlap_seconds <= MOST_OVERLAP_SECONDS:
        raise InvalidTokenRequest(f"overlap_seconds {overlap_seconds:.15g} must be 0 to {MOST_OVERLAP_SECONDS}")
    token = get(token_id, namespace=namespace)
    if by is not None:
        _require_within(token, by)
    secret, now = secrets.token_hex(32), timezone.now()
    overlap = now + timedelta(seconds=overlap_seconds) if overlap_seconds else None
    with transaction.atomic():
        kept = F("digest") if overlap else ""
        columns = {"digest": _digest(secret), "previous_digest": kept, "previous_expires_at": overlap}
        if not usable().filter(pk=token_id).update(**columns, rotated_at=now):
            raise TokenEnded(f"token {token_id!r} is revoked or expired; make another")
        audit.note("token", token_id, token.namespace)
    return Token.objects.get(pk=token_id), _plaintext(token_id, secret)


def authenticate(plaintext: str) -> Token | None:
    """The token of that text, or None when it is malformed, unknown, wrong, expired or revoked."""
    match = _TOKEN.fullmatch(plaintext)
    if match is None:
        return None
    digest = _digest(match[2])
    token = next((each for each in recall.versions(match[1]) if _opens(each, digest)), None)
    if token and _is_long_ago(token.last_used_at):
        now = timezone.now()
        with contextlib.suppress(OperationalError):  # busy books must not keep anybody from reading them
            Token.objects.filter(pk=token.pk).update(last_used_at=now)
        token.last_used_at = now
    return token


def revoke(token_id: str, *, namespace: str | None = None) -> None:
    """End a token's use at once; again is no change. Raises UnknownToken."""
    token = get(token_id, namespace=namespace)
    with transaction.atomic():
        if Token.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=timezone.now()):
            audit.note("token", token_id, token.namespace)


def rate_of(token: Token) -> Rate | None:
    """How often it may ask: its own rate, or else the service's; None is no limit."""
    return rates.parse(token.rate_limit or settings.PURSER.rate_limit)


def overlap_of(token: Token) -> datetime | None:
    """Until when the secret before the last rotation opens too; None when it does not."""
    until = token.previous_expires_at
    return until if until and until > timezone.now() else None


def state_of(token: Token) -> TokenState:
    """Whether it opens."""
    if token.revoked_at:
        return TokenState.REVOKED
    expired = token.expires_at is not None and token.expires_at <= timezone.now()
    return TokenState.EXPIRED if expired else TokenState.VALID


def usable() -> QuerySet[Token]:
    """The tokens that are neither revoked nor expired."""
    return Token.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)


def _of(namespace: str | None) -> QuerySet[Token]:
    return Token.objects.all() if namespace is None else Token.objects.filter(namespace=namespace)


def _place(cursor: str) -> tuple[datetime, str]:
    at, _, last = cursors.decode(cursor).partition(" ")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise cursors.refused(cursor) from None
    if moment.tzinfo is None or not re.fullmatch(r"[0-9a-f]{12}", last):
        raise cursors.refused(cursor)
    return moment, last


def _plaintext(token_id: str, secret: str) -> str:
    return f"purser_{token_id}_{secret}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _opens(token: Token, digest: str) -> bool:
    if state_of(token) != TokenState.VALID:
        return False
    if hmac.compare_digest(digest, token.digest):
        return True
    return overlap_of(token) is not None and hmac.compare_digest(digest, token.previous_digest)


def _is_long_ago(used: datetime | None) -> bool:
    return used is None or used < timezone.now() - _LAST_USED_EVERY


def _require_within(token: Token, limits: Token) -> None:
    """Raises TokenExceeds when the first may do more than the second, and says what."""
    if excess := "; ".join(_excess(token, limits)):
        raise TokenExceeds(f"a token cannot give what it does not have: {excess}")


def _excess(token: Token, limits: Token) -> Iterator[str]:
    if Scope.ADMIN not in limits.scopes and (more := set(token.scopes) - set(limits.scopes)):
        yield f"the scopes {', '.join(sorted(more))}"
    if limits.executors and not (token.executors and set(token.executors) <= set(limits.executors)):
        yield f"executors other than {', '.join(limits.executors)}"
    if limits.expires_at and (token.expires_at is None or token.expires_at > limits.expires_at):
        yield f"use after {limits.expires_at.isoformat()}"
    rate, most = rate_of(token), rate_of(limits)
    if most and (rate is None or not rate.within(most)):
        yield f"more requests than {most}"


def _validate(
    namespace: str,
    name: str,
    scopes: Collection[str],
    executors: Collection[str],
    expires_at: datetime | None,
    rate_limit: str,
) -> None:
    if not _NAMESPACE.fullmatch(namespace):
        raise InvalidTokenRequest(f"namespace {namespace!r} must be 1 to 63 lower-case letters, digits and inner '-'")
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidTokenRequest(f"name {name!r} must be 1 to 100 printable characters")
    if not scopes or (unknown := set(scopes) - set(Scope)):
        raise InvalidTokenRequest(f"scopes {sorted(unknown) if scopes else []} must be some of {', '.join(Scope)}")
    for executor in executors:
        if executor not in registry:
            raise UnknownExecutor(f"executor {executor!r} is not registered; registered are: {', '.join(registry)}")
    if expires_at and expires_at <= timezone.now():
        raise InvalidTokenRequest(f"expires_at {expires_at.isoformat()} must lie ahead")
    try:
        rates.parse(rate_limit or "none")
    except ValueError as error:
        raise InvalidTokenRequest(f"rate_limit {error}") from None

"""Who did what, on what, from where, with which outcome: an append-only log.

An act is begun where a caller is known (a request, a command) and noted where the change is made, in its
transaction. What is refused, or changes nothing by itself, is written when its outcome is known.
"""

import contextlib
import logging
import re
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from container_manager import cursors
from container_manager.models import AuditEntry
from container_manager.rates import Gate, Rate

logger = logging.getLogger(__name__)

_SECRET = re.compile(r"(purser_[0-9a-f]{12})_[0-9a-f]+", re.IGNORECASE)
_REFUSED = Rate(60, 60)  # entries of one caller, a process
_REFUSED_ANONYMOUS = Rate(600, 60)  # of all callers without a token together
_BATCH = 500


class AuditOutcome(StrEnum):
    """How an act ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Via(StrEnum):
    """How the caller came."""

    API = "api"
    COMMAND = "command"


@dataclass(slots=True)
class Act:
    """One thing that somebody does. `success_status` is the answer's when the change is made."""

    operation: str
    via: Via
    success_status: int = 0
    token: str = ""
    namespace: str = ""
    user: str = ""
    subject_type: str = ""
    subject: str = ""
    address: str = ""
    request_id: str = ""
    user_agent: str = ""
    noted: bool = False


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries a list shows; what is empty does not narrow it. `namespaces` None is all."""

    namespaces: tuple[str, ...] | None = None
    operation: str | None = None
    token: str | None = None
    outcome: AuditOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first, and where the next page begins."""

    entries: list[AuditEntry]
    next_cursor: str | None


_act: ContextVar[Act | None] = ContextVar("act", default=None)
_gate = Gate()


@contextlib.contextmanager
def acting(act: Act) -> Iterator[Act]:
    """All that is noted inside is this act's."""
    before = _act.set(act)
    try:
        yield act
    finally:
        _act.reset(before)


def current() -> Act | None:
    """The act that is under way here, if any."""
    return _act.get()


def note(subject_type: str, subject: object, namespace: str = "") -> None:
    """Write down the change that is being made in this transaction; nothing where no caller acts.

    `namespace` is whose the subject is; it is the caller's for a token.
    """
    if act := _act.get():
        act.noted = True
        _write(act, AuditOutcome.DONE, act.success_status, "", (subject_type, str(subject)), act.namespace or namespace)


def close(act: Act, outcome: AuditOutcome, status: int = 0, code: str = "") -> None:
    """Write down how an act ended whose change was not noted. It never fails: the service's log has it then."""
    if act.noted and outcome == AuditOutcome.DONE:
        return
    missed = 0
    if outcome == AuditOutcome.REFUSED:
        admitted, missed = _admit(act)
        if not admitted:
            return
    try:
        with transaction.atomic():
            _write(act, outcome, status, code, (act.subject_type, act.subject), act.namespace, missed)
    except DatabaseError:
        logger.exception("an act is missing in the audit log", extra={"operation": act.operation, "outcome": outcome})


def page(filters: AuditFilter, *, limit: int, cursor: str | None = None) -> Page:
    """List entries, newest first. Raises InvalidCursor."""
    rows = _narrowed(filters).order_by("-id")
    if cursor:
        place = cursors.decode(cursor)
        if not re.fullmatch(r"[1-9]\d{0,17}", place, re.ASCII):
            raise cursors.refused(cursor)
        rows = rows.filter(pk__lt=int(place))
    found = list(rows[: limit + 1])
    return Page(found[:limit], cursors.encode(str(found[limit - 1].pk)) if len(found) > limit else None)


def delete_before(moment: datetime) -> int:
    """Delete a batch of what is older, and returns how many: the only deletion that the database allows."""
    ids = list(AuditEntry.objects.filter(at__lt=moment).order_by("at").values_list("pk", flat=True)[:_BATCH])
    if not ids:
        return 0
    with transaction.atomic():
        allow_deletion_before(moment)
        return AuditEntry.objects.filter(pk__in=ids).delete()[0]


def allow_deletion_before(moment: datetime) -> None:
    """Move the bound from which on the database keeps every entry."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_horizon SET before = %s", [connection.ops.adapt_datetimefield_value(moment)])


def reset() -> None:
    """Forget who was refused how often."""
    _gate.reset()


def without_secrets(text: str, most: int) -> str:
    """A text of a caller's as it may be kept: printable, bounded, and without the secret of a token."""
    shown = _SECRET.sub(r"\1", text)
    return "".join(character if character.isprintable() else "?" for character in shown)[:most]


def _narrowed(filters: AuditFilter) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.all()
    if filters.namespaces is not None:
        rows = rows.filter(namespace__in=filters.namespaces)
    equal = {"operation": filters.operation, "token": filters.token, "outcome": filters.outcome}
    rows = rows.filter(**{name: value for name, value in equal.items() if value is not None})
    if filters.since:
        rows = rows.filter(at__gte=filters.since)
    if filters.until:
        rows = rows.filter(at__lt=filters.until)
    return rows


def _admit(act: Act) -> tuple[bool, int]:
    """Whether a refusal is written, and how many of the same caller were not before it. A flood is cut off."""
    passage = _gate.enter(act.token or act.user or act.address, _REFUSED)
    if passage.ok and not act.token:
        passage = _gate.enter("", _REFUSED_ANONYMOUS)
    if not passage.ok and passage.missed == 1:
        logger.warning("refusals are no longer audited", extra={"token": act.token, "address": act.address})
    return passage.ok, passage.missed


def _write(
    act: Act, outcome: AuditOutcome, status: int, code: str, subject: tuple[str, str], namespace: str, missed: int = 0
) -> None:
    AuditEntry.objects.create(
        operation=act.operation,
        outcome=outcome,
        status=status or None,
        code=code,
        via=act.via,
        token=act.token,
        namespace=namespace,
        user=without_secrets(act.user, 64),
        subject_type=subject[0],
        subject=without_secrets(subject[1], 128),
        address=without_secrets(act.address, 64),
        request_id=without_secrets(act.request_id, 128),
        user_agent=without_secrets(act.user_agent, 200),
        missed=missed,
    )

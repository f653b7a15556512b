"""Tokens as this process remembers them, so that a hot read has no question to ask about its token alone.

Inside of `recalling` a token is taken from memory. What the read then asks of the books brings along the token's
`stamp`, which is all that says what it opens, and `confirm` compares it with the memory. So a token that any process
has revoked, renewed or changed is noticed by the very query that the answer comes from; no ring for it can be lost.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import CharField, F, Model, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, JSONObject

from container_manager.models import Token
from container_manager.prepared import Prepared, Slot

M = TypeVar("M", bound=Model)

_MOST_TOKENS = 10_000
_COLUMNS = [field.attname for field in Token._meta.concrete_fields]
_STAMP = Cast(JSONObject(**{name: F(name) for name in _COLUMNS if name != "last_used_at"}), TextField())


@dataclass(slots=True)
class Recollection:
    """A token that was taken from memory, by its id and stamp, and whether the books have it so: then all holds."""

    token: str = ""
    stamp: str = ""
    holds: bool = True


_tokens = Prepared(lambda: Token.objects.filter(pk=Slot("token", CharField())).values_list(*_COLUMNS, _STAMP))
_memory: dict[str, tuple[Token, str]] = {}
_recollection: ContextVar[Recollection | None] = ContextVar("recollection", default=None)


@contextlib.contextmanager
def recalling() -> Iterator[Recollection]:
    """Take tokens from memory inside: what is done there counts only if it then says that it `holds`."""
    recollection = Recollection()
    before = _recollection.set(recollection)
    try:
        yield recollection
    finally:
        _recollection.reset(before)


def versions(token_id: str) -> Iterator[Token]:
    """The token of that id: inside of `recalling` as it is remembered, then as the books have it."""
    recollection = _recollection.get()
    if recollection and (known := _memory.get(token_id)):
        recollection.token, recollection.stamp, recollection.holds = token_id, known[1], False
        yield known[0]
        recollection.token, recollection.holds = "", True
    if rows := _tokens(token=token_id):
        *columns, stamped = rows[0]
        found = Token.from_db(DEFAULT_DB_ALIAS, _COLUMNS, columns)
        _remember(token_id, found, stamped)
        yield found


def token() -> str:
    """The id of the token that is to be confirmed, or nothing."""
    recollection = _recollection.get()
    return recollection.token if recollection else ""


def stamp(token_id: Slot | str) -> Subquery:
    """What a query is annotated with, so that it can confirm a token."""
    return Subquery(Token.objects.filter(pk=token_id).values_list(_STAMP))


def confirm(found: str | None) -> None:
    """The books have the token like this now. What has been contradicted once holds no more."""
    if (recollection := _recollection.get()) and recollection.token:
        recollection.holds = found == recollection.stamp
        if not recollection.holds:
            recollection.stamp = ""


def confirm_alone() -> None:
    """Ask how the books have the token: for a read that has found no row to bring that along."""
    if asked := token():
        rows = _tokens(token=asked)
        confirm(rows[0][-1] if rows else None)


def confirming(rows: QuerySet[M]) -> Iterator[M]:
    """The rows of a query, which confirm the token on the way."""
    if not token():
        yield from rows
        return
    connection.ensure_connection()  # or Django opens one for its version alone
    row = None
    for row in rows.annotate(token_stamp=stamp(token())):
        confirm(row.token_stamp)  # type: ignore[attr-defined]
        yield row
    if row is None:
        confirm_alone()


def _remember(token_id: str, found: Token, stamped: str) -> None:
    if len(_memory) >= _MOST_TOKENS:
        _memory.clear()
    _memory[token_id] = found, stamped

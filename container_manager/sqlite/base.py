"""Connections whose transactions wait for each other without looking again and again.

SQLite has one writer at a time. Who comes second sleeps and tries again, longer each time, and others may pass: under
load some wait for seconds, and some in vain. Here the threads of one process are let in one by one, in the order they
came; only other processes are waited for in SQLite's own way.
"""

from collections import defaultdict
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from container_manager.sqlite.turn import Turn

_turns: defaultdict[str, Turn] = defaultdict(Turn)


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, with a turn for each transaction. A statement outside of one takes none: it is over at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn: Turn | None = None  # while a transaction is open

    def _start_transaction_under_autocommit(self) -> None:
        turn = _turns[str(self.settings_dict["NAME"])]
        if not turn.take(self.settings_dict["OPTIONS"].get("timeout", 5)):
            raise OperationalError("database is locked")
        self._turn = turn
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # its stubs do not know it
        except BaseException:
            self._give_turn()
            raise

    def commit(self) -> None:
        super().commit()  # one that fails is rolled back
        self._give_turn()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._give_turn()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._give_turn()

    def _give_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn:
            turn.give()

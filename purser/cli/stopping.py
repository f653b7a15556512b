"""Ctrl-C and its like: the first asks for the job's end and stays to see it, the second leaves."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from purser.cli import outcome
from purser.cli.screen import Screen
from purser.client import Client
from purser.exceptions import ClientError, Refused

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LEAVE_SECONDS = 10.0
"""How long the second signal waits for the service to have heard of the first. A third does not wait."""


class Stopper:
    """Cancels a job on the first signal, in a thread of its own, so that its logs are followed on to their end."""

    def __init__(self, client: Client, screen: Screen) -> None:
        self._client, self._screen = client, screen
        self._job_id = ""
        self._asked = False
        self._is_leaving = False
        self._answered = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Signals are taken within it."""
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def launched(self, job_id: str) -> None:
        """The job is known now; a signal that came before is acted on."""
        self._job_id = job_id
        if self._asked:
            self._begin()

    def stop(self) -> None:
        """Ask for the job's end, unless that has been done."""
        if not self._asked:
            self._asked = True
            self._begin()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            self._leave()
        self.stop()  # before a word is said: the next signal may come amid it
        self._screen.insist("cancelling the job; once more to leave before its end")

    def _leave(self) -> NoReturn:
        if self._job_id and not self._is_leaving:
            self._is_leaving = True
            self._answered.wait(_LEAVE_SECONDS)
        self._screen.insist("left before the job's end" if self._job_id else "left before the launch was answered")
        os._exit(outcome.CANCELLED)

    def _begin(self) -> None:
        if self._job_id:
            threading.Thread(target=self._cancel, daemon=True).start()

    def _cancel(self) -> None:
        try:
            self._client.cancel(self._job_id)
        except ClientError as error:
            if not (isinstance(error, Refused) and error.code == "illegal_transition"):  # it has ended by itself
                self._screen.insist(f"the job could not be cancelled: {error}")
        finally:
            self._answered.set()

"""What a person reads: sentences on standard error, and the job's own bytes on both streams."""

import os
import sys
import threading

_CLEAR = b"\r\x1b[2K"


class Screen:
    """Standard output and error, written to without buffers, from several threads.

    A state that passes is one line that is written over on a terminal, and a line each time it changes elsewhere.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._is_terminal = sys.stderr.isatty()
        self._lock = threading.RLock()  # a signal may come while the same thread writes
        self._passing = ""
        self._is_shown = False

    def say(self, sentence: str) -> None:
        """A line about the job, unless it is to be quiet."""
        if not self._quiet:
            self.insist(sentence)

    def insist(self, sentence: str) -> None:
        """A line that is said in any case."""
        with self._lock:
            self.settle()
            _write(2, f"purser: {sentence}\n".encode())

    def passing(self, sentence: str) -> None:
        """What takes its time just now."""
        with self._lock:
            if self._quiet or sentence == self._passing:
                return
            self._passing = sentence
            if self._is_terminal:
                _write(2, _CLEAR + f"purser: {sentence}".encode())
                self._is_shown = True
            else:
                _write(2, f"purser: {sentence}\n".encode())

    def settle(self) -> None:
        """What took its time is over: take its line from the terminal."""
        with self._lock:
            if self._is_shown:
                _write(2, _CLEAR)
            self._is_shown, self._passing = False, ""

    def job_wrote(self, stream: str, data: bytes, *, apart: bool = True) -> None:
        """Bytes of the job; not `apart`, all of them go to standard error. Raises BrokenPipeError."""
        with self._lock:
            self.settle()
            _write(1 if apart and stream == "stdout" else 2, data)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]

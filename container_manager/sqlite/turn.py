"""A lock that is given in the order it was asked for."""

import threading
from collections import deque


class Turn:
    """Held by one at a time, and by any thread given on to the one that waits the longest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def take(self, seconds: float) -> bool:
        """Wait for it, up to some seconds; whether it is the caller's now."""
        with self._lock:
            if not self._held:
                self._held = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._lock:
            if mine not in self._waiting:
                return True  # it was given at the last moment
            self._waiting.remove(mine)
            return False

    def give(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False

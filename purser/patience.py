"""How long to go on trying when the service does not answer, or says later."""

import random
import time
from collections.abc import Callable

from purser.exceptions import ClientError

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 5.0


class Patience:
    """Waits between tries, each time longer, until so many seconds have gone by without a success."""

    def __init__(self, seconds: float, say: Callable[[str], object]) -> None:
        self._seconds, self._say = seconds, say
        self._tries = 0
        self._over_at = 0.0

    def succeeded(self) -> None:
        """It was answered: what fails from now on has all the time again."""
        self._tries = 0

    def pause(self, cause: ClientError, seconds: float | None = None) -> None:
        """Wait as long as the service asked for, or a moment. Raises the cause when there is no time left."""
        now = time.monotonic()
        if self._tries == 0:
            self._over_at = now + self._seconds
        left = self._over_at - now
        if left <= 0 or (seconds or 0) > left:
            raise cause
        if self._tries == 1:  # what the second try mends is not worth a word
            self._say(f"{cause}; trying again for {left:.0f} s")
        time.sleep(min(_moment(self._tries) if seconds is None else seconds, left))
        self._tries += 1


def _moment(tries: int) -> float:
    """With jitter, so that many clients do not come together."""
    return min(_FIRST_SECONDS * 2.0**tries, _LONGEST_SECONDS) * random.uniform(0.5, 1)  # noqa: S311

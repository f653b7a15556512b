"""What a call can end with, other than its answer. The text of each is one line for a person."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """The service was asked, and it did not do it."""


class Unreachable(ClientError):
    """The service did not answer."""


class Misunderstood(ClientError):
    """The service answered what this client does not understand."""


class Refused(ClientError):
    """The service answered with a problem: `status` and `code` say which, `problem` is the whole of it."""

    _PASSING_STATUSES = frozenset({429, 502, 503, 504})
    _PASSING_CODES = frozenset({"idempotency_in_progress"})

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status, self.problem, self.retry_after = status, problem, retry_after
        self.code = str(problem.get("code", ""))
        super().__init__(_sentence(status, problem))

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered otherwise a little later."""
        return self.status in self._PASSING_STATUSES or self.code in self._PASSING_CODES


def _sentence(status: int, problem: Mapping[str, Any]) -> str:
    places = [_place(each) for each in problem.get("errors") or ()]
    said = "; ".join(places) or problem.get("detail") or problem.get("title") or f"the service answered {status}"
    return " ".join(str(said).split())


def _place(error: Mapping[str, Any]) -> str:
    where = error.get("pointer") or error.get("parameter") or error.get("header") or ""
    name, detail = str(where).lstrip("/"), str(error.get("detail", ""))
    return detail if not name or detail.startswith(name) else f"{name}: {detail}"

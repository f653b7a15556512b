"""The few calls that `manage.py up` makes to the service, over HTTP as any client would."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, cast

_TIMEOUT_SECONDS = 90.0
# The service is on this host: a proxy of the environment has no part in it.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ApiError(Exception):
    """The service refused or did not answer."""


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks to one service with one token."""

    address: str
    token: str

    def get(self, path: str) -> dict[str, Any]:
        """A JSON answer. Raises ApiError."""
        return cast(dict[str, Any], json.loads(self._send("GET", path)))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A JSON answer. Raises ApiError."""
        return cast(dict[str, Any], json.loads(self._send("POST", path, json.dumps(body).encode())))

    def text(self, path: str) -> str:
        """An answer as plain text. Raises ApiError."""
        return self._send("GET", path, accept="text/plain").decode(errors="replace")

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            self._send("GET", "/readyz")
        except ApiError:
            return False
        return True

    def _send(self, method: str, path: str, body: bytes | None = None, accept: str = "application/json") -> bytes:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept, "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, body, headers, method=method)  # noqa: S310  (the address is our own)
        try:
            with _opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return cast(bytes, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from None
        except OSError as error:
            raise ApiError(f"{method} {path}: {error}") from None

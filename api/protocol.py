"""HTTP as uvicorn reads it, with a bound on what is kept of a request before it is known whose it is."""

from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.errors import HeadersTooLarge

MAX_HEADER_BYTES = 65_536
HEADERS_TOO_LARGE = f"the headers of a request may have at most {MAX_HEADER_BYTES} bytes together"


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request has not come to its body within the bound, with a problem of status 431."""

    _head: "_Head | None" = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = _Head()

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        before = self._head
        super().data_received(data)
        if before is None or before is not self._head:
            return  # not all of it was of one head
        before.size += len(data)
        if before.size > MAX_HEADER_BYTES:
            self.transport.write(_refusal())
            self.transport.close()


class _Head:
    """What has come of a request whose headers have not ended yet, but for its first piece."""

    size = 0


def _refusal() -> bytes:
    document: dict[str, Any] = {
        "type": f"/api/docs/problems#{HeadersTooLarge.code}",
        "title": HeadersTooLarge.__doc__,
        "status": 431,
        "detail": HEADERS_TOO_LARGE,
        "code": HeadersTooLarge.code,
    }
    body = orjson.dumps(document)
    head = (
        "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body

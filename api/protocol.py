"""HTTP as uvicorn reads it, with a bound on what is kept of a request before it is known whose it is."""

from http import HTTPStatus
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.errors import HeadersTooLarge, RequestError
from container_manager.identifiers import uuid7

MAX_HEADER_BYTES = 65_536
HEADERS_TOO_LARGE = f"the headers of a request may have at most {MAX_HEADER_BYTES} bytes together"


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection that does not speak HTTP, or does not come to a body within the bound, with a problem."""

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
        if before is None or before is not self._head or self.transport.is_closing():
            return  # not all of it was of one head, or it was refused
        before.size += len(data)
        if before.size > MAX_HEADER_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HeadersTooLarge(HEADERS_TOO_LARGE))

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, RequestError("what was sent cannot be read as a request of HTTP/1.1"))

    def _refuse(self, status: HTTPStatus, error: RequestError) -> None:
        self.transport.write(_problem(status, error))
        self.transport.close()


class _Head:
    """What has come of a request whose headers have not ended yet, but for its first piece."""

    size = 0


def _problem(status: HTTPStatus, error: RequestError) -> bytes:
    request_id = str(uuid7())
    document: dict[str, Any] = {
        "type": f"/api/docs/problems#{error.code}",
        "title": error.__doc__,
        "status": status,
        "detail": str(error),
        "instance": "",  # the path is not known for sure before the headers have ended
        "code": error.code,
        "request_id": request_id,
    }
    body = orjson.dumps(document)
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
        f"x-request-id: {request_id}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body

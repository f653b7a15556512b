"""One attempt to tell a webhook: checked address, signed request, bounded answer. Touches no database."""

import base64
import contextlib
import functools
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from container_manager import destinations
from container_manager.destinations import Address, Destination
from container_manager.exceptions import DestinationRefused

GONE = 410
_ANSWER_BYTES = 65_536
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent. `secrets` are the present one and, for a time, the one before."""

    message_id: str
    url: str
    body: str
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an attempt went: an answer's status, or why there was none."""

    at: datetime
    seconds: float
    status_code: int | None
    error: str

    @property
    def ok(self) -> bool:
        return not self.error


def send(parcel: Parcel, timeout_seconds: float) -> Receipt:
    """POST it once. Never raises for what the other side does; redirects are not followed."""
    at, began = datetime.now(UTC), time.perf_counter()
    status, error = None, ""
    try:
        status = _post(parcel, at, timeout_seconds)
        error = _refusal(status)
    except DestinationRefused as refused:
        error = f"its URL {refused}"
    except TimeoutError:
        error = f"no answer within {timeout_seconds:g} s"
    except ssl.SSLCertVerificationError as failure:
        error = f"its certificate is not trusted: {failure.verify_message}"
    except (OSError, http.client.HTTPException) as failure:
        out_of_time = time.perf_counter() - began >= timeout_seconds
        error = f"no answer within {timeout_seconds:g} s" if out_of_time else f"no answer: {_words(failure)}"
    return Receipt(at, round(time.perf_counter() - began, 3), status, error)


def sign(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """The signature of Standard Webhooks, version 1."""
    key = base64.b64decode(secret.partition("_")[2])
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _post(parcel: Parcel, at: datetime, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    destination = destinations.parse(parcel.url)
    addresses = destinations.resolve(destination, settings.PURSER.webhook_allowed_networks)
    with contextlib.closing(_connect(addresses, destination, deadline)) as plain, _ending(plain, deadline):
        sock = _secured(plain, destination)
        connection = http.client.HTTPConnection(destination.host, destination.port)
        connection.sock = sock
        with contextlib.closing(connection):
            connection.request("POST", destination.target, parcel.body.encode(), _headers(parcel, destination, at))
            response = connection.getresponse()
            with contextlib.suppress(OSError, http.client.HTTPException):  # the status is what counts
                response.read(_ANSWER_BYTES)
            return response.status


def _connect(addresses: Sequence[Address], destination: Destination, deadline: float) -> socket.socket:
    """To one of the very addresses that were checked."""
    failure: OSError = TimeoutError()
    for address in addresses:
        left = min(_CONNECT_SECONDS, deadline - time.monotonic())
        if left <= 0:
            break
        try:
            return socket.create_connection((str(address), destination.port), timeout=left)
        except OSError as error:
            failure = error
    raise failure


@contextlib.contextmanager
def _ending(sock: socket.socket, deadline: float) -> Iterator[None]:
    """Break off at the deadline, also with one who answers a byte now and then."""
    sock.settimeout(max(deadline - time.monotonic(), 0.01))
    same = sock.dup()
    timer = threading.Timer(max(deadline - time.monotonic(), 0), _break_off, (same,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        same.close()


def _break_off(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _secured(sock: socket.socket, destination: Destination) -> socket.socket:
    if destination.scheme == "http":
        return sock
    return _tls_context().wrap_socket(sock, server_hostname=destination.host)


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _headers(parcel: Parcel, destination: Destination, at: datetime) -> dict[str, str]:
    timestamp = int(at.timestamp())
    signatures = [sign(secret, parcel.message_id, timestamp, parcel.body) for secret in parcel.secrets]
    return {
        "Host": destination.authority,
        "Content-Type": "application/json",
        "User-Agent": "Purser",
        "Connection": "close",
        "webhook-id": parcel.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _refusal(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it answered {status}; redirects are not followed"
    return f"it answered {status}"


def _words(failure: Exception) -> str:
    return getattr(failure, "strerror", None) or str(failure) or type(failure).__name__

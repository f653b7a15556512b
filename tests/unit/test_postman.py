"""One attempt to tell a webhook, against a receiver on a real socket."""

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from container_manager.dispatcher import postman
from container_manager.dispatcher.postman import Parcel
from tests.receiver import Receiver, answering, receiver, status

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Any) -> None:
    allowed = (ip_network("127.0.0.0/8"),)
    settings.PURSER = settings.PURSER.model_copy(update={"webhook_allowed_networks": allowed})


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def parcel(there: Receiver, *secrets: str, url: str = "") -> Parcel:
    return Parcel("msg_1", url or there.url, '{"type":"job.succeeded"}', secrets or (SECRET,))


def test_a_receiver_can_verify_what_is_sent(there: Receiver) -> None:
    receipt = postman.send(parcel(there), 5)
    (got,) = there.received
    assert receipt.ok
    assert receipt.status_code == 204
    assert (got.path, got.headers["content-type"]) == ("/hook?a=b", "application/json")
    assert got.verified(SECRET) == {"type": "job.succeeded"}
    with pytest.raises(WebhookVerificationError):
        got.verified(OTHER)


def test_the_signature_is_that_of_the_reference_library(there: Receiver) -> None:
    postman.send(parcel(there), 5)
    (got,) = there.received
    at = int(got.headers["webhook-timestamp"])
    assert postman.sign(SECRET, "msg_1", at, got.body.decode()) == got.headers["webhook-signature"]
    assert abs(time.time() - at) < 5


def test_two_secrets_sign_while_one_takes_over_from_the_other(there: Receiver) -> None:
    postman.send(parcel(there, SECRET, OTHER), 5)
    (got,) = there.received
    assert got.verified(SECRET) == got.verified(OTHER)


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(there: Receiver, code: int) -> None:
    there.respond = lambda handler: status(handler, code, Location=there.url)
    receipt = postman.send(parcel(there), 5)
    assert (receipt.status_code, receipt.error) == (code, f"it answered {code}; redirects are not followed")
    assert len(there.received) == 1


@pytest.mark.parametrize("code", [400, 404, 410, 429, 500, 503])
def test_a_refusal_is_told_with_its_status(there: Receiver, code: int) -> None:
    there.respond = answering(code)
    receipt = postman.send(parcel(there), 5)
    assert (receipt.ok, receipt.status_code, receipt.error) == (False, code, f"it answered {code}")


def test_nobody_there_is_an_error_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        receipt = postman.send(Parcel("m", f"http://127.0.0.1:{taken.getsockname()[1]}/", "{}", (SECRET,)), 5)
    assert (receipt.status_code, receipt.error) == (None, "no answer: Connection refused")


def test_a_name_that_is_not_known_is_an_error_in_words() -> None:
    receipt = postman.send(Parcel("m", "https://nowhere.invalid/", "{}", (SECRET,)), 5)
    assert receipt.error.startswith("no answer: ")


def test_a_receiver_without_tls_is_an_error_in_words(there: Receiver) -> None:
    receipt = postman.send(parcel(there, url=there.url.replace("http:", "https:")), 5)
    assert receipt.error.startswith("no answer: ")
    assert there.received == []


def test_who_answers_a_byte_now_and_then_is_broken_off(there: Receiver) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        while True:
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.05)

    there.respond = drip
    began = time.monotonic()
    receipt = postman.send(parcel(there), 1)
    assert time.monotonic() - began < 20
    assert receipt.error == "no answer within 1 s"


def test_who_does_not_answer_is_broken_off(there: Receiver) -> None:
    there.respond = lambda handler: time.sleep(2)
    assert postman.send(parcel(there), 1).error == "no answer within 1 s"


def test_of_an_endless_answer_only_the_status_is_taken(there: Receiver) -> None:
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65_536)

    there.respond = pour
    began = time.monotonic()
    assert postman.send(parcel(there), 60).ok
    assert time.monotonic() - began < 50


def test_what_is_not_allowed_is_never_connected_to(there: Receiver, settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"webhook_allowed_networks": ()})
    receipt = postman.send(parcel(there), 5)
    assert "leads to 127.0.0.1, which is not a public address" in receipt.error
    assert there.received == []


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to(
    there: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(there.url.rpartition(":")[2].partition("/")[0])
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *args: Any, **kwargs: Any) -> Any:
        if host != "rebinding.example":
            return real(host, *args, **kwargs)  # what `create_connection` does with an address
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert postman.send(parcel(there, url=f"http://rebinding.example:{port}/"), 5).ok
    assert len(asked) == 1
    assert there.received[0].headers["host"] == f"rebinding.example:{port}"


def test_the_reference_library_signs_alike() -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert Webhook(SECRET).sign("m", at, "{}") == postman.sign(SECRET, "m", int(at.timestamp()), "{}")

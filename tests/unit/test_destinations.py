"""Where webhooks may lead: public addresses, and what the operator allows besides."""

import socket
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from container_manager import destinations
from container_manager.exceptions import DestinationRefused

NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "192.88.99.1", "168.63.129.16", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1", "100::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


def destination(address: str) -> destinations.Destination:
    host = f"[{address}]" if ":" in address else address
    return destinations.parse(f"https://{host}/hook")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(DestinationRefused, match="not a public address"):
        destinations.resolve(destination(address), ())
    with pytest.raises(DestinationRefused, match="not a public address"):
        destinations.check_literal(destination(address), ())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_taken(address: str) -> None:
    destinations.check_literal(destination(address), ())
    assert destinations.resolve(destination(address), ()) == [ip_address(address)]


@pytest.mark.parametrize(
    "url", ["http://0x7f.1/", "http://2130706433/", "http://127.1/", "http://017700000001/", "http://localhost/"]
)
def test_another_spelling_of_a_loopback_address_is_refused_before_it_is_connected_to(url: str) -> None:
    with pytest.raises(DestinationRefused, match="leads to an address that is not public"):
        destinations.resolve(destinations.parse(url), ())


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"])
def test_the_operator_can_allow_a_network(address: str) -> None:
    allowed = (ip_network("10.1.0.0/16"),)
    assert destinations.resolve(destination(address), allowed) == [ip_address(address)]
    with pytest.raises(DestinationRefused):
        destinations.resolve(destination("10.2.0.1"), allowed)


def test_a_name_of_which_one_address_is_not_public_is_refused_and_the_address_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries: list[Any] = [(0, 0, 0, "", (address, 443)) for address in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    with pytest.raises(DestinationRefused, match="leads to an address that is not public") as refused:
        destinations.resolve(destinations.parse("https://two.example/"), ())
    assert "10.0.0.1" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://example.org/", "http:// or https://"),
        ("file:///etc/passwd", "http:// or https://"),
        ("//example.org/", "http:// or https://"),
        ("https:///path", "with a host"),
        ("https://user:pass@example.org/", "user name or password"),
        ("https://@example.org/", "user name or password"),
        ("https://example.org/#part", "fragment"),
        ("https://example.org:0/", "port 0"),
        ("https://example.org:99999/", "is not a URL"),
        ("https://[::1/", "is not a URL"),
        ("https://exämple.org/", "visible ASCII"),
        ("https://example.org/a b", "visible ASCII"),
        ("https://example.org\\@10.0.0.1/", "visible ASCII"),
        ("https://example.org/\r\nHost: x", "visible ASCII"),
    ],
)
def test_a_url_of_another_form_is_refused(url: str, told: str) -> None:
    with pytest.raises(DestinationRefused, match=told):
        destinations.parse(url)


def test_a_host_that_cannot_be_a_name_is_refused() -> None:
    with pytest.raises(DestinationRefused, match="cannot be a name"):
        destinations.resolve(destinations.parse(f"https://{'a' * 64}.example/"), ())


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("https://example.org", "example.org", "/"),
        ("http://example.org:80/a?b=c", "example.org", "/a?b=c"),
        ("https://example.org:8443/a", "example.org:8443", "/a"),
        ("http://[2606:4700::1]:81/", "[2606:4700::1]:81", "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, authority: str, target: str) -> None:
    parsed = destinations.parse(url)
    assert (parsed.authority, parsed.target) == (authority, target)

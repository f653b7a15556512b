"""How often callers may ask: tokens by their rate, addresses by their failures to show one.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10 (RateLimit header fields for HTTP):
`RateLimit-Policy` names the rate (`q` requests in a window of `w` seconds), `RateLimit` what is left of it
(`r` requests, and `t` seconds until all are there again).
"""

import ipaddress
import math
from collections.abc import Mapping

from django.conf import settings

from api.errors import RateLimited, RequestError, TooManyFailures
from container_manager import allowances, rates, tokens
from container_manager.models import Token
from container_manager.rates import Gate

RATE_HEADERS = "purser.rate_headers"
"""Where request.META holds the headers that say how the caller's rate stands."""

_failures = Gate()


def charge(token: Token) -> Mapping[str, str]:
    """Count one request; returns the headers of its answer. Raises RateLimited, which carries them too."""
    rate = tokens.rate_of(token)
    if rate is None:
        return {}
    standing = allowances.spend(token.pk, rate)
    headers = {
        "RateLimit-Policy": f'"token";q={rate.requests};w={rate.seconds}',
        "RateLimit": f'"token";r={standing.remaining};t={standing.reset_seconds}',
    }
    if not standing.allowed:
        told = f"the token may ask {rate.requests} times in {rate.seconds} s; try again in {standing.reset_seconds} s"
        raise RateLimited(told, headers={**headers, "Retry-After": str(standing.reset_seconds)})
    return headers


def refuse(address: str, refusal: RequestError) -> RequestError:
    """Count a request without a usable token; returns what it is refused with: TooManyFailures after too many.

    A good token always opens, also from such an address: others may be behind it.
    """
    rate = rates.parse(settings.PURSER.failure_limit)
    if rate is None:
        return refusal
    passage = _failures.enter(_network(address), rate)
    if passage.ok:
        return refusal
    seconds = max(math.ceil(passage.seconds), 1)
    told = (
        f"more than {rate.requests} requests in {rate.seconds} s came without a usable token; try again in {seconds} s"
    )
    return TooManyFailures(told, headers={"Retry-After": str(seconds)})


def reset() -> None:
    """Forget who failed how often, and what was taken of the rates."""
    _failures.reset()
    allowances.forget()


def _network(address: str) -> str:
    """What one caller may choose addresses from: for IPv6 a network of 64 bits."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address

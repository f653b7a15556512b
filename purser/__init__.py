"""The client of Purser: `Client` for programs, `purser` for shells. It needs nothing of the service."""

from purser.client import Client
from purser.exceptions import ClientError, Misunderstood, Refused, Unreachable

__all__ = ("Client", "ClientError", "Misunderstood", "Refused", "Unreachable")

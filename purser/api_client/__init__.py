"""Generated from openapi.yaml by scripts/generate-client: not edited, but made anew."""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)

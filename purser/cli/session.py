"""Where the service is and who asks: taken from options and environment, checked before anything is sent."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import click

from purser.cli.screen import Screen
from purser.client import Client


@dataclass
class Session:
    """What the commands of one call share."""

    url: str
    token_file: Path | None
    retry_seconds: float
    quiet: bool = False

    @cached_property
    def screen(self) -> Screen:
        return Screen(quiet=self.quiet)

    @cached_property
    def client(self) -> Client:
        """Raises UsageError for an address or a token that cannot be used."""
        if not _is_address(self.url):
            raise click.UsageError(f"PURSER_URL must be an http or https address; got {self.url!r}")
        return Client(self.url, self._token(), retry_seconds=self.retry_seconds, say=self.screen.say)

    def _token(self) -> str:
        token = self._read(self.token_file) if self.token_file else os.environ.get("PURSER_TOKEN", "").strip()
        if not token:
            raise click.UsageError("a token is needed: set PURSER_TOKEN, or PURSER_TOKEN_FILE to a file that holds it")
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise click.UsageError("the token holds a character that no token has")  # it is never shown
        return token

    def _read(self, path: Path) -> str:
        try:
            return path.read_text().strip()
        except (OSError, ValueError) as error:
            raise click.UsageError(f"the token file {path} cannot be read: {error}") from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not match, or a port that is no number
        return False


pass_session = click.make_pass_decorator(Session)

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from container_manager import tokens
from container_manager.exceptions import PurserError
from container_manager.management.acts import acting
from container_manager.models import Token
from container_manager.tokens import Scope, TokenState

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
_DEFAULT_SCOPES = [scope for scope in Scope if scope is not Scope.ADMIN]


class Command(BaseCommand):
    help = "Make, list, show, rotate and revoke bearer tokens. A new token is printed once and cannot be had again."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="Make a token and print it.")
        create.add_argument("--namespace", default="default", help="The tenant that it belongs to.")
        create.add_argument("--name", required=True, help="What it is for.")
        create.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            choices=[scope.value for scope in Scope],
            help="Repeatable. Default: all but admin.",
        )
        create.add_argument(
            "--executor", action="append", dest="executors", default=[], help="Repeatable. Default: every executor."
        )
        create.add_argument("--expires", type=_expiry, help="After 30m, 12h, 7d or 4w, or at an ISO 8601 time.")
        create.add_argument(
            "--rate-limit", default="", help="Requests in seconds, such as 600/60, or none. Default: PURSER_RATE_LIMIT."
        )
        listing = verbs.add_parser("list", help="Show what tokens there are.")
        listing.add_argument("--namespace", help="Only those of this tenant.")
        show = verbs.add_parser("show", help="Show all of one token but its secret.")
        rotate = verbs.add_parser("rotate", help="Give a token a new secret and print it. All else of it stays.")
        rotate.add_argument(
            "--overlap", type=_span, default=timedelta(), help="How long the secret before opens too: 30m, 12h or 7d."
        )
        revoke = verbs.add_parser("revoke", help="End a token's use at once.")
        for verb in (show, rotate, revoke):
            verb.add_argument("id", help="As `token list` shows it.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(**options)
        except PurserError as error:
            raise CommandError(str(error)) from None

    def _create(self, **options: Any) -> None:
        with acting("createToken"):
            _, plaintext = tokens.create(
                namespace=options["namespace"],
                name=options["name"],
                scopes=options["scopes"] or _DEFAULT_SCOPES,
                executors=options["executors"],
                expires_at=options["expires"],
                rate_limit=options["rate_limit"],
            )
        self.stdout.write(plaintext)

    def _list(self, **options: Any) -> None:
        rows = Token.objects.order_by("created_at")
        for token in rows.filter(namespace=options["namespace"]) if options["namespace"] else rows:
            self.stdout.write(_line(token))

    def _show(self, **options: Any) -> None:
        token = tokens.get(options["id"])
        self.stdout.write(_line(token))
        self.stdout.write(f"rate {tokens.rate_of(token) or 'none'}  created {_day(token.created_at)}")
        if token.rotated_at:
            self.stdout.write(f"rotated {_day(token.rotated_at)}")
        if overlap := tokens.overlap_of(token):
            self.stdout.write(f"the secret before opens until {_day(overlap)}")

    def _rotate(self, **options: Any) -> None:
        with acting("rotateToken", "token", options["id"]):
            _, plaintext = tokens.rotate(options["id"], overlap_seconds=options["overlap"].total_seconds())
        self.stdout.write(plaintext)

    def _revoke(self, **options: Any) -> None:
        with acting("revokeToken", "token", options["id"]):
            tokens.revoke(options["id"])


def _line(token: Token) -> str:
    state: str = tokens.state_of(token)
    if state == TokenState.VALID and token.expires_at:
        state = f"expires {_day(token.expires_at)}"
    used = f"used {_day(token.last_used_at)}" if token.last_used_at else "unused"
    executors = ",".join(token.executors) or "all executors"
    return "  ".join([token.id, token.namespace, token.name, ",".join(token.scopes), executors, state, used])


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ")


def _expiry(text: str) -> datetime:
    return timezone.now() + _span(text) if _SPAN.fullmatch(text) else _moment(text)


def past(text: str) -> datetime:
    """A span before now, or a time."""
    return timezone.now() - _span(text) if _SPAN.fullmatch(text) else _moment(text)


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ArgumentTypeError(f"{text!r} is not a span such as 30m, 12h, 7d or 4w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither a span such as 7d nor an ISO 8601 time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

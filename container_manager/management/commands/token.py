import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from container_manager import tokens
from container_manager.exceptions import PurserError
from container_manager.models import Token
from container_manager.tokens import Scope

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DEFAULT_SCOPES = [scope for scope in Scope if scope is not Scope.ADMIN]


class Command(BaseCommand):
    help = "Make, list and revoke bearer tokens. A new token is printed once and cannot be had again."
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
        verbs.add_parser("list", help="Show what tokens there are.")
        revoke = verbs.add_parser("revoke", help="End a token's use at once.")
        revoke.add_argument("id", help="As `token list` shows it.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(**options)
        except PurserError as error:
            raise CommandError(str(error)) from None

    def _create(self, **options: Any) -> None:
        _, plaintext = tokens.create(
            namespace=options["namespace"],
            name=options["name"],
            scopes=options["scopes"] or _DEFAULT_SCOPES,
            executors=options["executors"],
            expires_at=options["expires"],
        )
        self.stdout.write(plaintext)

    def _list(self, **options: Any) -> None:
        for token in Token.objects.order_by("created_at"):
            self.stdout.write(_line(token))

    def _revoke(self, **options: Any) -> None:
        tokens.revoke(options["id"])


def _line(token: Token) -> str:
    state = "revoked" if token.revoked_at else f"expires {_day(token.expires_at)}" if token.expires_at else "valid"
    used = f"used {_day(token.last_used_at)}" if token.last_used_at else "unused"
    executors = ",".join(token.executors) or "all executors"
    return "  ".join([token.id, token.namespace, token.name, ",".join(token.scopes), executors, state, used])


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ")


def _expiry(text: str) -> datetime:
    if match := re.fullmatch(r"(\d{1,6})([mhdw])", text):
        return timezone.now() + timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither a span such as 7d nor an ISO 8601 time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

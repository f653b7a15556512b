import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from container_manager import audit
from container_manager.audit import AuditFilter, AuditOutcome
from container_manager.management.commands.token import past
from container_manager.models import AuditEntry

_PAGE = 500


class Command(BaseCommand):
    help = "Show who did what, in all namespaces, newest first."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--namespace", action="append", dest="namespaces", help="Repeatable. Default: all.")
        parser.add_argument("--operation", help="Only this operation, such as launchJob.")
        parser.add_argument("--token", help="Only acts of the token with this id.")
        parser.add_argument("--outcome", choices=[outcome.value for outcome in AuditOutcome])
        parser.add_argument("--since", type=past, help="Only the last 30m, 12h, 7d or 4w, or from an ISO 8601 time on.")
        parser.add_argument("--limit", type=int, default=100, help="How many entries at most. Default: 100.")
        parser.add_argument("--json", action="store_true", help="A JSON object a line.")

    def handle(self, *args: Any, namespaces: list[str] | None, limit: int, json: bool, **options: Any) -> None:
        filters = AuditFilter(
            namespaces=tuple(namespaces) if namespaces else None,
            operation=options["operation"], token=options["token"], outcome=options["outcome"], since=options["since"],
        )  # fmt: skip
        cursor = None
        while limit > 0:
            page = audit.page(filters, limit=min(limit, _PAGE), cursor=cursor)
            for entry in page.entries:
                self.stdout.write(_as_json(entry) if json else _line(entry))
            limit, cursor = limit - len(page.entries), page.next_cursor
            if cursor is None:
                return


def _line(entry: AuditEntry) -> str:
    who = entry.token or (f"user {entry.user}" if entry.user else "nobody")
    what = f"{entry.subject_type} {entry.subject}".strip() or "-"
    outcome = " ".join(str(part) for part in (entry.outcome, entry.status, entry.code) if part)
    missed = f"  and {entry.missed} before" if entry.missed else ""
    at = entry.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"{at}  {entry.namespace or '-'}  {who}  {entry.operation}  {what}  {outcome}  {entry.address or '-'}{missed}"
    )


def _as_json(entry: AuditEntry) -> str:
    return json.dumps(
        {field.name: getattr(entry, field.name) for field in entry._meta.concrete_fields},
        default=lambda at: at.isoformat(),
    )

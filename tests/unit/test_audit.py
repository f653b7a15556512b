"""The audit log keeps what it has, but for what is older than its retention."""

import getpass
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from container_manager import audit
from container_manager.audit import Act, AuditFilter, AuditOutcome, Via
from container_manager.dispatcher.retention import delete_audit
from container_manager.models import AuditEntry, Token

pytestmark = pytest.mark.django_db


def write(**fields: Any) -> AuditEntry:
    return AuditEntry.objects.create(**{"operation": "launchJob", "outcome": "done", "via": "api", **fields})


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refuses(sql: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_the_database_refuses_to_change_or_remove_an_entry() -> None:
    write()

    refuses("UPDATE container_manager_auditentry SET outcome = 'refused'")
    refuses("DELETE FROM container_manager_auditentry")
    if connection.vendor == "postgresql":
        refuses("TRUNCATE container_manager_auditentry")
    else:
        refuses("REPLACE INTO container_manager_auditentry SELECT * FROM container_manager_auditentry")
    assert AuditEntry.objects.get().outcome == "done"


def test_what_is_past_its_retention_goes_and_nothing_else(settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"audit_retention_seconds": 3600})
    old = write(at=timezone.now() - timedelta(seconds=3601))
    kept = write(at=timezone.now() - timedelta(seconds=3500))

    assert delete_audit() == 1
    assert [entry.pk for entry in AuditEntry.objects.all()] == [kept.pk]
    assert delete_audit() == 0
    refuses(f"DELETE FROM container_manager_auditentry WHERE id = {kept.pk}")
    assert old.pk != kept.pk


def test_it_goes_in_batches(settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"audit_retention_seconds": 60})
    at = timezone.now() - timedelta(days=1)
    AuditEntry.objects.bulk_create(AuditEntry(operation="a", outcome="done", via="api", at=at) for _ in range(501))

    assert [delete_audit(), delete_audit(), delete_audit()] == [500, 1, 0]


def test_what_is_rolled_back_is_not_in_it() -> None:
    with audit.acting(Act("launchJob", Via.API)) as act:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            audit.note("job", "1")
            raise ZeroDivisionError
        audit.close(act, AuditOutcome.FAILED, 500)

    assert [entry.outcome for entry in AuditEntry.objects.all()] == ["failed"]


def test_where_nobody_acts_nothing_is_noted() -> None:
    audit.note("job", "1")

    assert AuditEntry.objects.count() == 0


def test_commands_are_in_it_with_the_hosts_user() -> None:
    run("token", "create", "--name", "ci", "--namespace", "team-a")
    token = Token.objects.get()
    run("token", "rotate", token.pk)
    run("token", "revoke", token.pk)
    run("namespace", "set", "team-a", "--max-jobs", "2")
    with pytest.raises(CommandError):
        run("token", "revoke", "nope")

    written = AuditEntry.objects.order_by("pk").values_list("operation", "subject", "namespace", "outcome", "code")
    assert list(written) == [
        ("createToken", token.pk, "team-a", "done", ""),
        ("rotateToken", token.pk, "team-a", "done", ""),
        ("revokeToken", token.pk, "team-a", "done", ""),
        ("setNamespace", "team-a", "team-a", "done", ""),
        ("revokeToken", "nope", "", "refused", "unknown_token"),
    ]
    assert {(entry.via, entry.user) for entry in AuditEntry.objects.all()} == {("command", getpass.getuser())}


def test_the_command_shows_it_newest_first() -> None:
    write(namespace="a", token="0123456789ab", subject_type="job", subject="j1", status=202, address="192.0.2.7")
    write(operation="getJob", outcome="refused", status=404, code="unknown_job", missed=3)

    first, second = run("audit").splitlines()
    assert first.endswith("  -  nobody  getJob  -  refused 404 unknown_job  -  and 3 before")
    assert second.endswith("  a  0123456789ab  launchJob  job j1  done 202  192.0.2.7")
    assert run("audit", "--namespace", "a").count("\n") == 1
    assert run("audit", "--outcome", "refused", "--since", "1h").count("\n") == 1
    assert run("audit", "--limit", "1").splitlines() == [first]
    assert '"code": "unknown_job"' in run("audit", "--json")


def test_the_page_after_the_last_is_none() -> None:
    write()

    assert audit.page(AuditFilter(), limit=1).next_cursor is None

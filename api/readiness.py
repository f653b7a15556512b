"""Whether requests are of use: the database, its migrations, and somebody who dispatches."""

import functools
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from container_manager.models import DispatcherLease


def document() -> dict[str, Any]:
    """The checks by name, each with what is missing."""
    try:
        connection.ensure_connection()
        checks = {"database": "", "migrations": _migrations(), "dispatcher": _dispatcher()}
    except DatabaseError as error:
        away = "the database does not answer"
        checks = {"database": f"{away} ({type(error).__name__})", "migrations": away, "dispatcher": away}
    ready = not any(checks.values())
    return {
        "ready": ready,
        "checks": {name: {"ready": not missing, "detail": missing} for name, missing in checks.items()},
    }


def _migrations() -> str:
    pending = () if _applied.cache_info().currsize else _pending()
    if pending:
        return f"not applied: {', '.join(pending)}"
    _applied()
    return ""


@functools.cache
def _applied() -> bool:
    """Remembers that there was nothing left to apply: that stays so while the process lives."""
    return True


def _pending() -> tuple[str, ...]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def _dispatcher() -> str:
    alive = DispatcherLease.objects.filter(lease_expires_at__gt=timezone.now()).exists()
    return "" if alive else "no dispatcher holds a lease; jobs are accepted but not launched"

"""GET /livez and /readyz."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from api import readiness
from container_manager.models import DispatcherLease


@pytest.fixture
def lease(db: None) -> DispatcherLease:
    expiry = timezone.now() + timedelta(seconds=10)
    return DispatcherLease.objects.create(host="here", process="1", lease_expires_at=expiry)


def test_a_process_that_answers_lives_and_asks_nothing_of_the_database() -> None:
    answer = Client().get("/livez")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_ready_when_the_database_is_and_somebody_dispatches(lease: DispatcherLease) -> None:
    answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_it_is_not_ready_without_a_dispatcher_and_says_so(db: None) -> None:
    answer = Client().get("/readyz")

    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert {name for name, check in checks.items() if not check["ready"]} == {"dispatcher"}
    assert "lease" in checks["dispatcher"]["detail"]


def test_it_is_not_ready_when_the_last_lease_is_over(lease: DispatcherLease) -> None:
    DispatcherLease.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    assert Client().get("/readyz").status_code == 503


def test_it_is_not_ready_without_its_migrations_and_names_them(
    lease: DispatcherLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    readiness._applied.cache_clear()
    monkeypatch.setattr("django.db.migrations.loader.MigrationRecorder.applied_migrations", lambda self: {})
    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert "container_manager.0001_initial" in answer.json()["checks"]["migrations"]["detail"]


def test_it_is_not_ready_without_its_database(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("no route to host")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "ensure_connection", away)
        answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["checks"]["database"]["ready"]) == (503, False)

"""What every test may ask for. Real services are taken from the environment or started, never skipped."""

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from psycopg import sql

from tests import services

hypothesis.settings.register_profile("purser", database=None, deadline=None)
hypothesis.settings.load_profile("purser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The soak is for `make soak`; where another database is asked for, only tests that use one in this process run."""
    others = {item for item in items if _is_for_another_run(item)}
    config.hook.pytest_deselected(items=[item for item in items if item in others])
    items[:] = [item for item in items if item not in others]


def _is_for_another_run(item: pytest.Item) -> bool:
    if item.get_closest_marker("soak") and "PURSER_SOAK_JOBS" not in os.environ:
        return True
    return "PURSER_TEST_DATABASE_URL" in os.environ and not _uses_the_database(item)


def _uses_the_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or not {"db", "transactional_db"}.isdisjoint(fixtures)


@pytest.fixture(autouse=True, scope="session")
def _the_audit_log_is_emptied_between_tests() -> Iterator[None]:
    """A test that commits is cleaned up after by deletion, which the database refuses of the audit log otherwise."""
    from django.test import TransactionTestCase

    from container_manager import audit

    def clean_up(case: TransactionTestCase) -> None:
        audit.allow_deletion_before(datetime(9999, 1, 1, tzinfo=UTC))
        original(case)
        audit.allow_deletion_before(datetime(1, 1, 2, tzinfo=UTC))

    original = vars(TransactionTestCase)["_fixture_teardown"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", clean_up)
        yield


@pytest.fixture(scope="session")
def docker_url() -> Iterator[str]:
    """A Docker engine that has the image `busybox:local`."""
    with services.docker_engine() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server, by the URL of a database whose user may make others."""
    if url := os.environ.get("PURSER_TEST_POSTGRES_URL"):
        yield url
        return
    with services.postgres() as url:
        yield url


@pytest.fixture
def postgres_database_url(postgres_url: str) -> Iterator[str]:
    """An empty database on PostgreSQL, gone afterwards."""
    name = f"purser_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database for a service that is started by the test: each such test runs on both kinds."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_database_url"))
    return f"sqlite:///{tmp_path_factory.mktemp('database')}/purser.sqlite3"

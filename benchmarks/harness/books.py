"""Fills the books with many jobs by SQL: copies of one that is there, each at a time of its own."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg

_TABLES = {"container_manager_job": "id", "container_manager_attempt": "job_id", "container_manager_joblabel": "job_id"}
_ONE_IN_TEN_FAILED = "CASE WHEN n % 10 = 0 THEN '{0}' ELSE '{1}' END"
_ONE_IN_TEN_LABELLED = "CASE WHEN n % 10 = 5 THEN '{0}' ELSE '{1}' END"
_SHARED = {
    "state": _ONE_IN_TEN_FAILED.format("failed", "succeeded"),
    "reason": _ONE_IN_TEN_FAILED.format("exit_nonzero", "completed"),
    "value": _ONE_IN_TEN_LABELLED.format("a", "b"),
}
_TIMES = ("created_at", "updated_at", "queued_at")
_BEGIN_DAYS = 20  # a second apart, a million end before now


Books = sqlite3.Connection | psycopg.Connection[Any]
"""An open database of either kind."""


@contextmanager
def opened(database: str) -> Iterator[Books]:
    """The books at a URL of the service, to be read and written by SQL; each statement is committed."""
    if database.startswith("sqlite:///"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None, timeout=60)) as books:
            yield books
    else:
        with psycopg.connect(database, autocommit=True) as books:
            yield books


def number(books: Books, query: str) -> int:
    """The one number that a query gives."""
    row = books.execute(query).fetchone()
    return int(row[0]) if row else 0


def copy_job(database: str, job: str, count: int) -> None:
    """Copy an ended job with its attempt and its label `team` so often; one in ten failed, one has `team:a`."""
    with opened(database) as books:
        sqlite = isinstance(books, sqlite3.Connection)
        words = _sqlite_words(count) if sqlite else _postgres_words(count)
        key = job.replace("-", "") if sqlite else job
        for table, column in _TABLES.items():
            books.execute(_copies(books, table, column, key, words))
        books.execute("ANALYZE" if sqlite else "VACUUM ANALYZE")


def _copies(books: Books, table: str, key: str, job: str, words: Mapping[str, str]) -> str:
    names = [column[0] for column in books.execute(f"SELECT * FROM {table} LIMIT 0").description or ()]
    kept = [name for name in names if name != "id" or key == "id"]
    values = {name: f't."{name}"' for name in names} | _SHARED | {key: words["id"]} | dict.fromkeys(_TIMES, words["at"])
    columns = ", ".join(f'"{name}"' for name in kept)
    chosen = ", ".join(values[name] for name in kept)
    return f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {table} t, {words['series']} WHERE t.{key} = '{job}'"


def _sqlite_words(count: int) -> dict[str, str]:
    series = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s"
    return {
        "id": "printf('%032x', n)",
        "at": f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '-{_BEGIN_DAYS} days', n || ' seconds')",
        "series": f"({series})",
    }


def _postgres_words(count: int) -> dict[str, str]:
    return {
        "id": "lpad(to_hex(n), 32, '0')::uuid",
        "at": f"now() - interval '{_BEGIN_DAYS} days' + n * interval '1 second'",
        "series": f"generate_series(1, {count}) AS n",
    }

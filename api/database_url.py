"""Reading `PURSER_DATABASE_URL` into Django's form."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

DATABASE_URL_FORM = "sqlite:///path/to/file or postgres://user:password@host:port/database"
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA busy_timeout=5000;PRAGMA foreign_keys=ON;"
    ),
}


# Who stops in the middle of a transaction keeps its locks from everybody else for no longer than a lease.
_POSTGRES_OPTIONS = {"connect_timeout": 5, "options": "-c idle_in_transaction_session_timeout=10s"}


def django_settings(url: str) -> dict[str, Any]:
    """Read a database URL into Django's form. Raises ValueError."""
    kept = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    if url.startswith("sqlite:///") and (path := url.removeprefix("sqlite:///")) not in ("", ":memory:"):
        name = Path(path).absolute()
        return {"ENGINE": "container_manager.sqlite", "NAME": name, "OPTIONS": dict(_SQLITE_OPTIONS), **kept}
    if url.startswith(("postgres://", "postgresql://")):
        return {"ENGINE": "django.db.backends.postgresql", **_postgres(url), **kept}
    raise ValueError(f"must be {DATABASE_URL_FORM}")


def _postgres(url: str) -> dict[str, Any]:
    try:
        options = dict(conninfo_to_dict(url))
    except ProgrammingError:  # whose text would show the password
        raise ValueError(f"must be {DATABASE_URL_FORM}") from None
    if not options.get("dbname"):
        raise ValueError("must end with the name of the database")
    keys = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    named = {key: options.pop(part, "") for key, part in keys.items()}
    return {**named, "OPTIONS": {**_POSTGRES_OPTIONS, **options}}


def without_password(url: str) -> str:
    """The URL as it may be shown: put together from its parts, of which none is a secret."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return url
    account, at, host = parts.netloc.rpartition("@")
    user, colon, _ = account.partition(":")
    shown = f"{user}:***" if colon else user
    options = [(name, "***" if _is_secret(name) else value) for name, value in parse_qsl(parts.query)]
    query = urlencode(options, safe="*/:,", quote_via=quote)
    return urlunsplit((parts.scheme, f"{shown}{at}{host}", parts.path, query, ""))


def _is_secret(option: str) -> bool:
    return any(word in option.lower() for word in ("pass", "secret", "token"))

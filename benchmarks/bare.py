"""The least that answers a read of one row: Starlette, sqlite3 and orjson, as an ASGI application.

Its books are one table with a column for each field of a job. A field that is no text and no number is kept as JSON, in
a column whose name ends with `__json`.
"""

import os
import sqlite3

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BOOKS = "PURSER_BENCH_BOOKS"
_JSON = "__json"


def make_books(path: str, job: dict[str, object]) -> None:
    """Make the file with one job in it."""
    row = dict(_column(name, value) for name, value in job.items())
    books = sqlite3.connect(path)
    with books:
        books.execute(f"CREATE TABLE jobs ({', '.join(row)}, PRIMARY KEY (id))")
        books.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * len(row))})", list(row.values()))
    books.close()


def application() -> Starlette:
    """Serves the books that the environment names."""
    books = sqlite3.connect(os.environ[BOOKS])
    columns = [column[0] for column in books.execute("SELECT * FROM jobs LIMIT 0").description]

    async def job(request: Request) -> Response:
        row = books.execute("SELECT * FROM jobs WHERE id = ?", (request.path_params["job"],)).fetchone()
        fields = dict(_field(name, value) for name, value in zip(columns, row, strict=True))
        return Response(orjson.dumps(fields), media_type="application/json")

    return Starlette(routes=[Route("/api/v1/jobs/{job}", job)])


def _column(name: str, value: object) -> tuple[str, object]:
    return (name, value) if type(value) in {str, int, float} else (name + _JSON, orjson.dumps(value).decode())


def _field(name: str, value: object) -> tuple[str, object]:
    return (name.removesuffix(_JSON), orjson.Fragment(str(value))) if name.endswith(_JSON) else (name, value)

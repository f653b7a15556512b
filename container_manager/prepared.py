"""Queries that Django writes once: from call to call only their values differ.

Writing a query of thirty columns costs Django ten times what it costs a database to answer it by key.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, Field, QuerySet

Row = list[Any]


class Slot(Expression):
    """Where a query takes a value of its call."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]

    def value(self, given: Any, connection: Any) -> Any:
        """A value as the database takes it."""
        return self.output_field.get_db_prep_value(given, connection)


@dataclass(frozen=True, slots=True)
class _Written:
    sql: str
    constants: dict[str, Any]  # by name: to look for the places of nameless ones costs more than to answer
    slots: list[tuple[str, Slot]]
    converters: tuple[tuple[int, Any, Any], ...]  # of which column, from which expression, by what


class Prepared:
    """A query of `values_list` that is made with slots; it is written when it is first asked, for each database."""

    def __init__(self, rows: Callable[[], QuerySet[Any, Any]]) -> None:
        self._rows = rows
        self._written: dict[str, _Written] = {}

    def __call__(self, **values: Any) -> list[Row]:
        """All rows of the answer, for a value of each slot."""
        return self.converted(self.raw(**values))

    def raw(self, **values: Any) -> tuple[tuple[Any, ...], ...]:
        """The same as the database gives them."""
        connection = connections[DEFAULT_DB_ALIAS]
        written = self._written.get(connection.vendor) or self._write(connection)
        given = written.constants | {name: slot.value(values[slot.name], connection) for name, slot in written.slots}
        with connection.cursor() as cursor:
            cursor.execute(written.sql, given)
            return tuple(cursor.fetchall())

    def converted(self, rows: Iterable[tuple[Any, ...]]) -> list[Row]:
        """What `raw` gives, as Python has it."""
        connection = connections[DEFAULT_DB_ALIAS]
        found = [[*row] for row in rows]
        for row in found:
            for column, expression, convert in self._written[connection.vendor].converters:
                if row[column] is not None:
                    row[column] = convert(row[column], expression, connection)
        return found

    def _write(self, connection: Any) -> _Written:
        connection.ensure_connection()  # or Django opens one for its version alone
        compiler = self._rows().query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        named = [(f"p{number}", parameter) for number, parameter in enumerate(parameters)]
        columns = compiler.get_converters([column for column, _, _ in compiler.select])
        written = self._written[connection.vendor] = _Written(
            sql.replace("%%", "%%%%") % tuple(f"%({name})s" for name, _ in named),
            {name: each for name, each in named if not isinstance(each, Slot)},
            [(name, each) for name, each in named if isinstance(each, Slot)],
            tuple((column, expression, each) for column, (several, expression) in columns.items() for each in several),
        )
        return written

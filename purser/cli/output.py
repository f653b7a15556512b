"""Tables for people and JSON for programs, on standard output."""

import json
from collections.abc import Sequence
from typing import Any

import click

FORMAT = click.option(
    "--output", "-o", "form", type=click.Choice(["text", "json"]), default="text", help="Text, or the service's JSON."
)


def print_json(document: Any) -> None:
    """As the service says it, on one line."""
    click.echo(json.dumps(document, ensure_ascii=False))


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as what is in them; what is not known is a dash."""
    cells = [list(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_fields(fields: Sequence[tuple[str, object]]) -> None:
    """A line a field; those that are not known are left out."""
    known = [(name, value) for name, value in fields if value is not None]
    width = max(len(name) for name, _ in known)
    for name, value in known:
        click.echo(f"{name.ljust(width)}  {_cell(value)}")


def _cell(value: object) -> str:
    return "-" if value is None else " ".join(str(value).split()) or "-"

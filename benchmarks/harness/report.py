"""Writes what was found: Markdown with a table a section, and the plots beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness.findings import Findings, Goal, Line, Table, number

_HEAD = ("what", "goal", "Purser", "baseline", "ratio", "reached")
_INTRODUCTION = """# Benchmarks

Written by `make bench`, which measures every figure here beside its baseline in the same run, in turns. Only ratios
carry over to another machine.
"""


def write(folder: Path, machine: Mapping[str, str], found: Sequence[Findings]) -> Path:
    """Write `benchmarks.md` into the folder, and the plots into `benchmarks/` below it. Returns the page."""
    plots = folder / "benchmarks"
    plots.mkdir(parents=True, exist_ok=True)
    for left in plots.glob("*.svg"):
        left.unlink()
    for findings in found:
        for name, drawn in findings.plots.items():
            (plots / f"{name}.svg").write_text(drawn)
    page = folder / "benchmarks.md"
    page.write_text(markdown(machine, found))
    return page


def markdown(machine: Mapping[str, str], found: Sequence[Findings]) -> str:
    """The whole page."""
    told = Table(("machine", ""), [[name, value] for name, value in machine.items()])
    return "\n".join([_INTRODUCTION, _table(told), *map(section, found)])


def section(findings: Findings) -> str:
    """One section of the page."""
    parts = [f"## {findings.title}\n", _table(Table(_HEAD, [_row(line) for line in findings.lines]))]
    parts += [_table(table) for table in findings.tables]
    parts += [f"![{name}](benchmarks/{name}.svg)\n" for name in findings.plots]
    parts += [f"{note}\n" for note in findings.notes]
    parts.append("Run: " + "; ".join(findings.ran) + ".\n")
    return "\n".join(parts)


def _row(line: Line) -> list[str]:
    reached = {None: line.absent, True: "yes", False: "**no**"}[line.is_reached]
    goal = _goal(line.goal, line.unit) if line.goal else ""
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    return [line.what, goal, _value(line.figure, line.unit), _value(line.baseline, line.unit), ratio, reached]


def _goal(goal: Goal, unit: str) -> str:
    bound = f"{'≥' if goal.at_least else '≤'} {goal.limit:g}"
    return f"ratio {bound}" if goal.of == "ratio" else f"{bound} {unit}"


def _value(value: float | None, unit: str) -> str:
    return "" if value is None else f"{number(value)} {unit}"


def _table(table: Table) -> str:
    rows = [table.head, ["---"] * len(table.head), *table.rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"

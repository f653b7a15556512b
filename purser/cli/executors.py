"""`purser executors`: what is registered, and how it is."""

import click

from purser.cli.output import FORMAT, print_json, print_table
from purser.cli.session import Session, pass_session
from purser.client import Executor


@click.command()
@FORMAT
@pass_session
def executors(session: Session, form: str) -> None:
    """List the executors that the token may use."""
    found = session.client.executors()
    if form == "json":
        print_json([executor.to_dict() for executor in found])
    else:
        head = ("EXECUTOR", "HEALTHY", "JOBS", "MEMORY MIB", "CPU CORES", "DETAIL")
        print_table(head, [_row(executor) for executor in found])


def _row(executor: Executor) -> tuple[object, ...]:
    used = executor.utilization
    return (
        executor.name,
        "yes" if executor.health.healthy else "no",
        used.jobs_used,
        f"{used.memory_used_mib:.15g}/{_or_dash(used.memory_total_mib)}",
        f"{used.cpu_used_cores:.15g}/{_or_dash(used.cpu_total_cores)}",
        executor.health.detail,
    )


def _or_dash(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.15g}"

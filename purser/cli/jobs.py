"""`purser ls`, `status`, `logs`, `cancel`, `rm`: commands about jobs that there are."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import click

from purser.cli import outcome
from purser.cli.output import FORMAT, print_fields, print_json, print_table
from purser.cli.progress import sentence_of
from purser.cli.request import Pair, Pairs
from purser.cli.session import Session, pass_session
from purser.client import Client, Job, JobState
from purser.following import Message

JOB = click.argument("job", type=click.UUID)
JOBS = click.argument("jobs", type=click.UUID, nargs=-1, required=True)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[datetime]):
    """A time (RFC 3339), or how long ago: 30s, 10m, 2h, 7d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        text = str(value)
        try:
            if text[:-1].isdecimal() and text[-1] in _UNITS:
                return datetime.now(UTC) - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
            moment = datetime.fromisoformat(text)
        except (OverflowError, ValueError):
            return self.fail(
                f"must be a time such as 2026-11-22T17:02:11Z, or 30s, 10m, 2h, 7d ago; got {text!r}", param, ctx
            )
        return moment if moment.tzinfo else moment.astimezone()


@click.command()
@click.option("--executor", "-x", help="Only jobs of this executor.")
@click.option(
    "--state",
    "-s",
    "states",
    type=click.Choice([state.value for state in JobState]),
    multiple=True,
    help="Only in this state.",
)
@click.option("--label", "-l", "labels", type=Pair(), multiple=True, help="Only with this label; all must match.")
@click.option("--since", "created_after", type=Moment(), help="Only launched at this time or later; or 2h ago.")
@click.option("--until", "created_before", type=Moment(), help="Only launched before this time.")
@click.option("--quiet", "-q", is_flag=True, help="Only the ids, a line each.")
@click.option("--limit", "-n", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@FORMAT
@pass_session
def ls(session: Session, /, limit: int, quiet: bool, form: str, labels: Pairs, **filters: Any) -> None:
    """List jobs, newest first."""
    found = list(islice(session.client.jobs(labels=dict(labels), **filters), limit))
    if form == "json":
        print_json([job.to_dict() for job in found])
    elif quiet:
        click.echo("".join(f"{job.id}\n" for job in found), nl=False)
    else:
        print_table(("JOB", "EXECUTOR", "STATE", "REASON", "EXIT", "CREATED", "COMMAND"), [_row(job) for job in found])


@click.command()
@JOB
@click.option("--wait", is_flag=True, help="Until it has ended; then end as `purser run` would have.")
@FORMAT
@pass_session
@click.pass_context
def status(ctx: click.Context, session: Session, job: UUID, wait: bool, form: str) -> None:
    """Show how a job is doing, why it waits, or why it ended."""
    client = session.client
    found = client.wait(str(job)) if wait else client.job(str(job))
    print_json(found.to_dict()) if form == "json" else print_fields(_fields(found))
    if wait:
        ctx.exit(outcome.exit_code(found.reason and str(found.reason), found.exit_code))


@click.command()
@JOB
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written until the job has ended.")
@click.option("--stream", type=click.Choice(["stdout", "stderr", "both"]), default="both", help="Which stream.")
@click.option("--tail", "-n", type=click.IntRange(min=0), help="Begin with the last so many lines.")
@click.option("--since", type=Moment(), help="Only what was written at this time or later; or 10m ago.")
@click.option("--attempt", type=click.IntRange(min=1), help="Which attempt's. Default: the present one's.")
@FORMAT
@pass_session
def logs(session: Session, /, job: UUID, follow: bool, form: str, **options: Any) -> None:
    """Show what a job writes, its stdout on stdout and its stderr on stderr, byte for byte."""
    query = {name: _parameter(value) for name, value in options.items() if value is not None}
    is_by_line = form == "json" or not query.keys().isdisjoint(("tail", "since"))
    unit = {"unit": "line"} if is_by_line else {}
    show = _print_message if form == "json" else lambda message: _show_message(session, message)
    for message in session.client.logs(str(job), follow=follow, **query, **unit):
        show(message)


@click.command()
@JOBS
@click.option("--wait", is_flag=True, help="Until they have ended.")
@FORMAT
@pass_session
def cancel(session: Session, jobs: Iterable[UUID], wait: bool, form: str) -> None:
    """Ask for the end of jobs: SIGTERM, grace, SIGKILL."""
    asked = [_cancel(session.client, str(job), wait=wait) for job in jobs]
    if form == "json":
        print_json([job.to_dict() for job in asked])


@click.command()
@JOBS
@FORMAT
@pass_session
def rm(session: Session, jobs: Iterable[UUID], form: str) -> None:
    """Cancel jobs that have not ended, and remove all that is left of them on the engine; records and logs stay."""
    for job in jobs:
        session.client.cleanup(str(job))
    if form == "json":
        print_json([session.client.job(str(job)).to_dict() for job in jobs])


def _cancel(client: Client, job_id: str, *, wait: bool) -> Job:
    asked = client.cancel(job_id)
    return client.wait(job_id) if wait else asked


def _row(job: Job) -> tuple[object, ...]:
    return job.id, job.executor, job.state, job.reason, job.exit_code, f"{job.created_at:%Y-%m-%d %H:%M:%S}", _what(job)


def _what(job: Job) -> str:
    words = [job.request.image or "", *(job.request.entrypoint or []), *(job.request.command or [])]
    text = " ".join(word for word in words if word)
    return text if len(text) <= 60 else text[:59] + "…"


def _fields(job: Job) -> list[tuple[str, object]]:
    evidence = ", ".join(f"{name} {value}" for name, value in job.evidence.to_dict().items())
    return [
        ("job", job.id),
        ("executor", job.executor),
        ("state", job.state),
        ("waits", sentence_of(job, job.request.image or "") or None),
        ("reason", job.reason),
        ("evidence", evidence or None),
        ("exit code", job.exit_code),
        ("attempt", job.attempt),
        ("created", job.created_at),
        ("started", job.started_at),
        ("finished", job.finished_at),
        ("cleaned", job.cleaned_at),
        ("memory", f"{job.memory_mib} MiB"),
        ("cpu", f"{job.cpu_cores:g} cores"),
        ("labels", ", ".join(f"{name}={value}" for name, value in job.labels.to_dict().items()) or None),
        ("runs", _what(job)),
    ]


def _parameter(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _print_message(message: Message) -> None:
    document = message.document if message.event == "log" else {message.event: message.document}
    click.echo(json.dumps(document, ensure_ascii=False))


def _show_message(session: Session, message: Message) -> None:
    if message.event in ("log", "chunk"):
        session.screen.job_wrote(message.stream, message.data)
    for stream, count in message.document.get("dropped_bytes", {}).items():
        session.screen.insist(f"{count} bytes of {stream} were not kept: the log is full")

"""`purser run`: launch, follow, and end as the job ends."""

import re
from typing import Any

import click

from purser.cli import outcome
from purser.cli.output import FORMAT, print_json
from purser.cli.progress import told
from purser.cli.request import request_of, request_options
from purser.cli.session import Session, pass_session
from purser.cli.stopping import Stopper
from purser.client import Client, Job
from purser.exceptions import ClientError, Refused
from purser.following import Message


class _RunCommand(click.Command):
    """What stands behind `--` is the job's command, whatever it looks like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, behind = (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, [])
        ctx.meta["purser.command"] = behind
        return super().parse_args(ctx, own)


def _usable(ctx: click.Context, param: click.Parameter, key: str | None) -> str | None:
    if key is not None and not re.fullmatch("[!-~]{1,255}", key):
        raise click.BadParameter(f"must be 1 to 255 visible ASCII characters; got {key!r}", ctx, param)
    return key


@click.command(cls=_RunCommand, options_metavar="[OPTIONS]", epilog="Exit codes: the job's own; 124 it ran too "
    "long; 125 Purser or its engine; 127 no such command; 130 cancelled.")  # fmt: skip
@click.argument("image", required=False)
@click.option("--executor", "-x", envvar="PURSER_EXECUTOR", required=True, help="Where to run it, such as docker.")
@click.option(
    "--key",
    envvar="PURSER_KEY",
    callback=_usable,
    help="Idempotency-Key: a repeat shows the first job.",
)
@click.option("--detach", "-d", is_flag=True, help="Print the job's id and leave it running.")
@click.option("--quiet", "-q", is_flag=True, help="Nothing on standard error but the job's and errors.")
@FORMAT
@request_options
@pass_session
@click.pass_context
def run(
    ctx: click.Context, session: Session, /, image: str | None, executor: str, key: str | None, **options: Any
) -> None:
    """Run IMAGE -- COMMAND… (or just -- COMMAND…, where the executor runs no images), and end as it ends.

    Its output comes as it is written, byte for byte, stdout and stderr apart, also when the connection or the
    service is lost for a while. Ctrl-C, SIGTERM and SIGHUP cancel the job.
    """
    session.quiet, detach, form = options.pop("quiet"), options.pop("detach"), options.pop("form")
    request = request_of(image, ctx.meta["purser.command"], **options)
    client, screen = session.client, session.screen
    stopper = Stopper(client, screen)
    with stopper.watching():
        job = client.launch(executor, request, key=key)
        stopper.launched(str(job.id))
        if detach:
            print_json(job.to_dict()) if form == "json" else click.echo(str(job.id))
            return
        ended = _Follower(session, stopper, apart=form != "json").follow(job)
        if form == "json":
            print_json(client.job(str(job.id)).to_dict())
    ctx.exit(ended)


class _Follower:
    """Shows what a job writes until it ends."""

    def __init__(self, session: Session, stopper: Stopper, *, apart: bool) -> None:
        self._client: Client = session.client
        self._screen, self._stopper, self._apart = session.screen, stopper, apart
        self._is_heard = True

    def follow(self, job: Job) -> int:
        """The exit code for how it ended."""
        job_id, end = str(job.id), None
        try:
            with told(self._client, job, self._screen):
                for message in self._client.logs(job_id, cursor="start"):
                    self._show(message)
                    end = message.document if message.event == "end" else None
        except Refused as error:
            if error.code != "logs_gone":
                raise
            self._screen.insist(str(error))
        except ClientError as error:
            raise type(error)(f"{error}; job {job_id} goes on without us") from error
        self._screen.settle()
        return self._code(job_id, end)

    def _code(self, job_id: str, end: dict[str, Any] | None) -> int:
        if end is None or not outcome.is_told_by_code(end["reason"]):
            job = self._client.job(job_id)
            end = {"reason": job.reason and str(job.reason), "exit_code": job.exit_code}
            if not outcome.is_told_by_code(end["reason"]):
                self._screen.say(f"job {job_id} {job.state}: {_why(job)}")
        return outcome.exit_code(end["reason"], end["exit_code"])

    def _show(self, message: Message) -> None:
        if message.event == "chunk":
            self._write(message)
            return
        for stream, count in message.document.get("dropped_bytes", {}).items():
            self._screen.insist(f"{count} bytes of {stream} were not kept: the log is full")
        if message.event == "attempt" and message.document["attempt"] > 1:
            self._screen.say(f"attempt {message.document['attempt']} begins")

    def _write(self, message: Message) -> None:
        try:
            if self._is_heard:
                self._screen.job_wrote(message.stream, message.data, apart=self._apart)
        except BrokenPipeError:  # nobody listens any more, as for a program that writes into a closed pipe
            self._is_heard = False
            self._stopper.stop()


def _why(job: Job) -> str:
    evidence = ", ".join(f"{name} {value}" for name, value in job.evidence.to_dict().items())
    return f"{job.reason}" + (f" ({evidence})" if evidence else "")

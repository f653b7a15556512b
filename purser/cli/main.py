"""`purser`: run containers over REST from a shell or a pipeline."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from purser.cli import outcome
from purser.cli.executors import executors
from purser.cli.jobs import cancel, logs, ls, rm, status
from purser.cli.run import run
from purser.cli.session import Session
from purser.exceptions import ClientError


def _version() -> str:
    try:
        return version("purser")
    except PackageNotFoundError:
        return "of a checkout"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar="PURSER_URL", default="http://127.0.0.1:8080", show_default=True, show_envvar=True,
    help="Where the service is.")  # fmt: skip
@click.option("--token-file", envvar="PURSER_TOKEN_FILE", type=click.Path(path_type=Path), show_envvar=True,
    help="A file that holds the token; or set PURSER_TOKEN.")  # fmt: skip
@click.option("--retry-for", envvar="PURSER_RETRY_FOR", type=click.FloatRange(min=0), default=120, show_default=True,
    show_envvar=True, metavar="SECONDS", help="How long to try again what is not answered.")  # fmt: skip
@click.version_option(_version(), package_name="purser")
@click.pass_context
def cli(ctx: click.Context, url: str, token_file: Path | None, retry_for: float) -> None:
    """Run containers, and see what became of them."""
    ctx.obj = Session(url, token_file, retry_for)


for _command in (run, ls, status, logs, cancel, rm, executors):
    cli.add_command(_command)


def main() -> None:
    """Run the command line, and end with its exit code."""
    try:
        code = cli.main(prog_name="purser", standalone_mode=False)
    except click.UsageError as error:
        code = _usage(error)
    except click.ClickException as error:
        code = _fail(error.format_message(), outcome.PURSER)
    except click.Abort:
        code = outcome.CANCELLED
    except ClientError as error:
        code = _fail(str(error), outcome.PURSER)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that nothing is flushed into it at the end
        code = outcome.BROKEN_PIPE
    sys.exit(code)


def _usage(error: click.UsageError) -> int:
    """A wrong call of `run` is not to be taken for an exit code of the job's."""
    name = error.ctx.info_name if error.ctx else ""
    told = error.format_message()
    if error.ctx:
        told += f" ({error.ctx.command_path} --help)"
    return _fail(told, outcome.PURSER if name == "run" else outcome.USAGE)


def _fail(sentence: str, code: int) -> int:
    click.echo(f"purser: {sentence}", err=True)
    return code

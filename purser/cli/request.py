"""From the options of `purser run` to a launch request. What the service does not like about it, it says itself."""

import json
import os
from collections.abc import Callable, Sequence
from typing import IO, Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Pairs = Sequence[tuple[str, str]]


class Pair(click.ParamType[tuple[str, str]]):
    """NAME=VALUE. With `from_environment`, NAME alone takes its value from there, out of the process list's sight."""

    name = "name=value"

    def __init__(self, *, from_environment: bool = False) -> None:
        self._from_environment = from_environment

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if name and equals:
            return name, rest
        if name and self._from_environment:
            if name not in os.environ:
                self.fail(f"{name} is not set, so that it has no value to take", param, ctx)
            return name, os.environ[name]
        return self.fail(f"must be NAME=VALUE; got {value!r}", param, ctx)


_OPTIONS = (
    click.option("--memory-mib", type=int, help="Memory limit in MiB."),
    click.option("--cpu-cores", type=float, help="Cpu limit in cores."),
    click.option("--timeout", "timeout_seconds", type=float, metavar="SECONDS", help="Longest run time."),
    click.option(
        "--queue-timeout", "queue_timeout_seconds", type=float, metavar="SECONDS", help="Longest wait for its launch."
    ),
    click.option("--grace", "grace_seconds", type=float, metavar="SECONDS", help="Between SIGTERM and SIGKILL."),
    click.option("--max-retries", type=int, help="Launches again for a fault of the engine."),
    click.option("--priority", type=int, help="Higher is launched earlier."),
    click.option(
        "--env",
        "-e",
        type=Pair(from_environment=True),
        multiple=True,
        help="A variable; NAME alone hands it on.",
    ),
    click.option("--label", "-l", "labels", type=Pair(), multiple=True, help="A label to find the job by."),
    click.option("--user", "-u", metavar="USER[:GROUP]", help="By name or number."),
    click.option("--working-dir", "-w", metavar="PATH", help="The directory to start in."),
    click.option("--entrypoint", metavar="PROGRAM", help="Replaces the image's."),
    click.option("--network", metavar="NAME", help="One of the executor's networks."),
    click.option("--pull-policy", type=click.Choice(["missing", "always", "never"]), help="When the image is pulled."),
    click.option("--registry-auth", metavar="NAME", help="Credentials that the operator has put in the config."),
    click.option("--stdin", type=click.File("rb"), help="A text for the job's standard input; - is purser's own."),
    click.option(
        "--request", "base", type=click.File("rb"), help="A launch request as JSON; the other options go over it."
    ),
)


def request_options(command: F) -> F:
    """The options that make up a launch request."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def request_of(
    image: str | None,
    command: Sequence[str],
    *,
    base: IO[bytes] | None,
    stdin: IO[bytes] | None,
    env: Pairs,
    labels: Pairs,
    entrypoint: str | None,
    **fields: Any,
) -> dict[str, Any]:
    """The launch request: what was given, and nothing else. Raises UsageError."""
    request = _read_base(base) if base else {}
    given = {name: value for name, value in fields.items() if value is not None}
    given |= {"image": image} if image else {}
    given |= {"command": list(command)} if command else {}
    given |= {"entrypoint": [entrypoint]} if entrypoint else {}
    given |= {"stdin": _text(stdin)} if stdin else {}
    for name, pairs in (("env", env), ("labels", labels)):
        if pairs:
            given[name] = {**request.get(name, {}), **dict(pairs)}
    return request | given


def _read_base(file: IO[bytes]) -> dict[str, Any]:
    try:
        request = json.load(file)
    except ValueError as error:
        raise click.UsageError(f"--request {file.name} is not JSON: {error}") from None
    if not isinstance(request, dict) or not all(isinstance(request.get(name, {}), dict) for name in ("env", "labels")):
        raise click.UsageError(f"--request {file.name} must hold an object, as must env and labels in it")
    return request


def _text(file: IO[bytes]) -> str:
    try:
        return file.read().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"--stdin must be UTF-8: {error}") from None

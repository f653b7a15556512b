"""`purser`, as far as it needs no service: what it takes, what it makes of an end, and what it prints."""

import io
import os
import pty
import subprocess
import sys
import tty
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from container_manager.spec import JobRequest
from container_manager.states import Reason
from purser.cli import outcome
from purser.cli.jobs import Moment
from purser.cli.main import cli
from purser.cli.output import print_fields, print_table
from purser.cli.request import Pair, request_of
from purser.cli.run import run

NOTHING: dict[str, Any] = {"base": None, "stdin": None, "env": (), "labels": (), "entrypoint": None}
CODES = {
    "completed": (0, 0),
    "exit_nonzero": (3, 3),
    "signal": (143, 143),
    "oom": (137, 137),
    "timeout": (143, 124),
    "queue_timeout": (None, 125),
    "cancelled": (143, 130),
    "image_not_found": (None, 125),
    "image_auth": (None, 125),
    "image_pull_failed": (None, 125),
    "command_not_found": (None, 127),
    "policy_denied": (None, 125),
    "launch_refused": (None, 125),
    "launch_error": (None, 125),
    "engine_lost": (143, 125),
}


def test_every_reason_has_its_exit_code() -> None:
    assert {reason: outcome.exit_code(reason, given) for reason, (given, _) in CODES.items()} == {
        reason: code for reason, (_, code) in CODES.items()
    }
    assert set(Reason) <= set(CODES)


@pytest.mark.parametrize(
    ("reason", "given", "code"),
    [
        ("command_not_found", 126, 126),
        ("oom", None, 137),
        ("exit_nonzero", 256 + 7, 7),
        ("exit_nonzero", 256, 125),
        ("of_a_later_version", 9, 9),
        ("of_a_later_version", None, 125),
        (None, None, 125),
    ],
)
def test_what_cannot_be_a_success_is_none(reason: str | None, given: int | None, code: int) -> None:
    assert outcome.exit_code(reason, given) == code


def test_the_exit_codes_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text()

    assert [reason for reason in CODES if f"`{reason}`" not in page] == []


def test_only_what_was_given_is_asked_for() -> None:
    assert request_of(None, ["true"], **NOTHING, memory_mib=None, timeout_seconds=2.0) == {
        "command": ["true"], "timeout_seconds": 2.0,
    }  # fmt: skip


def test_options_go_over_the_request_of_a_file() -> None:
    base = io.BytesIO(b'{"image": "a", "env": {"A": "1", "B": "2"}, "mounts": []}')
    given = {**NOTHING, "base": base, "stdin": io.BytesIO(b"in"), "env": (("A", "3"),), "entrypoint": "sh"}

    assert request_of("b", [], **given) == {
        "image": "b", "env": {"A": "3", "B": "2"}, "mounts": [], "stdin": "in", "entrypoint": ["sh"],
    }  # fmt: skip


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"env": []}', b"\xff"])
def test_a_file_that_is_no_request_is_refused(content: bytes) -> None:
    file = io.BytesIO(content)
    file.name = "request.json"

    with pytest.raises(click.UsageError, match=r"--request request\.json"):
        request_of(None, [], **{**NOTHING, "base": file})


def test_every_option_of_run_is_a_field_of_the_request() -> None:
    others = {"image", "executor", "key", "detach", "quiet", "form", "base"}

    assert {str(param.name) for param in run.params} - others <= set(JobRequest.model_fields)


def test_a_variable_without_a_value_takes_the_one_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", "a=b")

    assert Pair(from_environment=True).convert("GIVEN", None, None) == ("GIVEN", "a=b")
    assert Pair().convert("A=", None, None) == ("A", "")


@pytest.mark.parametrize("text", ["", "=a", "NOT_SET_ANYWHERE"])
def test_a_pair_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Pair(from_environment=True).convert(text, None, None)


def test_a_moment_is_a_time_or_how_long_ago() -> None:
    assert Moment().convert("2026-01-02T03:04:05Z", None, None) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert Moment().convert("2026-01-02T03:04:05", None, None).tzinfo
    before = datetime.now(UTC)
    assert timedelta(0) <= Moment().convert("2h", None, None) - (before - timedelta(hours=2)) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "h", "2", "yesterday", "-1h", "99999999999d"])
def test_a_moment_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Moment().convert(text, None, None)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"PURSER_URL": "purser.example"}, "PURSER_URL must be an http or https address; got 'purser.example'"),
        ({"PURSER_URL": "http://host:port"}, "PURSER_URL must be an http or https address"),
        ({}, "a token is needed"),
        ({"PURSER_TOKEN": "two words"}, "the token holds a character that no token has"),
        ({"PURSER_TOKEN_FILE": "/no/such/file"}, "the token file /no/such/file cannot be read"),
    ],
)
def test_an_address_or_a_token_that_cannot_be_used_is_said_before_anything_is_sent(
    environment: dict[str, str], told: str
) -> None:
    nothing = dict.fromkeys(("PURSER_URL", "PURSER_TOKEN", "PURSER_TOKEN_FILE"))
    result = CliRunner().invoke(cli, ["ls"], env={**nothing, **environment})

    assert result.exit_code == 2
    assert told in result.output
    assert "two words" not in result.output


def test_shells_are_told_how_to_complete() -> None:
    result = CliRunner().invoke(cli, [], env={"_PURSER_COMPLETE": "bash_source"}, prog_name="purser")

    assert "COMP_WORDS" in result.output


SHOWN = """
from purser.cli.screen import Screen
screen = Screen()
screen.passing("waiting 2")
screen.passing("waiting 2")
screen.passing("waiting 1")
screen.say("attempt 2 begins")
screen.job_wrote("stderr", b"the job's own\\n")
screen.settle()
"""


def test_what_passes_is_one_line_on_a_terminal_and_gone_when_it_has_passed() -> None:
    terminal, theirs = pty.openpty()
    tty.setraw(theirs)
    subprocess.run([sys.executable, "-c", SHOWN], stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)

    clear = "\r\x1b[2K"
    assert shown == (
        f"{clear}purser: waiting 2{clear}purser: waiting 1{clear}purser: attempt 2 begins\nthe job's own\n"
    )


def test_what_passes_is_a_line_each_time_it_changes_elsewhere() -> None:
    shown = subprocess.run([sys.executable, "-c", SHOWN], capture_output=True, text=True, check=True)

    assert shown.stderr == ("purser: waiting 2\npurser: waiting 1\npurser: attempt 2 begins\nthe job's own\n")


def test_a_table_is_aligned_and_says_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("JOB", "EXIT"), [("a-long-id", 0), ("b", None), ("c", "")])
    print_fields([("state", "queued"), ("exit code", None)])

    assert capsys.readouterr().out == "JOB        EXIT\na-long-id  0\nb          -\nc          -\nstate  queued\n"

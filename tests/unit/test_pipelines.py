"""What the documentation shows of `purser` is what `purser` takes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from purser.cli.main import cli

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = sorted((DOCS / "examples").iterdir())
PAGES = [DOCS / "cli.md", DOCS.parent / "README.md"]


def scripts(node: Any) -> Iterator[str]:
    """Every shell script of a pipeline: what is under `run` and the `…script`s."""
    if isinstance(node, list):
        for each in node:
            yield from scripts(each)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "run" or str(name).endswith("script"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from scripts(value)


def calls(script: str) -> Iterator[list[str]]:
    """The arguments of each call of `purser` in a shell script."""
    lexer = shlex.shlex(script.replace("…", ""), posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    words = list(lexer)
    for begin in (number for number, word in enumerate(words) if word == "purser"):
        end = next((number for number in range(begin, len(words)) if words[number] in ("|", ";", "&&", ")")), None)
        yield words[begin + 1 : end]


def check(arguments: list[str]) -> str:
    """The name of the command, which takes these arguments. Raises UsageError."""
    name, rest = arguments[0], list(arguments[1:])
    rest = ["0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f" if word == "JOB" else word for word in rest]
    if rest == [] and name == "rm":  # its jobs come from xargs
        rest = ["0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"]
    command = cli.commands[name]
    command.make_context(name, rest)
    return name


@pytest.fixture(autouse=True)
def pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that the pipelines' own systems set."""
    for name in ("CI", "GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PURSER_EXECUTOR", "docker")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_a_pipeline_is_yaml_and_its_calls_are_taken(example: Path) -> None:
    found = [arguments for script in scripts(yaml.safe_load(example.read_text())) for arguments in calls(script)]

    assert [check(arguments) for arguments in found] == ["run", "ls", "rm"]


def test_a_pipeline_has_what_its_system_asks_for() -> None:
    github, gitlab = (yaml.safe_load(path.read_text()) for path in EXAMPLES)

    (job,) = github["jobs"].values()
    assert job["runs-on"]
    assert all(set(step) <= {"name", "run", "if"} for step in job["steps"])
    assert gitlab["tests"]["script"]
    assert github[True]  # what YAML makes of `on`


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_calls_in_a_page_are_taken(page: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line.partition("  #")[0] for block in blocks for line in block.splitlines() if line.startswith("purser ")]
    found = {check(arguments) for line in lines for arguments in calls(line)}

    assert found >= ({"run"} if page.name == "README.md" else set(cli.commands))


def test_a_call_that_is_not_taken_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        check(["ls", "--no-such-option"])

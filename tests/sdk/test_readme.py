"""The lines of the README that show a client do what they say."""

import re
from pathlib import Path

from tests.sdk.conftest import Live
from tests.sdk.workshop import ROOT, node, run, workshop

README = (ROOT / "README.md").read_text()
MODERN = ("--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler", "--lib", "es2022,dom")
SERVICE = "http://127.0.0.1:8080"


def lines(language: str) -> str:
    """The only block in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_lines_in_python_launch_a_job_and_print_its_end(live: Live, tmp_path: Path) -> None:
    (tmp_path / ".purser").mkdir()
    (tmp_path / ".purser" / "token").write_text(live.token)
    program = lines("python").replace(SERVICE, live.address).replace('"process"', '"mock"')

    said = run(workshop("python"), "-W", "ignore", "-c", program, cwd=tmp_path, PYTHONPATH=str(ROOT))

    assert said == "succeeded 0 []\n"


def test_the_lines_in_typescript_are_right_by_their_types(typescript_client: Path) -> None:
    (typescript_client / "purser").symlink_to(typescript_client / "client")
    program = typescript_client / "readme.ts"
    program.write_text(f"declare const token: string;\n{lines('ts')}\nexport {{}};\n")

    node("tsc", "--strict", "--noEmit", *MODERN, program)

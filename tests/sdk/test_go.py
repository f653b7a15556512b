"""The Go client that openapi-generator writes: compiled, and run on a live service."""

from pathlib import Path

import pytest

from tests.sdk.conftest import Live
from tests.sdk.workshop import ROOT, run, workshop

pytestmark = pytest.mark.timeout(600)  # Go compiles its own library first
CACHE = ROOT / ".venv" / "go-cache"
SETTINGS = {
    "HOME": str(CACHE),
    "GOCACHE": str(CACHE),
    "GOPATH": str(CACHE / "path"),
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "GOFLAGS": "-mod=mod",
    "CGO_ENABLED": "0",
}


def test_it_compiles_launches_a_job_and_reads_a_problem(go_client: Path, live: Live) -> None:
    program = go_client / "exercise" / "main.go"
    program.parent.mkdir()
    program.write_text((ROOT / "tests/sdk/programs/exercise.go").read_text())

    run(workshop("go"), "build", "-o", go_client / "run", "./exercise", cwd=go_client, **SETTINGS)

    assert run(go_client / "run", live.address, live.token).splitlines() == ["failed exit_nonzero 3", "404 unknown_job"]

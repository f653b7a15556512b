"""openapi.yaml as two linters see it: no error and no warning."""

import json
from pathlib import Path

import pytest

from tests.sdk.workshop import OPENAPI, ROOT, node

RULES = ROOT / "tests" / "node"


def test_redocly_finds_nothing() -> None:
    found = node("redocly", "lint", OPENAPI, "--config", RULES / "redocly.yaml", "--format", "json")

    totals = json.loads(found[found.index("{") : found.rindex("}") + 1])["totals"]
    assert totals == {"errors": 0, "warnings": 0, "ignored": 0}


def test_spectral_finds_nothing() -> None:
    found = node("spectral", "lint", "--ruleset", RULES / "spectral.yaml", "--fail-severity", "hint", OPENAPI)

    assert "No results" in found


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    worse = tmp_path / "openapi.yaml"
    worse.write_text(OPENAPI.read_text().replace("operationId: listJobs\n", "operationId: getJob\n"))

    for linter in (
        ("redocly", "lint", worse, "--config", RULES / "redocly.yaml"),
        ("spectral", "lint", "--ruleset", RULES / "spectral.yaml", worse),
    ):
        with pytest.raises(AssertionError, match="operation"):
            node(*linter)

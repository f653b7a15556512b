"""A little of what `make fuzz` asks a live service; every phase and every check."""

from pathlib import Path

import pytest

from tests.fuzz.run import fuzz, table

pytestmark = pytest.mark.timeout(900)  # many requests on a busy machine


def test_no_answer_is_other_than_the_contract_says(tmp_path: Path) -> None:
    clean, runs = fuzz(3, tmp_path, "--phases", "examples,fuzzing,stateful")

    assert clean, table(runs)
    assert sum(run.counts["5xx"] for run in runs) == 0
    assert all(run.cases > 50 for run in runs), table(runs)

"""The mock executor keeps every promise."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from container_manager.executors.mock import MockExecutor
from tests.contract.executor_contract import ExecutorContract
from tests.contract.rig import STDERR, STDOUT, Rig

READY = [{"text": "ready\n"}]


class TestMock(ExecutorContract):
    @pytest.fixture
    def executor(self, tmp_path: Path) -> MockExecutor:
        return MockExecutor({"state_dir": str(tmp_path)})

    @pytest.fixture
    def scenario(self) -> dict[str, Any]:
        def plays(**scenario: Any) -> dict[str, Any]:
            return {"command": ["played"], "scenario": scenario}

        written = [
            {"stream": "stdout", "data_base64": base64.b64encode(STDOUT).decode()},
            {"stream": "stderr", "text": STDERR.decode()},
        ]
        return {
            "succeeds": plays(),
            "exits_3": plays(exit_code=3),
            "writes": plays(output=written),
            "sleeps": plays(run_seconds=60, output=READY),
            "ignores_sigterm": plays(run_seconds=60, output=READY, ignore_sigterm=True),
            "exceeds_memory": plays(oom=True),
            "not_startable": plays(refuse={"reason": "command_not_found"}),
            "shows_file": plays(run_seconds=60, output=READY),
            "shows_variable": plays(run_seconds=60, output=READY),
            "engine_away": {"engine_away": {"for_seconds": 3600}},
        }

    def assert_given(self, rig: Rig, execution_id: str, secret: dict[str, str]) -> None:
        """Nothing runs that could have it: where it would be is on record."""
        record = json.loads(Path(rig.executor.config["state_dir"], f"{execution_id}.json").read_text())
        assert record["secrets"] == ["/run/secrets/word" if secret["kind"] == "file" else "WORD"]

"""A Purser that is not root: no control groups, no other users, and the same promises."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from container_manager.identifiers import uuid7
from container_manager.spec import JobSpec

USER = 4242
WORK = """
import json, os, sys, time
from container_manager.executors.process import ProcessExecutor
from container_manager.spec import JobSpec
from container_manager.states import ENDED

os.setgroups([])
os.setgid({user})
os.setuid({user})
sys.executable = "/usr/bin/python3"  # ours may be where another user cannot reach it

executor = ProcessExecutor(json.loads(sys.argv[1]))
spec = JobSpec.model_validate_json(sys.argv[2])
answer = {{"fields": sorted(executor.capabilities.fields), "isolation": executor.capabilities.isolation}}
answer["health"] = list(map(str, (bool(executor.health_check()), executor.health_check().detail)))
answer["launch"] = list(executor.launch_job(spec))
while "ready" not in executor.get_logs(spec.execution_id).stdout:
    time.sleep(0.01)
if sys.argv[3] == "kill":
    pid = json.loads(open(executor.config["state_dir"] + "/" + spec.execution_id + "/begun").read())["pid"]
    os.kill(pid, 9)
else:
    executor.stop(spec.execution_id, 30)
while (status := executor.check_status(spec.execution_id)) not in (*ENDED, "not-found"):
    time.sleep(0.01)
answer["status"] = status
answer["logs"] = executor.get_logs(spec.execution_id).stdout.split()
answer["cleanup"] = executor.cleanup(spec.execution_id)
print(json.dumps(answer))
"""


class TestUnprivileged:
    @pytest.fixture(params=["bubblewrap", "none"])
    def config(self, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as path:
            os.chown(path, USER, USER)
            yield {"sandbox": request.param, "state_dir": f"{path}/state"}

    def work(self, config: dict[str, str], ending: str) -> tuple[JobSpec, dict[str, Any]]:
        script = "id -u; setsid sleep 300 & (setsid sleep 300 &); echo ready; exec sleep 300"
        spec = JobSpec.model_validate({
            "id": uuid7(), "attempt": 1, "namespace": "test", "memory_mib": 64, "cpu_cores": 0.5,
            "timeout_seconds": 60.0, "grace_seconds": 5.0, "command": ["sh", "-c", script],
        })  # fmt: skip
        argv = [sys.executable, "-c", WORK.format(user=USER), json.dumps(config)]
        argv += [spec.model_dump_json(exclude_unset=True), ending]
        done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return spec, json.loads(done.stdout)

    def test_jobs_run_as_its_own_user_without_limits_and_it_says_so(self, config: dict[str, str]) -> None:
        _, answer = self.work(config, "stop")
        assert answer["launch"][0] is True
        assert answer["logs"] == [str(USER), "ready"]
        assert answer["status"] == "failed"
        assert not {"user", "memory_mib", "cpu_cores", "pids_limit"} & set(answer["fields"])
        assert answer["isolation"] == config["sandbox"]
        assert answer["health"][0] == "True"
        assert "limits are not enforced" in answer["health"][1]

    @pytest.mark.parametrize("ending", ["stop", "kill"])
    def test_no_process_and_no_file_is_left(self, config: dict[str, str], ending: str) -> None:
        spec, answer = self.work(config, ending)
        assert answer["status"] == {"stop": "failed", "kill": "not-found"}[ending]
        assert answer["cleanup"] is True
        assert os.listdir(config["state_dir"]) == []
        assert [path for path in Path("/proc").glob("[0-9]*") if _is_of(path, spec.execution_id)] == []


def _is_of(process: Path, execution_id: str) -> bool:
    try:
        return execution_id.encode() in (process / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False

"""Secrets of process jobs: in a sandbox as files and variables, plain as variables."""

from pathlib import Path
from typing import Any

import pytest

from container_manager.executors.process import ProcessExecutor
from container_manager.executors.process_host.directory import MARK
from container_manager.spec import JobRequest
from tests.contract.rig import Rig
from tests.unit.process_base import PLAIN, OnThisHost, directory, outcome, shell

VALUE = "hunter2\nsecond line é"
FILE = {"name": "word", "value": VALUE}


def refusals(executor: ProcessExecutor, **secret: Any) -> list[tuple[str, str]]:
    request = JobRequest.model_validate({"command": ["x"], "secrets": [{**FILE, **secret}]})
    return [(error.field, error.code) for error in executor.refusals(request)]


class TestInBubblewrap(OnThisHost):
    def test_only_its_user_reads_its_file(self, rig: Rig) -> None:
        stdout = outcome(rig, shell(rig, "cat /run/secrets/word; stat -c ' %a %u' /run/secrets/word", secrets=[FILE]))[
            1
        ]
        assert stdout == f"{VALUE} 400 65534\n"

    def test_beside_the_secrets_there_is_nothing_and_nothing_can_be_written(self, rig: Rig) -> None:
        script = "ls -A /run /run/secrets; touch /run/x 2>/dev/null || touch /run/secrets/x 2>/dev/null || echo refused"
        stdout = outcome(rig, shell(rig, script, secrets=[FILE]))[1]
        assert stdout.split() == ["/run:", "secrets", "/run/secrets:", "word", "refused"]

    def test_a_file_may_be_in_its_private_tmp(self, rig: Rig) -> None:
        secret = {**FILE, "target": "/tmp/keys/word"}
        assert outcome(rig, shell(rig, "cat /tmp/keys/word", secrets=[secret]))[1] == VALUE
        assert not Path("/tmp/keys/word").exists()

    @pytest.mark.parametrize("target", ["/etc/word", "/run/word", "/run/secrets", "/tmp"])
    def test_a_file_elsewhere_is_refused(self, executor: ProcessExecutor, target: str) -> None:
        assert refusals(executor, target=target) == [("secrets.0.target", "not_allowed")]

    def test_many_and_large_ones_arrive(self, rig: Rig) -> None:
        secrets = [{"name": f"n{index}", "value": f"{index}" * 30_000} for index in range(8)]
        stdout = outcome(rig, shell(rig, "cat /run/secrets/n* | wc -c", secrets=secrets))[1]
        assert int(stdout) == 240_000

    def test_nothing_of_it_is_in_the_files_or_arguments_of_the_execution(self, rig: Rig) -> None:
        variable = {"name": "TOKEN", "kind": "env", "value": "hunter2-variable"}
        execution_id = shell(rig, "echo ready; sleep 60", secrets=[FILE, variable])
        rig.ready(execution_id)
        for path in directory(rig, execution_id).path.iterdir():
            assert b"hunter2" not in path.read_bytes(), path
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert b"hunter2-variable" not in path.read_bytes(), path
            except OSError:
                continue  # it has ended


class TestPlain(OnThisHost):
    options = PLAIN

    def test_variables_are_given(self, rig: Rig) -> None:
        variable = {"name": "word", "kind": "env", "target": "WORD", "value": VALUE}
        assert outcome(rig, shell(rig, 'printf %s "$WORD"', secrets=[variable]))[1] == VALUE

    def test_files_are_refused(self, executor: ProcessExecutor) -> None:
        assert executor.capabilities.secrets == ("env",)
        assert refusals(executor) == [("secrets.0.kind", "unsupported")]

    def test_the_variable_by_which_it_is_known_cannot_be_taken(self, executor: ProcessExecutor) -> None:
        assert refusals(executor, kind="env", target=MARK) == [("secrets.0.target", "not_allowed")]

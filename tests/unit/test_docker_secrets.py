"""Secrets of containers, on a real engine."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from container_manager.dispatcher import reconcile
from container_manager.dispatcher.reconcile import Cause
from container_manager.exceptions import EngineUnavailable
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.docker_engine.client import Engine
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.executors.docker_engine.secret_files import SecretFiles, is_in_memory
from container_manager.executors.results import GivenSecret
from container_manager.spec import JobRequest
from container_manager.states import ExecutionStatus, Reason
from tests import engine

VALUE = "hunter2\nsecond line é"
FILE = {"name": "word", "value": VALUE}


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    engine.ensure_image()


@pytest.fixture
def executor() -> Iterator[DockerExecutor]:
    with engine.executing() as executor:
        yield executor


def seen(executor: DockerExecutor, script: str, *secrets: dict[str, Any], **fields: Any) -> str:
    return engine.run(executor, engine.spec(script, secrets=list(secrets), **fields))[1].decode()


def files_of(execution_id: str) -> list[Path]:
    return list(Path("/dev/shm").glob(f"purser-secrets-*/*/{execution_id}/*"))


@pytest.mark.parametrize("user", ["0:0", "1234:1234"])
def test_whoever_the_job_runs_as_reads_its_file_and_cannot_change_it(executor: DockerExecutor, user: str) -> None:
    script = "cat /run/secrets/word; echo x 2>/dev/null >/run/secrets/word || echo; stat -c %a /run/secrets/word"
    assert seen(executor, script, FILE, user=user) == f"{VALUE}\n444\n"


def test_a_file_is_where_it_is_asked_for_also_below_a_file_system_in_memory(executor: DockerExecutor) -> None:
    secrets = [{**FILE, "target": place} for place in ("/etc/deep/down/word", "/tmp/word", "/scratch/a/word")]
    script = "cat /etc/deep/down/word /tmp/word /scratch/a/word"
    assert seen(executor, script, *secrets, tmpfs=[{"target": "/scratch"}], read_only_root=True) == VALUE * 3


def test_what_the_engine_shows_of_a_container_has_no_value_of_a_file(executor: DockerExecutor) -> None:
    job = engine.spec("sleep 60", secrets=[FILE, {"name": "TOKEN", "kind": "env", "value": "in-the-environment"}])
    assert executor.launch_job(job)[0]
    with closing(engine.client()) as client:
        shown = json.dumps(client.inspect_container(job.execution_id), ensure_ascii=False)
    assert "hunter2" not in shown
    assert "TOKEN=in-the-environment" in shown  # as docs/secrets.md says


def test_once_the_job_runs_its_file_has_no_name_on_the_host_any_more(executor: DockerExecutor) -> None:
    job = engine.spec("sleep 1; cat /run/secrets/word", secrets=[FILE])
    execution, stdout, _ = engine.run(executor, job)
    assert stdout.decode() == VALUE
    assert execution.exit_code == 0
    assert files_of(job.execution_id) == []


def test_what_a_kill_before_the_start_leaves_is_used_by_the_next_launch_or_cleaned(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = engine.spec("cat /run/secrets/word", secrets=[FILE])
    with monkeypatch.context() as broken:
        broken.setattr(Engine, "start", _die)
        with pytest.raises(EngineUnavailable):
            executor.launch_job(job)
    assert len(files_of(job.execution_id)) == 1
    assert engine.run(executor, job)[1].decode() == VALUE
    assert executor.cleanup(job.execution_id)


@pytest.mark.django_db(transaction=True)
def test_a_file_of_which_the_container_is_gone_is_found_and_removed(
    executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = engine.spec(secrets=[FILE])
    monkeypatch.setattr(Engine, "create", _die)
    with pytest.raises(EngineUnavailable):
        executor.launch_job(job)
    assert [(ref.execution_id, ref.status) for ref in executor.list_executions()] == [
        (job.execution_id, ExecutionStatus.NOT_FOUND)
    ]
    drift = reconcile.compare(executor)
    assert [(one.execution_id, one.cause) for one in drift.unowned] == [(job.execution_id, Cause.UNKNOWN_ATTEMPT)]
    assert len(list(reconcile.reap(executor, drift, 10))) == 1
    assert files_of(job.execution_id) == []
    assert executor.list_executions() == []


def test_the_directories_go_with_the_last_file(tmp_path: Path) -> None:
    files = SecretFiles(str(tmp_path), "mine", "docker")
    ids = [f"purser-{number:032x}-1" for number in range(2)]
    for execution_id in ids:
        assert len(files.write(execution_id, [GivenSecret("file", "/run/secrets/word", VALUE)])) == 1
    assert files.listed() == ids
    assert files.remove(ids[0])
    assert files.listed() == ids[1:]
    assert files.remove(ids[1])
    assert list(tmp_path.iterdir()) == []


def test_a_launch_that_is_refused_leaves_no_file(executor: DockerExecutor) -> None:
    job = engine.spec(secrets=[FILE], image="nowhere:local", pull_policy="never")
    assert executor.launch_job(job)[0] is False
    assert files_of(job.execution_id) == []


def test_an_engine_elsewhere_gives_variables_only() -> None:
    with closing(DockerExecutor({"base_url": "tcp://192.0.2.1:2375"}, name="docker")) as executor:
        assert executor.capabilities.secrets == ("env",)
        request = JobRequest.model_validate({"image": "a", "secrets": [FILE]})
        (refusal,) = executor.refusals(request)
    assert (refusal.field, refusal.code) == ("secrets.0.kind", "unsupported")
    assert refusal.detail == "the docker executor cannot give a secret as file; it can as env"


def test_files_are_kept_in_memory_only(tmp_path: Path) -> None:
    on_disk = Path("/var/tmp")
    assert is_in_memory("/dev/shm")
    assert not is_in_memory(str(on_disk))
    assert not is_in_memory("/dev/shm/not-there")
    assert DockerOptions(base_url="unix:///x", secrets_dir=str(on_disk)).secret_kinds == ("env",)


def test_a_directory_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    home = Path("/dev/shm", f"test-{os.getpid()}")
    home.mkdir()
    try:
        (home / f"purser-secrets-{os.geteuid()}").symlink_to(tmp_path)
        with engine.executing(secrets_dir=str(home)) as executor:
            result = executor.launch_job(engine.spec(secrets=[FILE]))
        assert (result[0], getattr(result, "reason", None)) == (False, Reason.LAUNCH_ERROR)
        assert "secrets cannot be given as files" in result[1]
        assert list(tmp_path.iterdir()) == []
    finally:
        (home / f"purser-secrets-{os.geteuid()}").unlink()
        home.rmdir()


def _die(*_: Any) -> Any:
    raise EngineUnavailable("as if it had been killed here")

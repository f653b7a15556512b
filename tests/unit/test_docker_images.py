"""Where images come from, and why they do not, on a real engine and a registry on loopback."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from container_manager.executors.docker_engine.options import Credentials
from container_manager.states import ExecutionStatus, Reason
from tests import engine
from tests.registry import Registry


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as registry:
        yield registry
        forget(f"{registry.address}/there:latest")


@pytest.fixture
def private() -> Iterator[Registry]:
    with Registry(credentials=("ann", "s3cret")) as registry:
        yield registry
        forget(f"{registry.address}/there:latest")


def forget(image: str) -> None:
    client = engine.client()
    if client.images(image):
        client.remove_image(image, force=True)
    client.close()


def pulled(image: str) -> bool:
    client = engine.client()
    found = bool(client.images(image))
    client.close()
    return found


def test_an_image_that_is_missing_is_pulled(registry: Registry) -> None:
    with engine.executing() as executor:
        executor.launch_job(engine.spec(image=f"{registry.address}/there"))
        assert pulled(f"{registry.address}/there:latest")


def test_an_image_that_is_there_is_not_asked_for(registry: Registry) -> None:
    with engine.executing() as executor:
        executor.launch_job(engine.spec(image=f"{registry.address}/there"))
        asked = len(registry.asked)
        executor.launch_job(engine.spec(image=f"{registry.address}/there"))
        assert len(registry.asked) == asked


def test_always_asks_again(registry: Registry) -> None:
    with engine.executing(pull_policy="always") as executor:
        executor.launch_job(engine.spec(image=f"{registry.address}/there"))
        asked = len(registry.asked)
        executor.launch_job(engine.spec(image=f"{registry.address}/there"))
        assert len(registry.asked) > asked


def test_an_image_that_the_registry_does_not_know_is_not_found(registry: Registry) -> None:
    with engine.executing() as executor:
        result = executor.launch_job(engine.spec(image=f"{registry.address}/nosuch:image"))
    assert (result[0], result.reason) == (False, Reason.IMAGE_NOT_FOUND)


@pytest.mark.parametrize("policy", ["never", "always", "missing"])
def test_without_a_registry_an_absent_image_is_known_to_be_absent_only_under_never(policy: str) -> None:
    with engine.executing() as executor:
        result = executor.launch_job(engine.spec(image="127.0.0.1:9/nosuch:image", pull_policy=policy))
    expected = Reason.IMAGE_NOT_FOUND if policy == "never" else Reason.IMAGE_PULL_FAILED
    assert (result[0], result.reason) == (False, expected)


def test_a_registry_in_trouble_is_a_pull_that_failed() -> None:
    with Registry(status=503) as registry, engine.executing() as executor:
        result = executor.launch_job(engine.spec(image=f"{registry.address}/there"))
    assert result.reason == Reason.IMAGE_PULL_FAILED


def test_a_pull_that_breaks_off_half_way_is_a_pull_that_failed(registry: Registry) -> None:
    registry.lose_blobs()
    with engine.executing() as executor:
        result = executor.launch_job(engine.spec(image=f"{registry.address}/there"))
    assert result[0] is False
    assert result.reason in {Reason.IMAGE_PULL_FAILED, Reason.IMAGE_NOT_FOUND}


@pytest.mark.parametrize("stalls_at", ["/manifests/", "/blobs/"])
def test_a_pull_of_which_nothing_comes_is_given_up_at_once(stalls_at: str) -> None:
    with Registry(stalls_at=stalls_at) as slow, engine.executing() as executor, ThreadPoolExecutor() as threads:
        job = engine.spec(image=f"{slow.address}/there")
        launching = threads.submit(executor.launch_job, job)
        assert slow.stalled.wait(engine.DEADLINE)
        executor.abandon_launch(job.execution_id)
        result = launching.result(engine.DEADLINE)
        assert executor.check_status(job.execution_id) == ExecutionStatus.NOT_FOUND
    assert (result[0], result.reason, result[1]) == (
        False, Reason.IMAGE_PULL_FAILED, "The pull was given up before it was done.",
    )  # fmt: skip


def test_a_launch_that_does_not_pull_is_not_given_up() -> None:
    with engine.executing() as executor:
        job = engine.spec()
        executor.abandon_launch(job.execution_id)
        assert executor.launch_job(job) == (True, job.execution_id)


def test_credentials_are_taken_by_reference(private: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPORATE_PASSWORD", "s3cret")
    image = f"{private.address}/there:latest"
    with engine.executing(
        registry_auth={
            "corporate": {"registry": private.address, "username": "ann", "password_env": "CORPORATE_PASSWORD"}
        }
    ) as executor:
        executor.launch_job(engine.spec(image=image, registry_auth="corporate"))
        assert pulled(image)


def test_without_credentials_a_private_image_is_refused(private: Registry) -> None:
    with engine.executing() as executor:
        result = executor.launch_job(engine.spec(image=f"{private.address}/there"))
    assert result.reason == Reason.IMAGE_AUTH


def test_the_login_of_the_user_that_runs_purser_is_not_used(
    private: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = f'{{"auths": {{"{private.address}": {{"auth": "YW5uOnMzY3JldA=="}}}}}}'
    (tmp_path / "config.json").write_text(login)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with engine.executing() as executor:
        result = executor.launch_job(engine.spec(image=f"{private.address}/there"))
    assert result.reason == Reason.IMAGE_AUTH


def test_a_password_file_is_read_without_its_newline(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    credentials = Credentials(registry="r.example", username="ann", password_file=str(tmp_path / "password"))
    assert credentials.read() == {"username": "ann", "password": "s3cret"}


def test_a_password_that_cannot_be_read_is_said_without_it(registry: Registry, tmp_path: Path) -> None:
    auth = {"corporate": {"registry": registry.address, "username": "ann", "password_file": str(tmp_path / "absent")}}
    with engine.executing(registry_auth=auth) as executor:
        result = executor.launch_job(engine.spec(image=f"{registry.address}/there", registry_auth="corporate"))
    assert (result.reason, "'corporate'" in result[1]) == (Reason.IMAGE_PULL_FAILED, True)


def test_a_registry_is_not_asked_with_the_password_of_another(
    private: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPORATE_PASSWORD", "s3cret")
    auth = {"corporate": {"registry": "r.example", "username": "ann", "password_env": "CORPORATE_PASSWORD"}}
    with engine.executing(registry_auth=auth) as executor:
        result = executor.launch_job(engine.spec(image=f"{private.address}/there", registry_auth="corporate"))
    assert (result[0], result.reason, private.asked) == (False, Reason.POLICY_DENIED, [])


def test_an_execution_is_found_again_although_its_image_is_gone() -> None:
    client = engine.client()
    client.tag(engine.IMAGE, "gone-meanwhile", "local")
    job = engine.spec("sleep 60", image="gone-meanwhile:local")
    try:
        with engine.executing() as executor:
            executor.launch_job(job)
            client.remove_image("gone-meanwhile:local", force=True)
            assert executor.launch_job(job) == (True, job.execution_id)
            assert executor.check_status(job.execution_id) == ExecutionStatus.RUNNING
    finally:
        client.close()

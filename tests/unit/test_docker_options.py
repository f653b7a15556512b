"""The config keys of the docker executor, and what they allow a request; no engine is asked."""

from pathlib import Path
from typing import Any

import pytest

from container_manager.exceptions import InvalidConfig
from container_manager.executors.docker import DockerExecutor
from container_manager.spec import JobRequest


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"base_url": "http://engine"}, "base_url"),
        ({"base_url": "unix:///run/x.sock", "tls": {}}, "tls needs a tcp://"),
        ({"base_url": "tcp://engine:2376", "tls": {"client_cert": "/c.pem"}}, "client_key"),
        ({"registry_auth": {"corporate": {"username": "ann"}}}, "registry_auth.corporate"),
        ({"registry_auth": {"corporate": {"username": "ann", "password": "open"}}}, "password"),
        ({"networks": []}, "networks"),
        ({"mount_roots": ["data"]}, "mount_roots"),
        ({"mount_roots": ["/data/../etc"]}, "mount_roots"),
        ({"volume_prefixes": [""]}, "volume_prefixes"),
        ({"labels": {"purser.job": "x"}}, "labels"),
        ({"default_pids_limit": 64, "max_pids_limit": 32}, "max_pids_limit"),
        ({"pull_policy": "sometimes"}, "pull_policy"),
        ({"instance": "with space"}, "instance"),
        ({"engine_timeout_seconds": 0}, "engine_timeout_seconds"),
    ],
)
def test_a_wrong_config_is_refused_by_name(config: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidConfig, match=named):
        DockerExecutor(config, name="docker")


def test_a_config_is_taken_as_toml_gives_it() -> None:
    config = {
        "base_url": "tcp://engine:2376",
        "tls": {"ca_cert": "/ca.pem", "client_cert": "/c.pem", "client_key": "/k.pem"},
        "networks": ["none", "jobs"],
        "labels": {"site": "north"},
    }
    executor = DockerExecutor(config, name="docker")
    assert executor.capabilities.networks == ("none", "jobs")


def refused(request: dict[str, Any], **config: Any) -> set[tuple[str, str]]:
    executor = DockerExecutor({"base_url": "unix:///nonexistent/docker.sock", **config}, name="docker")
    asked = JobRequest.model_validate({"image": "busybox", "command": ["true"], **request})
    return {(error.field, error.code) for error in executor.refusals(asked)}


def bind(source: str | Path, target: str = "/data") -> dict[str, Any]:
    return {"mounts": [{"type": "bind", "source": str(source), "target": target}]}


def volume(source: str) -> dict[str, Any]:
    return {"mounts": [{"type": "volume", "source": source, "target": "/data"}]}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"image": None}, ("image", "required")),
        ({"image": "No Such!"}, ("image", "invalid")),
        ({"registry_auth": "corporate"}, ("registry_auth", "not_allowed")),
        ({"memory_mib": 5}, ("memory_mib", "too_small")),
        ({"cpu_cores": 0.005}, ("cpu_cores", "too_small")),
        ({"pids_limit": 4097}, ("pids_limit", "too_large")),
        ({"network": "host"}, ("network", "not_allowed")),
        ({"scenario": {"exit_code": 1}}, ("scenario", "unsupported")),
        (bind("/etc"), ("mounts.0.source", "not_allowed")),
        (volume("data"), ("mounts.0.source", "not_allowed")),
        ({"tmpfs": [{"target": "/"}]}, ("tmpfs.0.target", "invalid")),
        ({"tmp_size_mib": 4, "tmpfs": [{"target": "/tmp/"}]}, ("tmpfs.0.target", "duplicate")),
        ({"tmpfs": [{"target": "/a"}, {"target": "//a/b/.."}]}, ("tmpfs.1.target", "duplicate")),
    ],
)
def test_what_is_not_allowed_is_refused_by_field(request_: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in refused(request_)


@pytest.mark.parametrize(
    "image",
    [
        "busybox",
        "busybox:1.36",
        "a/b-c/d_e:T.1",
        "host.example:5000/a/b@sha256:" + "0" * 64,
        "localhost/a:x",
        "127.0.0.1:9/a",
    ],
)
def test_image_references_of_every_form_are_taken(image: str) -> None:
    assert refused({"image": image}) == set()


def test_a_writable_root_is_refused_where_the_operator_has_closed_it() -> None:
    assert refused({"read_only_root": False}, read_only_root=True) == {("read_only_root", "not_allowed")}
    assert refused({"read_only_root": False}) == set()


def test_a_directory_under_an_allowed_root_is_taken(tmp_path: Path) -> None:
    assert refused(bind(tmp_path / "a"), mount_roots=[str(tmp_path)]) == set()
    assert refused(bind(tmp_path), mount_roots=[str(tmp_path)]) == set()


@pytest.mark.parametrize("source", ["{root}/../etc", "{root}-beside", "{root}/link", "relative", "{root}/a/../../etc"])
def test_no_path_leads_out_of_an_allowed_root(tmp_path: Path, source: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to("/etc")
    assert refused(bind(source.format(root=root)), mount_roots=[str(root)]) == {("mounts.0.source", "not_allowed")}


def test_an_allowed_root_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert refused(bind(tmp_path / "root" / "a"), mount_roots=[str(tmp_path / "root")]) == set()


def test_paths_of_another_host_are_compared_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    roots = {"mount_roots": [str(tmp_path)], "base_url": "tcp://engine:2376"}
    assert refused(bind(tmp_path / "link"), **roots) == set()
    assert refused(bind(f"{tmp_path}/../etc"), **roots) == {("mounts.0.source", "not_allowed")}


def test_volumes_are_allowed_by_name_or_prefix() -> None:
    assert refused(volume("data"), volumes=["data"]) == set()
    assert refused(volume("team-a"), volume_prefixes=["team-"]) == set()
    assert refused(volume("database"), volumes=["data"]) == {("mounts.0.source", "not_allowed")}


def test_the_first_network_is_the_default_where_none_is_not_allowed() -> None:
    assert DockerExecutor({"networks": ["jobs", "other"]}).options.default_network == "jobs"
    assert DockerExecutor({}).options.default_network == "none"

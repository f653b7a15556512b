"""The config keys of the docker executor, and what they allow a request; no engine is asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from container_manager.exceptions import FieldError, InvalidConfig
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.docker_engine.reference import registry_of
from container_manager.spec import JobRequest

AUTH = {"registry": "r.example", "username": "ann", "password_env": "P"}


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"base_url": "http://engine"}, "base_url"),
        ({"base_url": "unix:///run/x.sock", "tls": {}}, "tls needs a tcp://"),
        ({"base_url": "tcp://engine:2376", "tls": {"client_cert": "/c.pem"}}, "client_key"),
        ({"registry_auth": {"corporate": {"registry": "r.example", "username": "ann"}}}, "registry_auth.corporate"),
        ({"registry_auth": {"corporate": {"username": "ann", "password_env": "P"}}}, "registry"),
        ({"registry_auth": {"corporate": {**AUTH, "registry": "https://r.example"}}}, "registry"),
        ({"registry_auth": {"corporate": {**AUTH, "registry": "corporate"}}}, "registry"),
        ({"mount_roots": ["/data"], "writable_mount_roots": ["/data/out"]}, "overlap"),
        ({"mount_roots": ["/data/in"], "writable_mount_roots": ["/data"]}, "overlap"),
        ({"mount_roots": ["/data"], "writable_mount_roots": ["/data/"]}, "overlap"),
        ({"mount_roots": ["/"], "writable_mount_roots": ["/data"]}, "overlap"),
        ({"writable_mount_roots": ["data"]}, "writable_mount_roots"),
        ({"writable_mount_roots": ["/data"], "base_url": "tcp://engine:2376"}, "unix://"),
        ({"writable_mount_roots": ["/data"], "base_url": "ssh://engine"}, "unix://"),
        ({"registry_auth": {"corporate": {"username": "ann", "password": "open"}}}, "password"),
        ({"networks": []}, "networks"),
        ({"prepared_networks": -1}, "prepared_networks"),
        ({"prepared_networks": 33}, "prepared_networks"),
        ({"prepared_networks": 1, "networks": ["bridge"]}, "prepared_networks needs the network `none`"),
        ({"prepared_networks": 1, "cap_add": ["NET_RAW", "cap_net_admin", "CHOWN"]}, "cap_add of NET_ADMIN, NET_RAW"),
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


def refusals(request: dict[str, Any], **config: Any) -> Sequence[FieldError]:
    executor = DockerExecutor({"base_url": "unix:///nonexistent/docker.sock", **config}, name="docker")
    return executor.refusals(JobRequest.model_validate({"image": "busybox", "command": ["true"], **request}))


def refused(request: dict[str, Any], **config: Any) -> set[tuple[str, str]]:
    return {(error.field, error.code) for error in refusals(request, **config)}


def bind(source: str | Path, *, read_only: bool = True) -> dict[str, Any]:
    return {"mounts": [{"type": "bind", "source": str(source), "target": "/data", "read_only": read_only}]}


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
        ({"tmpfs": [{"target": "/a"}, {"target": "//a/./"}]}, ("tmpfs.1.target", "duplicate")),
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


def test_a_directory_is_writable_only_under_a_root_that_is(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name / "a").mkdir(parents=True)
    roots = {"mount_roots": [str(tmp_path / "in")], "writable_mount_roots": [str(tmp_path / "out")]}
    for read_only, name, expected in (
        (False, "in", {("mounts.0.source", "not_allowed")}),
        (True, "in", set()),
        (False, "out", set()),
        (True, "out", set()),
    ):
        assert refused(bind(tmp_path / name, read_only=read_only), **roots) == expected
        assert refused(bind(tmp_path / name / "a", read_only=read_only), **roots) == expected


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("below", ["link", "link/passwd", "to-inside", "a/up/a", "file", "absent", "../beside"])
def test_below_a_writable_root_no_link_and_nothing_but_a_directory_is_mounted(
    tmp_path: Path, below: str, read_only: bool
) -> None:
    root = tmp_path / "out"
    for path in (root / "a", tmp_path / "beside"):
        path.mkdir(parents=True)
    (root / "link").symlink_to("/etc")
    (root / "to-inside").symlink_to(root / "a")
    (root / "a" / "up").symlink_to(root)
    (root / "file").touch()
    asked = bind(root / below, read_only=read_only)
    assert refused(asked, writable_mount_roots=[str(root)]) == {("mounts.0.source", "not_allowed")}


def test_roots_that_overlap_by_a_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "in").symlink_to(tmp_path / "out")
    with pytest.raises(InvalidConfig, match="overlap"):
        DockerExecutor({"mount_roots": [str(tmp_path / "in")], "writable_mount_roots": [str(tmp_path / "out")]})


def test_on_another_host_nothing_is_writable() -> None:
    remote = {"mount_roots": ["/data"], "base_url": "tcp://engine:2376"}
    assert refused(bind("/data/a", read_only=False), **remote) == {("mounts.0.source", "not_allowed")}
    assert refused(bind("/data/a"), **remote) == set()


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("busybox", "docker.io"),
        ("busybox:1.36", "docker.io"),
        ("team/busybox", "docker.io"),
        ("docker.io/team/busybox", "docker.io"),
        ("index.docker.io/team/busybox", "docker.io"),
        ("localhost/a", "localhost"),
        ("evil:5000/a/b:c", "evil:5000"),
        ("EVIL/a", "evil"),
        ("r.example/docker.io/a", "r.example"),
    ],
)
def test_the_registry_of_an_image_is_read_as_the_engine_reads_it(image: str, registry: str) -> None:
    assert registry_of(image) == registry


@pytest.mark.parametrize(
    "image", ["evil:5000/x", "busybox", "r.example:5000/x", "r.example.evil.org/x", "evil/r.example/x"]
)
def test_credentials_go_to_no_registry_but_their_own(image: str) -> None:
    asked = {"image": image, "registry_auth": "corporate"}
    assert refused(asked, registry_auth={"corporate": AUTH}) == {("registry_auth", "not_allowed")}


def test_credentials_are_taken_for_images_of_their_registry() -> None:
    asked = {"image": "r.example/team/x:1", "registry_auth": "corporate"}
    assert refused(asked, registry_auth={"corporate": AUTH}) == set()


def test_volumes_are_allowed_by_name_or_prefix() -> None:
    assert refused(volume("data"), volumes=["data"]) == set()
    assert refused(volume("team-a"), volume_prefixes=["team-"]) == set()
    assert refused(volume("database"), volumes=["data"]) == {("mounts.0.source", "not_allowed")}


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (bind("/etc"), "'/etc' is not allowed; allowed are: directories under /in, directories under /out"),
        (bind("/in", read_only=False), "'/in' is not allowed; allowed are: directories under /out"),
        (volume("other"), "'other' is not allowed; allowed are: data, team-*"),
    ],
)
def test_a_mount_that_is_refused_is_told_what_is_allowed(request_: dict[str, Any], told: str) -> None:
    roots = {"mount_roots": ["/in"], "writable_mount_roots": ["/out"]}
    volumes = {"volumes": ["data"], "volume_prefixes": ["team-"]}
    assert [error.detail for error in refusals(request_, **roots, **volumes)] == [told]


def test_the_first_network_is_the_default_where_none_is_not_allowed() -> None:
    assert DockerExecutor({"networks": ["jobs", "other"]}).options.default_network == "jobs"
    assert DockerExecutor({}).options.default_network == "none"

"""Control groups: version 1 for real on this host, version 2 on files that look like it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from container_manager.executors import cgroups
from container_manager.executors.cgroups import MIB, Group, find_parents
from container_manager.executors.process_host.sandbox import find_cgroups

V1 = """\
sysfs /sys sysfs rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0
cgroup /sys/fs/cgroup/freezer cgroup rw,freezer 0 0
"""


class TestFinding:
    @pytest.fixture
    def mounts(self, tmp_path: Path) -> Path:
        return tmp_path / "mounts"

    def test_version_1_is_found_by_controller(self, mounts: Path) -> None:
        mounts.write_text(V1)
        together = "/sys/fs/cgroup/cpu,cpuacct/jobs"
        assert find_parents("/jobs", str(mounts)) == {
            "memory": "/sys/fs/cgroup/memory/jobs", "cpu": together, "cpuacct": together,
            "pids": "/sys/fs/cgroup/pids/jobs",
        }  # fmt: skip

    @pytest.mark.parametrize(("controllers", "found"), [("cpuset cpu io memory pids", True), ("cpu io", False)])
    def test_version_2_is_found_where_it_has_the_controllers(
        self, mounts: Path, tmp_path: Path, controllers: str, found: bool
    ) -> None:
        (tmp_path / "cgroup.controllers").write_text(controllers + "\n")
        mounts.write_text(f"cgroup2 {tmp_path} cgroup2 rw 0 0\n")
        assert find_parents("/", str(mounts)) == ({"unified": str(tmp_path)} if found else {})

    def test_version_1_wins_where_both_are_mounted(self, mounts: Path, tmp_path: Path) -> None:
        mounts.write_text(V1 + f"cgroup2 {tmp_path} cgroup2 rw 0 0\n")
        assert "unified" not in find_parents("/", str(mounts))

    @pytest.mark.parametrize("text", ["", "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"])
    def test_less_than_all_controllers_is_none(self, mounts: Path, text: str) -> None:
        mounts.write_text(text)
        assert find_parents("/", str(mounts)) == {}

    def test_none_at_all_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("container_manager.executors.process_host.sandbox.find_parents", lambda parent: {})
        assert find_cgroups("/") == ({}, "this host has no memory, cpu and pids controllers in one version of cgroups")

    def test_a_probe_leaves_nothing(self) -> None:
        parents, problem = find_cgroups("/")
        assert (set(parents), problem) == ({"memory", "cpu", "cpuacct", "pids", "blkio"}, "")
        assert not [name for parent in parents.values() for name in os.listdir(parent) if "probe" in name]


class TestVersion1:
    @pytest.fixture
    def group(self) -> Iterator[Group]:
        group = Group.named(f"purser-test-{os.getpid()}", find_parents())
        yield group
        group.kill()
        assert group.remove()

    def test_limits_are_set_and_may_be_set_again(self, group: Group) -> None:
        for _ in range(2):
            group.create(memory_mib=64, cpu_cores=1.5, pids=10)
        assert _read(group, "memory", "memory.limit_in_bytes") == str(64 * MIB)
        assert _read(group, "memory", "memory.memsw.limit_in_bytes") == str(64 * MIB)
        assert _read(group, "cpu", "cpu.cfs_quota_us") == "150000"
        assert _read(group, "pids", "pids.max") == "10"

    def test_a_member_is_in_it_until_it_is_killed(self, group: Group) -> None:
        group.create(64, 1, 10)
        with subprocess.Popen(["sleep", "60"]) as process:
            group.add(process.pid)
            assert group.members() == {process.pid}
            assert group.remove() is False
            group.kill()
            assert process.wait() == -9
        assert group.members() == set()

    def test_usage_is_measured(self, group: Group) -> None:
        group.create(64, 1, 10)
        usage = group.usage()
        assert usage["oom_kills"] == 0
        assert usage["cpu_user_seconds"] == 0

    @pytest.mark.parametrize(
        ("user", "system", "divided"), [(4, 12, (0.25, 0.75)), (0, 0, (1.0, 0.0)), (0, 4, (0.0, 1.0))]
    )
    def test_cpu_time_is_exact_in_its_sum(
        self, tmp_path: Path, user: int, system: int, divided: tuple[float, float]
    ) -> None:
        for name, milliseconds in {"usage": 1000, "usage_user": user, "usage_sys": system}.items():
            (tmp_path / f"cpuacct.{name}").write_text(str(milliseconds * 1_000_000))
        usage = Group(dict.fromkeys(("memory", "cpuacct"), str(tmp_path))).usage()
        assert (usage["cpu_user_seconds"], usage["cpu_system_seconds"]) == divided

    @pytest.mark.parametrize(
        ("told", "read"),
        [
            ("8:0 Read 4096\n8:0 Write 10\n8:16 Read 1\nTotal 4107\n", 4097),
            ("8:0 Read 0\nTotal 0\n", None),
            ("Total 0", None),
        ],
    )
    def test_reads_are_summed_and_writes_are_unknown(self, tmp_path: Path, told: str, read: int | None) -> None:
        (tmp_path / "blkio.throttle.io_service_bytes_recursive").write_text(told)
        usage = Group(dict.fromkeys(("memory", "cpuacct", "blkio"), str(tmp_path))).usage()
        assert (usage["io_read_bytes"], usage["io_write_bytes"]) == (read, None)

    def test_groups_below_are_members_and_are_removed_with_it(self, group: Group) -> None:
        group.create(64, 1, 10)
        below = Group({name: f"{path}/below" for name, path in group.directories.items()})
        below.create(64, 1, 10)
        with subprocess.Popen(["sleep", "60"]) as process:
            below.add(process.pid)
            assert group.members() == {process.pid}
            group.kill()
        assert group.remove()
        assert not group.exists()

    def test_what_is_not_there_is_removed_already_and_used_nothing(self, group: Group) -> None:
        assert group.remove()
        assert group.members() == set()
        assert set(group.usage().values()) == {None}

    def test_what_cannot_be_killed_in_time_is_still_there(self, group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
        group.create(64, 1, 10)
        monkeypatch.setattr(cgroups, "_KILL_SECONDS", 0.01)
        with subprocess.Popen(["sleep", "60"]) as process:
            group.add(process.pid)
            with monkeypatch.context() as powerless:
                powerless.setattr(os, "kill", lambda *_: (_ for _ in ()).throw(ProcessLookupError))
                group.kill()
            assert group.remove() is False
            process.kill()


class TestVersion2:
    @pytest.fixture
    def group(self, tmp_path: Path) -> Group:
        return Group.named("purser-test", {"unified": str(tmp_path)})

    def test_limits_are_set(self, group: Group, tmp_path: Path) -> None:
        (tmp_path / "purser-test").mkdir()
        (tmp_path / "purser-test" / "memory.swap.max").write_text("max")
        group.create(memory_mib=64, cpu_cores=0.005, pids=10)
        assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory +cpu +pids"
        assert _read(group, "unified", "memory.max") == str(64 * MIB)
        assert _read(group, "unified", "memory.swap.max") == "0"
        assert _read(group, "unified", "cpu.max") == "5000 1000000"
        assert _read(group, "unified", "pids.max") == "10"

    def test_a_host_without_swap_accounting_has_no_swap_limit(self, group: Group, tmp_path: Path) -> None:
        group.create(memory_mib=64, cpu_cores=1, pids=10)
        assert not (tmp_path / "purser-test" / "memory.swap.max").exists()

    def test_usage_is_read(self, group: Group, tmp_path: Path) -> None:
        (tmp_path / "purser-test").mkdir()
        for name, text in {
            "memory.peak": "4096\n",
            "memory.events": "low 0\noom 3\noom_kill 2\n",
            "cpu.stat": "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n",
            "io.stat": "254:0 rbytes=10 wbytes=1 rios=1 wios=1\n254:16 rbytes=20 wbytes=2 rios=1 wios=1\n",
        }.items():
            (tmp_path / "purser-test" / name).write_text(text)
        assert group.usage() == {
            "peak_memory_bytes": 4096, "cpu_user_seconds": 2.0, "cpu_system_seconds": 1.0,
            "io_read_bytes": 30, "io_write_bytes": 3, "oom_kills": 2,
        }  # fmt: skip

    @pytest.mark.parametrize("text", ["", "254:0\n", "254:0 rbytes=0 wbytes=0 rios=0 wios=0\n"])
    def test_io_that_no_device_has_seen_is_unknown(self, group: Group, tmp_path: Path, text: str) -> None:
        (tmp_path / "purser-test").mkdir()
        (tmp_path / "purser-test" / "io.stat").write_text(text)
        usage = group.usage()
        assert usage["io_read_bytes"] is None
        assert usage["io_write_bytes"] is None

    def test_io_is_measured_where_it_can_be(self, group: Group, tmp_path: Path) -> None:
        (tmp_path / "cgroup.controllers").write_text("cpu io memory pids\n")
        group.create(memory_mib=64, cpu_cores=1, pids=10)
        assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory +cpu +pids +io"

    def test_a_kernel_without_a_peak_gives_none(self, group: Group) -> None:
        assert group.usage()["peak_memory_bytes"] is None

    def test_a_process_joins_by_its_own_hand(self, group: Group, tmp_path: Path) -> None:
        (tmp_path / "purser-test").mkdir()
        group.join()
        assert _read(group, "unified", "cgroup.procs") == "0"


class TestNone:
    def test_a_group_of_no_directories_does_nothing(self) -> None:
        group = Group({})
        group.create(64, 1, 10)
        group.join()
        group.kill()
        assert group.members() == set()
        assert group.usage() == {}
        assert group.remove()


def _read(group: Group, controller: str, name: str) -> str:
    return Path(group.directories[controller], name).read_text().strip()

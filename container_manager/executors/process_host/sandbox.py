"""What this host offers to process jobs: bubblewrap, control groups, and users to run as."""

import errno
import grp
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from container_manager.exceptions import EngineUnavailable
from container_manager.executors.cgroups import Group, find_parents

_PROBE_SECONDS = 10
_CANNOT_EXECUTE = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOEXEC)


@dataclass(frozen=True, slots=True)
class User:
    """Whom a command runs as."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def find_user(text: str) -> User:
    """Read `user` or `user:group`, each a name or a number. Raises ValueError that says what is not there."""
    name, _, group = text.partition(":")
    account = _find_account(name)
    if account is None:
        return User(int(name), find_group(group or name))
    if group:
        return User(account.pw_uid, find_group(group))
    return User(account.pw_uid, account.pw_gid, tuple(os.getgrouplist(account.pw_name, account.pw_gid)))


def _find_account(name: str) -> pwd.struct_passwd | None:
    """The account of that name or number; None for a number that has none."""
    try:
        return pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except KeyError:
        if name.isdecimal():
            return None
        raise ValueError(f"there is no user {name!r} on this host") from None


def find_group(text: str) -> int:
    """Raises ValueError."""
    if text.isdecimal():
        return int(text)
    try:
        return grp.getgrnam(text).gr_gid
    except KeyError:
        raise ValueError(f"there is no group {text!r} on this host") from None


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """A command sees the host's files read-only, its own /tmp, /dev, /proc and processes, and no network.

    In the place of each directory in `hidden` it sees an empty one. No host path can be reached for
    writing, and no socket under /run either.
    """

    program: str
    hidden: Sequence[str] = ()

    def prefix(
        self, user: User | None, working_dir: str, tmp_size_mib: int, in_memory: Sequence[str] = ()
    ) -> list[str]:
        """What stands before the command; more options may follow. Directories `in_memory` are its own and empty."""
        return [
            self.program, "--unshare-all", "--new-session", "--die-with-parent",
            "--ro-bind", "/", "/", *self._hiding(user, in_memory), "--proc", "/proc", "--dev", "/dev",
            "--size", str(tmp_size_mib * 1024 * 1024), "--tmpfs", "/tmp",  # noqa: S108  (the sandbox's own)
            "--chdir", working_dir,
        ]  # fmt: skip

    def problem(self, user: User | None) -> str:
        """Why it does not work here, or nothing. It is tried out the way jobs are run.

        Raises EngineUnavailable when that was not found out: a host that is slow or short of something for a
        moment must not make jobs run without a sandbox for good.
        """
        if not shutil.which(self.program):
            return f"{self.program} is not installed"
        try:
            self._try(user)
        except subprocess.CalledProcessError as error:
            if error.returncode < 0:
                raise EngineUnavailable(f"{self.program} was killed while it was tried out") from error
            return f"{self.program} does not work: {error.stderr.decode(errors='replace').strip()}"
        except OSError as error:
            if error.errno in _CANNOT_EXECUTE:
                return f"{self.program} does not work: {error}"
            raise EngineUnavailable(f"{self.program} could not be tried out: {error}") from error
        except subprocess.TimeoutExpired as error:
            raise EngineUnavailable(f"{self.program} does not answer: {error}") from error
        return ""

    def _try(self, user: User | None) -> None:
        argv = [*self.prefix(user, "/", 1), "--", "true"]
        uid, gid, groups = (user.uid, user.gid, user.groups) if user else (None, None, None)
        subprocess.run(
            argv, check=True, capture_output=True, timeout=_PROBE_SECONDS, user=uid, group=gid, extra_groups=groups
        )

    def _hiding(self, user: User | None, in_memory: Sequence[str]) -> list[str]:
        above = {os.path.dirname(path) for path in in_memory}
        real = sorted({os.path.realpath(path) for path in (*self.hidden, *above)})
        paths = [path for path in real if os.path.isdir(path) and (user is None or _can_reach(path, user))]
        return [
            *(word for path in paths for word in ("--tmpfs", path)),
            *(word for path in in_memory for word in ("--perms", "0755", "--tmpfs", path)),
            *(word for path in paths for word in ("--remount-ro", path)),
        ]


def _can_reach(path: str, user: User) -> bool:
    """Whether the user may search every directory above it: where not, it is hidden already, also from bubblewrap."""
    return user.uid == 0 or all(_may_search(os.stat(above), user) for above in Path(path).parents)


def _may_search(directory: os.stat_result, user: User) -> bool:
    if directory.st_uid == user.uid:
        return bool(directory.st_mode & stat.S_IXUSR)
    if directory.st_gid in (user.gid, *user.groups):
        return bool(directory.st_mode & stat.S_IXGRP)
    return bool(directory.st_mode & stat.S_IXOTH)


def find_cgroups(parent: str) -> tuple[Mapping[str, str], str]:
    """Where groups can be made (see cgroups.find_parents), and nothing; or nowhere and why not. It is tried out."""
    try:
        parents = find_parents(parent)
        if not parents:
            return {}, "this host has no memory, cpu and pids controllers in one version of cgroups"
        _try_group(Group.named(f"purser-probe-{os.getpid()}-{os.urandom(4).hex()}", parents))
    except OSError as error:
        return {}, f"control groups cannot be made: {error}"
    return parents, ""


def _try_group(group: Group) -> None:
    try:
        group.create(memory_mib=64, cpu_cores=1, pids=16)
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
            group.add(process.pid)
    finally:
        group.remove()

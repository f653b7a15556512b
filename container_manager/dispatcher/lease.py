"""Who owns which jobs: a dispatcher owns its jobs while its lease is fresh, and another takes them over after."""

import os
import socket
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

from container_manager.lifecycle import stamp
from container_manager.models import DispatcherLease, Job
from container_manager.states import ACTIVE


class Lease:
    """The right of this process to own jobs, renewed while it lives."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Start as a dispatcher that owns nothing."""
        self.id = DispatcherLease.objects.create(
            host=_host(), process=_process(os.getpid()), lease_expires_at=self._expiry()
        ).pk

    def renew(self) -> bool:
        """False when the lease had lapsed and somebody has taken over: nothing is owned any more."""
        return DispatcherLease.objects.filter(pk=self.id).update(lease_expires_at=self._expiry()) == 1

    def give_up(self) -> None:
        """Let others take over at once."""
        DispatcherLease.objects.filter(pk=self.id).delete()

    def take_over(self, executors: Collection[str]) -> list[Job]:
        """Own the active jobs of dispatchers that are gone. The fence shuts their old owner out."""
        _bury_the_dead()
        orphans = Job.active().filter(executor__in=executors).exclude(owner__in=DispatcherLease.objects.values("pk"))
        taken = [
            pk
            for pk, fence in orphans.values_list("pk", "fence")
            if Job.objects.filter(pk=pk, fence=fence, state__in=ACTIVE).update(owner=self.id, fence=fence + 1)
        ]
        return list(Job.objects.filter(pk__in=taken))

    def _expiry(self) -> Any:
        """By the one clock of the database: those of the dispatchers' hosts may differ."""
        return stamp() + timedelta(seconds=self._seconds)


def _bury_the_dead() -> None:
    """End the leases that have lapsed, and at once those of processes of this host that are gone."""
    DispatcherLease.objects.filter(lease_expires_at__lt=stamp()).delete()
    for dispatcher in DispatcherLease.objects.filter(host=_host()):
        if _process(int(dispatcher.process.partition("@")[0])) != dispatcher.process:
            dispatcher.delete()


def _host() -> str:
    """This boot of this host, and this process namespace of it: where a process number means the same process."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"


def _process(pid: int) -> str:
    """A process number with its start time, so that one used again is told apart; empty for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else f"{pid}@{fields[19]}"

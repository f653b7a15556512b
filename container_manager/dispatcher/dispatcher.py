"""A dispatcher process: a lane and a prober for each executor, one control loop, one courier, one lease."""

import logging
import threading
import time
from collections.abc import Mapping

from django.conf import settings

from container_manager import reports
from container_manager.dispatcher.control import Control
from container_manager.dispatcher.courier import Courier
from container_manager.dispatcher.lane import Lane
from container_manager.dispatcher.lease import Lease
from container_manager.dispatcher.retention import Retention
from container_manager.dispatcher.workers import loop
from container_manager.exceptions import EngineUnavailable
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.registry import executors as registered
from container_manager.ledger import DatabaseLedger

logger = logging.getLogger(__name__)

_SWEEP_EVERY = 5  # probes


class Dispatcher:
    """Launches, watches and ends the jobs of the given executors until it is drained.

    Any number of dispatchers may share one database: each owns the jobs it has claimed, and takes over
    those of a dispatcher that is gone.
    """

    def __init__(self, executors: Mapping[str, ContainerExecutor] | None = None) -> None:
        self._executors = registered if executors is None else executors
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Take up the work; returns at once."""
        self._lease = Lease(settings.PURSER.dispatcher_lease_seconds)
        self._lanes = {name: Lane(executor, self._lease.id) for name, executor in self._executors.items()}
        self._control = Control(self._lanes, self._lease.id)
        self._courier = Courier(self._stop)
        self._threads = [
            loop("lease", self._stop, self._keep_lease),
            loop("control", self._stop, self._control.step),
            loop("webhooks", self._stop, self._courier.step),
            loop("retention", self._stop, Retention(self._stop).step),
            *(
                loop(f"probe {name}", self._stop, _Prober(lane, self._lease, self._stop))
                for name, lane in self._lanes.items()
            ),
        ]

    def drain(self, seconds: float) -> None:
        """Claim no more, finish what is under way within a time, and hand over. Executions run on."""
        deadline = time.monotonic() + seconds
        self._stop.set()
        self._control.close()
        self._courier.close()
        for lane in self._lanes.values():
            lane.drain(max(deadline - time.monotonic(), 0))
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        for lane in self._lanes.values():
            lane.board.executor.close()
        self._lease.give_up()

    def _keep_lease(self) -> None:
        if not self._lease.renew():
            self._start_over()
        for job in (orphans := self._lease.take_over(self._lanes)):
            logger.info("job taken over", extra={"job_id": str(job.pk), "executor": job.executor})
        for name, lane in self._lanes.items():
            lane.adopt([*(job for job in orphans if job.executor == name), *lane.board.strays()])
        self._stop.wait(settings.PURSER.dispatcher_lease_seconds / 3)

    def _start_over(self) -> None:
        """The lease lapsed while this process slept: others own its jobs now."""
        logger.warning("the lease had lapsed; this dispatcher starts over")
        self._lease.begin()
        self._control.owner = self._lease.id
        for lane in self._lanes.values():
            lane.board.owner = self._lease.id
            lane.forget()


class _Prober:
    """Looks at one executor's health again and again, and publishes what it sees."""

    def __init__(self, lane: Lane, lease: Lease, stop: threading.Event) -> None:
        self._lane = lane
        self._lease = lease
        self._stop = stop
        self._looks = 0

    def __call__(self) -> None:
        executor = self._lane.board.executor
        began = time.perf_counter()
        health = self._lane.board.look()
        latency = time.perf_counter() - began
        if health:
            self._learn_capacity(executor)
        reports.publish(executor, self._lease.id, health, latency)
        self._lane.became(health)
        if health and self._looks % _SWEEP_EVERY == 0:
            # A little less than the time between two of our own turns, so that one alone never misses its turn.
            self._lane.reconcile((_SWEEP_EVERY - 1) * settings.PURSER.report_seconds)
        self._looks += 1
        if health and self._looks % _SWEEP_EVERY == 0:
            self._lane.ender.sweep()
        self._stop.wait(settings.PURSER.report_seconds)

    def _learn_capacity(self, executor: ContainerExecutor) -> None:
        if self._looks % _SWEEP_EVERY:
            return
        try:
            executor.learn_capacity()
        except EngineUnavailable:
            return
        DatabaseLedger(executor.name).set_total(executor.limits)

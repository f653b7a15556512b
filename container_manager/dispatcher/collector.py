"""Brings what a job writes from its engine into the log store, while it runs."""

import logging
import threading
from uuid import UUID

from django.conf import settings
from structlog.contextvars import bind_contextvars

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound
from container_manager.executors.base import ContainerExecutor
from container_manager.logs import LogWriter

logger = logging.getLogger(__name__)

_LOCK_SECONDS = 0.2


class Collector:
    """Follows the logs of one execution in a thread of its own, which ends with the execution."""

    def __init__(self, executor: ContainerExecutor, job_id: UUID, attempt: int, execution_id: str) -> None:
        self._executor = executor
        self._key = (job_id, attempt)
        self._execution_id = execution_id
        self._stop = threading.Event()
        self._whole = False
        self._thread = threading.Thread(target=self._run, name=f"logs {execution_id}", daemon=True)
        self._thread.start()

    def drain(self, seconds: float) -> bool:
        """Wait for everything to be stored, after the end; False when the engine broke off or is slow."""
        self._thread.join(seconds)
        return self._whole

    def give_up(self) -> None:
        """Begin to stop; returns at once."""
        self._stop.set()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        bind_contextvars(job_id=str(self._key[0]))
        try:
            with self._open() as writer:
                self._collect(writer)
        except EngineUnavailable as error:
            logger.info("log collection broke off", extra={"execution_id": self._execution_id, "error": str(error)})
        except OSError as error:  # the disk is full, or the store is away: the job goes on
            logger.error("the log store failed", extra={"execution_id": self._execution_id, "error": str(error)})

    def _open(self) -> LogWriter:
        """The log's only writer: another one, whose job this was, may have to end first."""
        while True:
            try:
                return LogWriter(*self._key, max_bytes=settings.PURSER.log_max_bytes)
            except BlockingIOError:
                if self._stop.wait(_LOCK_SECONDS):
                    raise

    def _collect(self, writer: LogWriter) -> None:
        try:
            for frame in self._executor.follow_logs(self._execution_id, self._stop):
                writer.write(frame.stream, frame.data, frame.at)
        except ExecutionNotFound:
            pass  # nothing more can be had of it
        else:
            if self._stop.is_set():
                return
        writer.finish(self._executor.dropped_bytes(self._execution_id))
        self._whole = True

"""The circuit breaker of an executor in the database: one for all processes."""

import logging

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from container_manager.circuit import Circuit, Step
from container_manager.models import Breaker

logger = logging.getLogger(__name__)


def find(executor: str) -> Circuit:
    """The circuit with its state as it reads now."""
    circuit = _circuit(_row(executor))
    return Circuit(circuit.failures, circuit.causes, circuit.state_at(timezone.now()), circuit.until)


class DatabaseBreaker:
    """Keeps the circuit of one executor in its row; none is closed.

    A step is one UPDATE of what was read, tried again when somebody else was faster.
    """

    def __init__(self, executor: str) -> None:
        self._executor = executor

    def circuit(self) -> Circuit:
        return _circuit(_row(self._executor))

    def change(self, step: Step) -> Circuit:
        """A launch has been made when it is counted, so a database that is away loses the count and not the launch."""
        try:
            return self._change(step)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("not counted by the breaker", extra={"executor": self._executor, "error": str(error)})
            return Circuit()

    def _change(self, step: Step) -> Circuit:
        while True:
            row = _row(self._executor)
            before = _circuit(row)
            after = step(before)
            if after == before or self._write(row, after):
                return after

    def _write(self, row: Breaker, after: Circuit) -> bool:
        Breaker.objects.get_or_create(executor=self._executor)
        unchanged = Breaker.objects.filter(
            executor=self._executor, failures=row.failures, state=row.state, until=row.until
        )
        columns = {"failures": after.failures, "causes": after.causes, "state": after.state, "until": after.until}
        return unchanged.update(**columns) == 1


def _row(executor: str) -> Breaker:
    return Breaker.objects.filter(executor=executor).first() or Breaker(executor=executor)


def _circuit(row: Breaker) -> Circuit:
    return Circuit(row.failures, tuple(row.causes), row.state, row.until)

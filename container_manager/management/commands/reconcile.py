from contextlib import nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from container_manager.dispatcher import reconcile
from container_manager.exceptions import EngineUnavailable, PurserError, Unsupported
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.registry import executors
from container_manager.management.acts import acting

_REAP_SECONDS = 3600.0


class Command(BaseCommand):
    help = "Show how engines differ from the books, a difference a line; remove the executions that nobody owns."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--executor", action="append", dest="names", help="Repeatable. Default: every executor that can list."
        )
        parser.add_argument(
            "--apply",
            action="store_true",
            help="Remove what is unowned. What is missing is ended by the dispatcher that owns the job.",
        )

    def handle(self, *args: Any, names: list[str] | None, apply: bool, **options: Any) -> None:
        failures = [failure for name in names or executors if (failure := self._try(name, apply, asked=bool(names)))]
        if failures:
            raise CommandError("; ".join(failures))

    def _try(self, name: str, apply: bool, *, asked: bool) -> str | None:
        """Reconcile one executor; the sentence that says why it could not be done, if so."""
        try:
            with acting("reconcile", "executor", name) if apply else nullcontext():
                self._reconcile(executors[name], apply)
        except Unsupported as error:
            return str(error) if asked else None
        except EngineUnavailable as error:
            return f"{name}: {error}"
        except PurserError as error:
            return str(error)
        return None

    def _reconcile(self, executor: ContainerExecutor, apply: bool) -> None:
        drift = reconcile.compare(executor)
        for unowned in drift.unowned:
            self._line(executor.name, "unowned", unowned.execution_id, unowned.status, unowned.cause)
        for missing in drift.missing:
            self._line(executor.name, "missing", missing.execution_id)
        if apply:
            for reaped in reconcile.reap(executor, drift, _REAP_SECONDS):
                self._line(executor.name, "reaped", reaped.execution_id)

    def _line(self, *fields: str) -> None:
        self.stdout.write("  ".join(fields))

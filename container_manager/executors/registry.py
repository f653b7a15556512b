"""settings.EXECUTORS -> instances: one set per process, shared by all its threads.

An entry is `{"BACKEND": "dotted.path.Class", "OPTIONS": {...}}`, as for databases and storages.
"""

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from container_manager.circuit import Breaker
from container_manager.exceptions import InvalidConfig, UnknownExecutor
from container_manager.executors.base import ContainerExecutor
from container_manager.resources import Ledger


class Registry(Mapping[str, ContainerExecutor]):
    """The registered executors by name, each made on first use."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._made: dict[str, ContainerExecutor] = {}
        self.make_ledger: Callable[[str], Ledger] | None = None
        self.make_breaker: Callable[[str], Breaker] | None = None

    def __getitem__(self, name: str) -> ContainerExecutor:
        """Raises UnknownExecutor, or InvalidConfig for an entry that cannot be made."""
        with self._lock:
            if name not in self._made:
                if name not in settings.EXECUTORS:
                    known = ", ".join(sorted(settings.EXECUTORS)) or "none"
                    raise UnknownExecutor(f"executor {name!r} is not registered; registered are: {known}")
                self._made[name] = self.build(name, settings.EXECUTORS[name])
            return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(settings.EXECUTORS)

    def __len__(self) -> int:
        return len(settings.EXECUTORS)

    def __contains__(self, name: object) -> bool:
        return name in settings.EXECUTORS

    def build(self, name: str, entry: Any) -> ContainerExecutor:
        """Make an executor from its entry. Raises InvalidConfig that names what is wrong."""
        if not isinstance(entry, Mapping) or not isinstance(entry.get("BACKEND"), str):
            raise InvalidConfig(f"executor {name!r}: BACKEND is missing; it is the dotted path of a class")
        if unknown := set(entry) - {"BACKEND", "OPTIONS"}:
            raise InvalidConfig(f"executor {name!r}: unknown keys {sorted(unknown)}; known are BACKEND and OPTIONS")
        options = entry.get("OPTIONS", {})
        if not isinstance(options, Mapping):
            raise InvalidConfig(f"executor {name!r}: OPTIONS is {options!r}; it must be a table of keys")
        ledger = self.make_ledger(name) if self.make_ledger else None
        executor = _make(_class_of(name, entry["BACKEND"]), options, name, ledger)
        executor.breaker = self.make_breaker(name) if self.make_breaker else executor.breaker
        return executor

    def reset(self) -> None:
        """Close what was made; the next use makes it anew."""
        with self._lock:
            for executor in self._made.values():
                executor.close()
            self._made.clear()


def _class_of(name: str, path: str) -> type[ContainerExecutor]:
    try:
        found = import_string(path)
    except ImportError as error:
        raise InvalidConfig(f"executor {name!r}: BACKEND {path!r} cannot be imported: {error}") from None
    if not (isinstance(found, type) and issubclass(found, ContainerExecutor)):
        raise InvalidConfig(f"executor {name!r}: BACKEND {path!r} is not a ContainerExecutor")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise InvalidConfig(f"executor {name!r}: BACKEND {path!r} lacks {missing}")
    return found


def _make(found: Any, options: Mapping[str, Any], name: str, ledger: Ledger | None) -> ContainerExecutor:
    """Make an instance; one whose constructor takes the config alone is told its name and ledger afterwards."""
    parameters = inspect.signature(found).parameters.values()
    if any(each.name == "name" or each.kind is each.VAR_KEYWORD for each in parameters):
        return cast("ContainerExecutor", found(options, name=name, ledger=ledger))
    executor: ContainerExecutor = found(options)
    executor.name = name
    executor.ledger = ledger or executor.ledger
    return executor


executors = Registry()


def _on_setting_changed(*, setting: str, **_: object) -> None:
    if setting == "EXECUTORS":
        executors.reset()


setting_changed.connect(_on_setting_changed)

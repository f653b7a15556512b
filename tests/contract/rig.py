"""What the contract suite launches, and how it cleans up after itself."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from container_manager.exceptions import ExecutionNotFound
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.results import Execution
from container_manager.identifiers import uuid7
from container_manager.spec import JobSpec
from container_manager.states import ENDED

T = TypeVar("T")
Scenario = Mapping[str, Any]

STDOUT = b"one\ntwo: error \xc3\xa9\xff\x00end"
STDERR = b"warning: fine\nlast"
UNKNOWN_ID = "purser-00000000000070008000000000000000-1"


def shell_scenario(*, engine_away: Mapping[str, Any] | None, **common: Any) -> dict[str, Any]:
    """The behaviours, for an engine whose jobs find a POSIX shell; `common` is part of every request."""

    def shell(script: str, **more: Any) -> dict[str, Any]:
        return {**common, "command": ["sh", "-c", script], **more}

    return {
        "succeeds": shell("exit 0"),
        "exits_3": shell("exit 3"),
        "writes": shell(r"printf 'one\ntwo: error \303\251\377\000end'; printf 'warning: fine\nlast' >&2"),
        "sleeps": shell("echo ready; exec sleep 60"),
        "ignores_sigterm": shell("trap '' TERM; echo ready; exec sleep 60"),
        "exceeds_memory": shell("exec dd if=/dev/zero of=/dev/null bs=200M count=1", memory_mib=64),
        "shows_file": shell("cat /run/secrets/word; echo; echo ready; exec sleep 60"),
        "shows_variable": shell('printf "%s\nready\n" "$WORD"; exec sleep 60'),
        "copies_stdin": {**common, "command": ["cat"]},
        "not_startable": {**common, "command": ["/no/such/command"]},
        "engine_away": engine_away,
    }


class Rig:
    """Launches behaviours on one executor and removes every one of them at the end."""

    def __init__(self, executor: ContainerExecutor, scenario: Scenario, deadline: float) -> None:
        self.executor = executor
        self.deadline = deadline
        self._scenario = scenario
        self._launched: list[str] = []

    def spec(self, behaviour: str, **changes: Any) -> JobSpec:
        fields = {
            "id": uuid7(), "attempt": 1, "namespace": "test", "memory_mib": 64, "cpu_cores": 0.5,
            "timeout_seconds": 60.0, "grace_seconds": 5.0, **self._scenario[behaviour], **changes,
        }  # fmt: skip
        return JobSpec.model_validate(fields)

    def try_launch(self, spec: JobSpec) -> tuple[bool, str]:
        self._launched.append(spec.execution_id)
        ok, value = self.executor.launch_job(spec)
        if ok:
            self._launched.append(value)
        return ok, value

    def launch(self, behaviour: str, **changes: Any) -> str:
        ok, value = self.try_launch(self.spec(behaviour, **changes))
        assert ok, value
        return value

    def until(self, condition: Callable[[], T], what: str) -> T:
        """Ask again until the answer is truthy; the test fails at the deadline."""
        give_up = time.monotonic() + self.deadline
        while not (answer := condition()):
            assert time.monotonic() < give_up, f"{what} did not come within {self.deadline} s"
            time.sleep(0.02)
        return answer

    def ended(self, execution_id: str) -> Execution:
        self.until(lambda: self.executor.check_status(execution_id) in ENDED, f"the end of {execution_id}")
        return self.executor.inspect(execution_id)

    def ready(self, execution_id: str) -> None:
        """Wait for the first line of a behaviour that says `ready`."""
        self.until(lambda: "ready" in "".join(self.texts(execution_id)), "the line `ready`")

    def texts(self, execution_id: str) -> tuple[str, str]:
        logs = self.executor.get_logs(execution_id)
        return (logs, "") if isinstance(logs, str) else (logs[0], logs[1])

    def follow(self, execution_id: str) -> tuple[bytes, bytes]:
        """All that follow_logs yields until it ends by itself: stdout, stderr."""
        stop = threading.Event()
        frames = self.within_deadline(lambda: list(self.executor.follow_logs(execution_id, stop)), stop)
        return tuple(b"".join(f.data for f in frames if f.stream == name) for name in ("stdout", "stderr"))  # type: ignore[return-value]

    def within_deadline(self, work: Callable[[], T], stop: threading.Event) -> T:
        """Do work that may block; a test fails, instead of hanging, when it does not come back."""
        outcome: list[T] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(work())
            except Exception as error:  # noqa: BLE001  (handed to the test's own thread)
                failure.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(self.deadline)
        stop.set()
        assert not thread.is_alive(), f"no end within {self.deadline} s"
        if failure:
            raise failure[0]
        return outcome[0]

    def close(self) -> None:
        for execution_id in dict.fromkeys(self._launched):
            try:
                self.executor.cleanup(execution_id)
            except ExecutionNotFound:
                continue
        self.executor.close()

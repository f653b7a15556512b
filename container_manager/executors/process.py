"""Commands on this host, for where there is no engine: each under a small supervisor that outlives Purser."""

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound, FieldError, SecretUnavailable
from container_manager.executors.base import ContainerExecutor
from container_manager.executors.cgroups import MIB, Group
from container_manager.executors.process_host.command import command_line, secret_options
from container_manager.executors.process_host.directory import ExecutionDirectory
from container_manager.executors.process_host.options import ProcessOptions
from container_manager.executors.process_host.request import completed, errors_in, pids_of, spec_of
from container_manager.executors.process_host.sandbox import Bubblewrap, find_cgroups, find_user
from container_manager.executors.results import (
    Capabilities,
    Execution,
    ExecutionRef,
    Health,
    LaunchResult,
    LogFrame,
    Logs,
)
from container_manager.resources import Resources
from container_manager.spans import span
from container_manager.spec import JobRequest, JobSpec, parse_execution_id
from container_manager.states import ExecutionStatus, Reason

_ALWAYS = frozenset({"command", "entrypoint", "env", "working_dir", "stdin", "network", "secrets"})
_IN_A_SANDBOX = frozenset({"tmp_size_mib", "read_only_root"})
_UNDER_LIMITS = frozenset({"memory_mib", "cpu_cores", "pids_limit"})
_COMPLETED = frozenset({"memory_mib", "cpu_cores"})
"""Set in every JobSpec, asked for or not."""

_TICK_SECONDS = 0.03
_TICKS_PER_LOOK = 32


@dataclass(frozen=True, slots=True)
class _Host:
    """What was found to work on this host, and why the rest does not.

    A `bubblewrap` with a `no_sandbox` is one that jobs must have and cannot have now.
    """

    bubblewrap: Bubblewrap | None
    no_sandbox: str
    must_probe_again: bool
    cgroups: Mapping[str, str]
    no_limits: str


class ProcessExecutor(ContainerExecutor):
    """Runs commands on this host: in bubblewrap where it works, plain otherwise; `capabilities` says which.

    Limits are enforced where Purser may make control groups. Where it may not, a job's defaults are
    reserved and not enforced, and a request that asks for a limit is refused.
    """

    options_class = ProcessOptions
    options: ProcessOptions

    def __init__(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self._state_dir = Path(self.options.state_dir or _usual_state_dir()).absolute()
        self._default_user = find_user(self.options.default_user) if os.geteuid() == 0 else None

    @cached_property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """Found out on first use; a sandbox of which it was not found out is one."""
        sandboxed, limited = self._host.bubblewrap is not None, bool(self._host.cgroups)
        return Capabilities(
            fields=_ALWAYS
            | (_IN_A_SANDBOX if sandboxed else frozenset())
            | (_UNDER_LIMITS if limited else frozenset())
            | ({"user"} if self._default_user else frozenset()),
            isolation="bubblewrap" if sandboxed else "none",
            networks=("none",) if sandboxed else ("host",),
            streams_apart=True,
            exit_code=True,
            stop=True,
            live_logs=True,
            list_executions=True,
            enforces_memory=limited,
            enforces_cpu=limited,
            secrets=("file", "env") if sandboxed else ("env",),
        )

    @cached_property
    def _host(self) -> _Host:
        program = shutil.which("bwrap") or "bwrap"
        bubblewrap = Bubblewrap(program, (*self.options.hidden_paths, str(self._state_dir)))
        unwanted, unknown = self.options.sandbox == "none", False
        try:
            no_sandbox = "it is switched off" if unwanted else bubblewrap.problem(self._default_user)
        except EngineUnavailable as error:
            no_sandbox, unknown = str(error), True
        wanted = not no_sandbox or unknown or self.options.sandbox == "bubblewrap"
        return _Host(bubblewrap if wanted else None, no_sandbox, unknown, *find_cgroups(self.options.cgroup_parent))

    def _probe_again(self) -> None:
        """Find out what was not found out before."""
        if self._host.must_probe_again:
            for found in ("_host", "capabilities"):
                self.__dict__.pop(found, None)

    def prepare(self) -> None:
        with _asking():
            self._make_state_dir()

    # Requests

    def refusals(self, request: JobRequest) -> Sequence[FieldError]:
        return [*super().refusals(request), *errors_in(request, self.options, self.capabilities)]

    # Launch

    def launch_job(self, job: JobSpec) -> LaunchResult:
        if problem := self._missing_sandbox():
            raise EngineUnavailable(problem)
        if refused := self._refused(job):
            return LaunchResult(False, refused, Reason.POLICY_DENIED)
        try:
            secrets = self.given_secrets(job)
        except SecretUnavailable as error:
            return LaunchResult(False, str(error), Reason.LAUNCH_REFUSED)
        with _asking(), contextlib.ExitStack() as held:
            directory = ExecutionDirectory(self._state_dir / job.execution_id)
            with span("create", self.name, job.execution_id):
                lock = self._create(directory, job, held)
            if lock is not None:
                with span("start", self.name, job.execution_id):
                    directory.start(lock, secrets)
        return LaunchResult(True, job.execution_id)

    def _refused(self, job: JobSpec) -> str:
        fields = JobRequest.model_fields.keys() - (_COMPLETED - self.capabilities.fields)
        return "; ".join(str(error) for error in self.refusals(job) if error.field in fields)

    def _missing_sandbox(self) -> str:
        return self._host.no_sandbox if self._host.bubblewrap else ""

    def _create(self, directory: ExecutionDirectory, job: JobSpec, held: contextlib.ExitStack) -> int | None:
        """The lock of an execution that is ready to begin, or None for one that began; `held` lets it go."""
        self._make_state_dir()
        lock = directory.claim()
        if lock is not None:
            held.callback(os.close, lock)
            group = Group.named(job.execution_id, self._host.cgroups)
            group.create(job.memory_mib, job.cpu_cores, pids_of(job, self.options, self._host.bubblewrap))
            directory.write_spec(self._spec(job, group))
        return lock

    def complete(self, job: JobSpec) -> JobSpec:
        return completed(job, self.options, self.capabilities)

    def describe_launch(self, job: JobSpec) -> dict[str, Any]:
        spec = self._spec(job, Group.named(job.execution_id, self._host.cgroups))
        pids = pids_of(job, self.options, self._host.bubblewrap)
        limits = {"memory_mib": job.memory_mib, "cpu_cores": job.cpu_cores, "pids": pids}
        files = [(secret.place, "***") for secret in job.secrets if secret.kind == "file"]
        told = list(secret_options(files, spec["secret_dirs"]))
        variables = {secret.place: "***" for secret in job.secrets if secret.kind == "env"}
        return {
            "command_line": command_line(spec["sandbox"], told, spec["argv"]),
            "env": {**spec["env"], **variables},
            **{name: spec[name] for name in ("working_dir", "stdin", "user", "cgroups")},
            "limits": limits if self._host.cgroups else None,
        }

    def _spec(self, job: JobSpec, group: Group) -> dict[str, Any]:
        return spec_of(job, self.options, self._host.bubblewrap, group)

    def _make_state_dir(self) -> None:
        self._state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    # Questions

    def check_status(self, execution_id: str) -> ExecutionStatus:
        return self.inspect(execution_id).status

    def inspect(self, execution_id: str) -> Execution:
        try:
            directory = self._find(execution_id)
            return directory.inspect() if directory else Execution(ExecutionStatus.NOT_FOUND)
        except OSError as error:
            return Execution(ExecutionStatus.UNKNOWN, detail=str(error))

    def list_executions(self) -> list[ExecutionRef]:
        with _asking():
            try:
                names = sorted(filter(parse_execution_id, os.listdir(self._state_dir)))
            except FileNotFoundError:
                return []
            return [ExecutionRef(name, self.inspect(name).status) for name in names if self._find(name)]

    def watch(self, ids: Callable[[], Collection[str]], stop: threading.Event) -> Iterator[str | None]:
        yield None
        told: set[str] = set()
        tick = 0
        while not stop.wait(_TICK_SECONDS):
            wanted = set(ids())
            told &= wanted
            with _asking():
                over = [name for name in wanted - told if self._is_over(name, look=tick % _TICKS_PER_LOOK == 0)]
            told.update(over)
            yield from over
            tick += 1

    def get_logs(self, execution_id: str) -> Logs:
        with _asking():
            frames = [frame for frame, _ in self._get(execution_id).frames()]
        both = (b"".join(frame.data for frame in frames if frame.stream == name) for name in Logs._fields)
        return Logs(*(data.decode("utf-8", "replace") for data in both))

    def follow_logs(self, execution_id: str, stop: threading.Event) -> Iterator[LogFrame]:
        with _asking():
            directory, offset, over, tick = self._get(execution_id), 0, False, 0
            while not over:
                over = self._is_over(execution_id, look=tick % _TICKS_PER_LOOK == 0)
                tick += 1
                for frame, end in directory.frames(offset):
                    yield frame
                    offset = end
                    if stop.is_set():
                        return
                over = over or stop.wait(_TICK_SECONDS)

    def _find(self, execution_id: str) -> ExecutionDirectory | None:
        if not parse_execution_id(execution_id):
            return None
        directory = ExecutionDirectory(self._state_dir / execution_id)
        return directory if directory.exists() else None

    def _get(self, execution_id: str) -> ExecutionDirectory:
        if directory := self._find(execution_id):
            return directory
        raise ExecutionNotFound

    def _is_over(self, execution_id: str, look: bool = True) -> bool:
        """Whether it has ended or is gone; a supervisor that was killed is found only when asked to `look`."""
        directory = self._find(execution_id)
        return directory is None or directory.has_ended() or (look and directory.is_lost())

    # Ends

    def stop(self, execution_id: str, grace_seconds: float) -> None:
        with _asking():
            if directory := self._find(execution_id):
                directory.tell(signal.SIGTERM if grace_seconds > 0 else signal.SIGUSR1)

    def cleanup(self, execution_id: str) -> bool:
        with _asking():
            directory = self._find(execution_id)
            return directory is None or (directory.end() and directory.purge() and directory.remove())

    # Health

    def health_check(self) -> Health:
        try:
            self._make_state_dir()
            with tempfile.TemporaryFile(dir=self._state_dir):
                pass
        except OSError as error:
            return Health(False, f"state_dir cannot be written: {error}")
        self._probe_again()
        if problem := self._missing_sandbox():
            return Health(False, problem)
        return Health(True, self._terms())

    def _terms(self) -> str:
        host = self._host
        isolation = "jobs run in bubblewrap" if host.bubblewrap else f"jobs run without a sandbox: {host.no_sandbox}"
        limits = (
            "limits are enforced by control groups" if host.cgroups else f"limits are not enforced: {host.no_limits}"
        )
        return f"{isolation}; {limits}"

    def capacity(self) -> Resources:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return Resources(memory=memory // MIB, cpu=os.cpu_count() or 1)


def _usual_state_dir() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "purser/process"


@contextlib.contextmanager
def _asking() -> Iterator[None]:
    """What the host does not give is an engine that does not answer."""
    try:
        yield
    except OSError as error:
        raise EngineUnavailable(str(error)) from error

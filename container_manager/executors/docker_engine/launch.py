"""Launching: pull, create and start, in an order that a crash or a second caller at any point does no harm to."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound, PurserError, SecretUnavailable
from container_manager.executors.docker_engine.binding import Binder
from container_manager.executors.docker_engine.bookings import Bookings
from container_manager.executors.docker_engine.client import Engine, EngineRefusal, PullAbandoned
from container_manager.executors.docker_engine.groups import ParentGroups
from container_manager.executors.docker_engine.networks import NetworkLost, Networks, Taken
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.executors.docker_engine.outcome import launch_reason, pull_reason
from container_manager.executors.docker_engine.policy import denials
from container_manager.executors.docker_engine.request import NETWORK, completed, container_request, is_owned
from container_manager.executors.docker_engine.secret_files import SecretFiles
from container_manager.executors.docker_engine.streams import StdinFeed
from container_manager.executors.docker_engine.waiting import Misfit, is_warm
from container_manager.executors.docker_engine.warm import WarmPools
from container_manager.executors.results import GivenSecret, LaunchResult
from container_manager.spans import span
from container_manager.spec import JobSpec
from container_manager.states import LaunchPath, Reason

logger = logging.getLogger(__name__)

CONFLICT_SECONDS = 5.0
CONFLICT_PAUSE_SECONDS = 0.02


class _Refused(Exception):
    """A launch ends here, for this reason."""

    def __init__(self, message: str, reason: Reason) -> None:
        self.reason = reason
        super().__init__(message)


class Launcher:
    """Gives each attempt of a job one container, whose name is the execution id."""

    def __init__(
        self,
        engine: Engine,
        options: DockerOptions,
        executor: str,
        groups: ParentGroups,
        files: SecretFiles,
        secrets_of: Callable[[JobSpec], Sequence[GivenSecret]],
        networks: Networks,
        pools: WarmPools,
        bookings: Bookings,
    ) -> None:
        self._engine = engine
        self._groups = groups
        self._pools = pools
        self._binder = Binder(engine, executor, pools, bookings, groups, self._reads_on)
        self._files = files
        self._secrets_of = secrets_of
        self._networks = networks
        self._options = options
        self._executor = executor
        self._closed = threading.Event()
        self._pulls: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    def close(self) -> None:
        """Let go of standard inputs that are still being written."""
        self._closed.set()

    def abandon(self, execution_id: str) -> None:
        """Same promise as `abandon_launch`: a pull is given up, the short steps around it are not."""
        if abandoned := self._pulls.get(execution_id):
            abandoned.set()

    def launch(self, job: JobSpec) -> LaunchResult:
        """Same promise as `launch_job`."""
        try:
            return self._launch(job)
        except NetworkLost as lost:
            self._networks.drop(job.execution_id)
            logger.info("no prepared network", extra={"execution_id": job.execution_id, "why": str(lost)})
            return self._launch(job, Taken(detail=str(lost)))

    def _launch(self, job: JobSpec, taken: Taken | None = None) -> LaunchResult:
        try:
            self._check(job)
            with self._turn(job.execution_id):
                slower = self._bind(job)
                if slower is not None:
                    return self._launch_cold(job, self._networks.take(job) if taken is None else taken, slower)
        except SecretUnavailable as error:
            return LaunchResult(False, str(error), Reason.LAUNCH_REFUSED)
        except _Refused as refused:
            self._files.remove(job.execution_id)
            return LaunchResult(False, str(refused), refused.reason)
        except EngineRefusal as refusal:
            self._insist_that_it_stays(refusal)
            self._files.remove(job.execution_id)
            return LaunchResult(False, str(refusal), launch_reason(refusal.status, str(refusal)))
        return LaunchResult(True, job.execution_id, path=LaunchPath.WARM)

    def _bind(self, job: JobSpec) -> str | None:
        """None when a container that waited has the job, else why not; empty where none are kept."""
        if not self._pools:
            return ""
        try:
            asked = container_request(job, self._options, self._executor)
            self._binder.bind(job, asked, self._secrets_of(job))
        except Misfit as misfit:
            return str(misfit)
        return None

    def _launch_cold(self, job: JobSpec, taken: Taken, slower: str) -> LaunchResult:
        found = None
        if container := self._create_unless_begun(job, taken.network):
            self._start(job, taken.network, container)
        else:
            found = self._find(job)
            taken = self._as_found(job, taken, found)
        self._files.remove(job.execution_id)
        if found and is_warm(found):
            return LaunchResult(True, job.execution_id, path=LaunchPath.WARM)
        self._binder.forget(job.execution_id)
        detail = "; ".join(filter(None, (slower, taken.detail)))
        return LaunchResult(True, job.execution_id, path=self._path(taken), path_detail=detail)

    def _path(self, taken: Taken) -> LaunchPath | None:
        if taken.network:
            return LaunchPath.PREPARED_NETWORK
        return LaunchPath.COLD if self._networks.are_kept or self._pools else None

    def _as_found(self, job: JobSpec, taken: Taken, found: dict[str, Any] | None) -> Taken:
        """The network of the container that an earlier launch began; another one that was taken now is given back."""
        network = found["Config"]["Labels"].get(NETWORK, "") if found else ""
        if network != taken.network:
            self._networks.give_back(job.execution_id)
        return Taken(network)

    def _turn(self, execution_id: str) -> threading.Lock:
        """For one launch of an attempt at a time: a second one finds what the first has begun."""
        with self._lock:
            return self._turns.setdefault(execution_id, threading.Lock())

    def _insist_that_it_stays(self, refusal: EngineRefusal) -> None:
        """An engine that is going down refuses for causes of its own: that is no answer about the job."""
        if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not self._engine.takes_connections():
            raise EngineUnavailable(f"the engine at {self._engine.address} is going down: {refusal}") from refusal

    def _insist_that_it_stands(self, network: str, refusal: EngineRefusal) -> None:
        """A refusal because of a prepared network that is gone is no answer about the job."""
        if network and not self._networks.stands(network):
            raise NetworkLost("its prepared network namespace was gone") from refusal

    def _check(self, job: JobSpec) -> None:
        """The config may have changed since the request was accepted."""
        if denied := denials(self._options, job):
            raise _Refused(f"{denied[0].field}: {denied[0].detail}", Reason.POLICY_DENIED)
        for mount in job.mounts:
            # The engine would make a volume that is not there, and nobody would remove it.
            if mount.type == "volume" and not self._engine.has_volume(mount.source):
                raise _Refused(f"the engine has no volume {mount.source!r}", Reason.LAUNCH_REFUSED)

    def _create_unless_begun(self, job: JobSpec, network: str) -> str | None:
        """The engine's id of a container that is to be started; None if an earlier launch of this attempt has begun."""
        policy = completed(job, self._options).pull_policy
        if policy != "always" or self._find(job):  # what was made has been pulled
            try:
                return self._create(job, network)
            except EngineRefusal as refusal:
                if refusal.status != 404 or policy == "never":
                    raise
            if (found := self._find(job)) and _has_begun(found):
                return None
        self._files.remove(job.execution_id)  # a pull may take long
        self._pull(job)
        return self._create(job, network)

    def describe(self, job: JobSpec) -> dict[str, Any]:
        """Same promise as `describe_launch`. The engine's default stands for a cgroup parent that is not known yet."""
        request = self._request(job)
        request["Env"] += [f"{secret.place}=***" for secret in job.secrets if secret.kind == "env"]
        files = [secret.place for secret in job.secrets if secret.kind == "file"]
        request["HostConfig"]["Mounts"] += self._files.mounts(job.execution_id, files)
        return {"method": "POST", "path": f"/containers/create?name={job.execution_id}", "body": request}

    def _request(self, job: JobSpec, network: str = "") -> dict[str, Any]:
        return container_request(job, self._options, self._executor, self._groups.parent(job.execution_id), network)

    def _create(self, job: JobSpec, network: str) -> str | None:
        if not self._groups.are_known:
            self._groups.learn(self._engine.cgroup_driver())
        request = self._request(job, network)
        self._give_secrets(job, request)
        give_up = time.monotonic() + CONFLICT_SECONDS
        while True:
            try:
                with span("create", self._executor, job.execution_id):
                    container, warnings = self._engine.create(job.execution_id, request)
            except EngineRefusal as refusal:
                if refusal.status != 409:
                    self._insist_that_it_stands(network, refusal)
                    raise
                if self._has_begun_or_goes(job):
                    return None
                # The name is taken a moment before it can be inspected, and given back a moment after.
                if time.monotonic() > give_up:
                    raise
                time.sleep(CONFLICT_PAUSE_SECONDS)
            else:
                self._insist(job, container, warnings)
                return container

    def _has_begun_or_goes(self, job: JobSpec) -> bool:
        """Whether the execution that is there has begun. One that has not makes room for a new one.

        Who made it may still be about to start it, and may hold its standard input: then he finds it gone.
        """
        found = self._find(job)
        if found is None or _has_begun(found):
            return found is not None
        with span("replace", self._executor, job.execution_id):
            self._engine.remove_unless_running(found["Id"])
        return False

    def _give_secrets(self, job: JobSpec, request: dict[str, Any]) -> None:
        given = self._secrets_of(job)
        request["Env"] += [f"{secret.place}={secret.value}" for secret in given if secret.kind == "env"]
        try:
            request["HostConfig"]["Mounts"] += self._files.write(job.execution_id, given)
        except OSError as error:
            told = f"secrets cannot be given as files: {error.strerror or type(error).__name__}"
            raise _Refused(told, Reason.LAUNCH_ERROR) from error

    def _insist(self, job: JobSpec, container: str, warnings: Sequence[str]) -> None:
        """What is reserved must also be enforced: an engine that says "PIDs limit discarded" is not let do so."""
        if dropped := [warning for warning in warnings if "discarded" in warning]:
            self._discard(job, container)
            raise _Refused("; ".join(dropped), Reason.LAUNCH_ERROR)

    def _find(self, job: JobSpec) -> dict[str, Any] | None:
        try:
            found = self._engine.inspect(job.execution_id)
        except ExecutionNotFound:
            return None
        if not is_owned(found["Config"]["Labels"], self._executor, self._options.instance):
            raise _Refused(
                f"a container {job.execution_id} exists that this executor did not make", Reason.LAUNCH_ERROR
            )
        return None if is_warm(found) and self._takes_back(job, found) else found

    def _takes_back(self, job: JobSpec, found: Mapping[str, Any]) -> bool:
        """Remove what an earlier launch was given and has not told what to run."""
        try:
            return self._binder.takes_back(job.execution_id, found["Id"])
        except Misfit as misfit:
            raise _Refused(str(misfit), Reason.LAUNCH_ERROR) from misfit

    def _pull(self, job: JobSpec) -> None:
        try:
            credentials = self._options.registry_auth[job.registry_auth].read() if job.registry_auth else None
        except (OSError, KeyError) as error:
            message = f"the password of registry_auth {job.registry_auth!r} cannot be read: {type(error).__name__}"
            raise _Refused(message, Reason.IMAGE_PULL_FAILED) from error
        abandoned = self._pulls.setdefault(job.execution_id, threading.Event())
        try:
            with span("pull", self._executor, job.execution_id):
                self._engine.pull(str(job.image), credentials, abandoned)
        except PullAbandoned as error:
            raise _Refused(str(error), Reason.IMAGE_PULL_FAILED) from error
        except EngineRefusal as refusal:
            self._insist_that_it_stays(refusal)
            raise _Refused(str(refusal), pull_reason(refusal.status, str(refusal))) from refusal
        finally:
            self._pulls.pop(job.execution_id, None)

    def _start(self, job: JobSpec, network: str, container: str) -> None:
        try:
            if job.stdin:
                self._start_with_input(job, network, container, job.stdin.encode())
            else:
                self._start_container(job, network, container)
        except NetworkLost:
            self._discard(job, container)
            raise
        except EngineRefusal as refusal:
            self._insist_that_it_stays(refusal)
            self._discard(job, container)
            self._insist_that_it_stands(network, refusal)
            raise _Refused(str(refusal), launch_reason(refusal.status, str(refusal))) from refusal

    def _discard(self, job: JobSpec, container: str) -> None:
        """Remove what did not start; what the engine will not remove now is left to the cleanup of the attempt."""
        try:
            self._engine.remove(container)
            self._files.remove(job.execution_id)
            self._groups.remove(job.execution_id)
        except EngineRefusal as refusal:
            logger.warning("not removed yet", extra={"execution_id": job.execution_id, "error": str(refusal)})

    def _start_container(self, job: JobSpec, network: str, container: str) -> None:
        if network:
            with span("network", self._executor, job.execution_id):
                self._networks.insist(network, job.execution_id)
        with span("start", self._executor, job.execution_id):
            self._engine.start(container)  # by its id: under its name another may stand by now
        self._groups.confirm(job.execution_id)

    def _start_with_input(self, job: JobSpec, network: str, container: str, data: bytes) -> None:
        feed = StdinFeed(self._engine.open_stdin(container), data)
        try:
            self._start_container(job, network, container)
        except PurserError:
            feed.abandon()
            raise
        feed.finish(job.execution_id, lambda: self._reads_on(job.execution_id))

    def _reads_on(self, execution_id: str) -> bool:
        try:
            return not self._closed.is_set() and bool(self._engine.inspect(execution_id)["State"]["Running"])
        except PurserError:
            return False


def _has_begun(found: Mapping[str, Any]) -> bool:
    return bool(found["State"]["Status"] != "created")

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.pull_policy import PullPolicy
from ..models.retry_reason import RetryReason
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.environment import Environment
    from ..models.labels import Labels
    from ..models.mount import Mount
    from ..models.scenario import Scenario
    from ..models.secret import Secret
    from ..models.tmpfs import Tmpfs


T = TypeVar("T", bound="JobRequest")


@_attrs_define
class JobRequest:
    """What to run, with which limits. Everything has a default but the command or the image.

    Attributes:
        image (None | str | Unset): The image to run, where the executor runs images.
        pull_policy (None | PullPolicy | Unset): When the image is pulled. Default: the executor's.
        registry_auth (None | str | Unset): The name of registry credentials that the operator has put in the executor's
            config.
        entrypoint (list[str] | None | Unset): Replaces the image's entrypoint.
        command (list[str] | None | Unset): The command and its arguments, one item each; no shell reads it.
        env (Environment | Unset): Environment variables by name; a name has 1 to 256 characters and no `=`.
        working_dir (None | str | Unset): The directory to start in.
        user (None | str | Unset): User, or user:group, by name or number.
        stdin (None | str | Unset): Text given to the command on standard input.
        labels (Labels | Unset): Names and values to find a job by; a name has 1 to 63 letters, digits, `.`, `_`, `-` or
            `/`, with a letter or digit at both ends.
        memory_mib (int | None | Unset): Memory limit in MiB: reserved and enforced. Default: the executor's.
        cpu_cores (float | None | Unset): Cpu limit in cores: reserved and enforced. Default: the executor's.
        pids_limit (int | None | Unset): How many processes and threads at most.
        tmp_size_mib (int | None | Unset): Size in MiB of a private /tmp held in memory.
        network (None | str | Unset): The network to join; one of the executor's `networks`. Default: `none`.
        read_only_root (bool | None | Unset): Whether the root file system is read-only.
        tmpfs (list[Tmpfs] | Unset): File systems in memory.
        mounts (list[Mount] | Unset): Host directories and volumes, under allowed roots only.
        secrets (list[Secret] | Unset): Values that the job is given as files or variables, and that never come back.
        timeout_seconds (float | None | Unset): Wall time in seconds from start to stop. Default: the executor's.
        queue_timeout_seconds (float | None | Unset): How long in seconds it may wait to be launched. Default: for ever.
        grace_seconds (float | None | Unset): Seconds between SIGTERM and SIGKILL when it is stopped. Default: the
            executor's.
        max_retries (int | None | Unset): How often it is launched again for a reason of `retry_on`. Default: the
            executor's.
        retry_on (list[RetryReason] | None | Unset): Reasons for which it is launched again. Default: faults of the
            engine, which are `engine_lost`, `image_pull_failed` and `launch_error`; never the job's own end.
        retry_backoff_seconds (float | Unset): Longest wait (s) before the first retry. It doubles with each; each is at
            least half of that. Default: 1.0.
        retry_backoff_cap_seconds (float | Unset): No retry waits longer than so many seconds. Default: 300.0.
        priority (int | Unset): Higher is launched earlier. Default: 0.
        scenario (None | Scenario | Unset): What the `mock` executor plays; other executors refuse it.
    """

    image: None | str | Unset = UNSET
    pull_policy: None | PullPolicy | Unset = UNSET
    registry_auth: None | str | Unset = UNSET
    entrypoint: list[str] | None | Unset = UNSET
    command: list[str] | None | Unset = UNSET
    env: Environment | Unset = UNSET
    working_dir: None | str | Unset = UNSET
    user: None | str | Unset = UNSET
    stdin: None | str | Unset = UNSET
    labels: Labels | Unset = UNSET
    memory_mib: int | None | Unset = UNSET
    cpu_cores: float | None | Unset = UNSET
    pids_limit: int | None | Unset = UNSET
    tmp_size_mib: int | None | Unset = UNSET
    network: None | str | Unset = UNSET
    read_only_root: bool | None | Unset = UNSET
    tmpfs: list[Tmpfs] | Unset = UNSET
    mounts: list[Mount] | Unset = UNSET
    secrets: list[Secret] | Unset = UNSET
    timeout_seconds: float | None | Unset = UNSET
    queue_timeout_seconds: float | None | Unset = UNSET
    grace_seconds: float | None | Unset = UNSET
    max_retries: int | None | Unset = UNSET
    retry_on: list[RetryReason] | None | Unset = UNSET
    retry_backoff_seconds: float | Unset = 1.0
    retry_backoff_cap_seconds: float | Unset = 300.0
    priority: int | Unset = 0
    scenario: None | Scenario | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.scenario import Scenario  # noqa: PLC0415

        image: None | str | Unset
        if isinstance(self.image, Unset):
            image = UNSET
        else:
            image = self.image

        pull_policy: None | str | Unset
        if isinstance(self.pull_policy, Unset):
            pull_policy = UNSET
        elif isinstance(self.pull_policy, PullPolicy):
            pull_policy = self.pull_policy.value
        else:
            pull_policy = self.pull_policy

        registry_auth: None | str | Unset
        if isinstance(self.registry_auth, Unset):
            registry_auth = UNSET
        else:
            registry_auth = self.registry_auth

        entrypoint: list[str] | None | Unset
        if isinstance(self.entrypoint, Unset):
            entrypoint = UNSET
        elif isinstance(self.entrypoint, list):
            entrypoint = self.entrypoint

        else:
            entrypoint = self.entrypoint

        command: list[str] | None | Unset
        if isinstance(self.command, Unset):
            command = UNSET
        elif isinstance(self.command, list):
            command = self.command

        else:
            command = self.command

        env: dict[str, Any] | Unset = UNSET
        if not isinstance(self.env, Unset):
            env = self.env.to_dict()

        working_dir: None | str | Unset
        if isinstance(self.working_dir, Unset):
            working_dir = UNSET
        else:
            working_dir = self.working_dir

        user: None | str | Unset
        if isinstance(self.user, Unset):
            user = UNSET
        else:
            user = self.user

        stdin: None | str | Unset
        if isinstance(self.stdin, Unset):
            stdin = UNSET
        else:
            stdin = self.stdin

        labels: dict[str, Any] | Unset = UNSET
        if not isinstance(self.labels, Unset):
            labels = self.labels.to_dict()

        memory_mib: int | None | Unset
        if isinstance(self.memory_mib, Unset):
            memory_mib = UNSET
        else:
            memory_mib = self.memory_mib

        cpu_cores: float | None | Unset
        if isinstance(self.cpu_cores, Unset):
            cpu_cores = UNSET
        else:
            cpu_cores = self.cpu_cores

        pids_limit: int | None | Unset
        if isinstance(self.pids_limit, Unset):
            pids_limit = UNSET
        else:
            pids_limit = self.pids_limit

        tmp_size_mib: int | None | Unset
        if isinstance(self.tmp_size_mib, Unset):
            tmp_size_mib = UNSET
        else:
            tmp_size_mib = self.tmp_size_mib

        network: None | str | Unset
        if isinstance(self.network, Unset):
            network = UNSET
        else:
            network = self.network

        read_only_root: bool | None | Unset
        if isinstance(self.read_only_root, Unset):
            read_only_root = UNSET
        else:
            read_only_root = self.read_only_root

        tmpfs: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.tmpfs, Unset):
            tmpfs = []
            for tmpfs_item_data in self.tmpfs:
                tmpfs_item = tmpfs_item_data.to_dict()
                tmpfs.append(tmpfs_item)

        mounts: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.mounts, Unset):
            mounts = []
            for mounts_item_data in self.mounts:
                mounts_item = mounts_item_data.to_dict()
                mounts.append(mounts_item)

        secrets: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.secrets, Unset):
            secrets = []
            for secrets_item_data in self.secrets:
                secrets_item = secrets_item_data.to_dict()
                secrets.append(secrets_item)

        timeout_seconds: float | None | Unset
        if isinstance(self.timeout_seconds, Unset):
            timeout_seconds = UNSET
        else:
            timeout_seconds = self.timeout_seconds

        queue_timeout_seconds: float | None | Unset
        if isinstance(self.queue_timeout_seconds, Unset):
            queue_timeout_seconds = UNSET
        else:
            queue_timeout_seconds = self.queue_timeout_seconds

        grace_seconds: float | None | Unset
        if isinstance(self.grace_seconds, Unset):
            grace_seconds = UNSET
        else:
            grace_seconds = self.grace_seconds

        max_retries: int | None | Unset
        if isinstance(self.max_retries, Unset):
            max_retries = UNSET
        else:
            max_retries = self.max_retries

        retry_on: list[str] | None | Unset
        if isinstance(self.retry_on, Unset):
            retry_on = UNSET
        elif isinstance(self.retry_on, list):
            retry_on = []
            for retry_on_type_0_item_data in self.retry_on:
                retry_on_type_0_item = retry_on_type_0_item_data.value
                retry_on.append(retry_on_type_0_item)

        else:
            retry_on = self.retry_on

        retry_backoff_seconds = self.retry_backoff_seconds

        retry_backoff_cap_seconds = self.retry_backoff_cap_seconds

        priority = self.priority

        scenario: dict[str, Any] | None | Unset
        if isinstance(self.scenario, Unset):
            scenario = UNSET
        elif isinstance(self.scenario, Scenario):
            scenario = self.scenario.to_dict()
        else:
            scenario = self.scenario

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if image is not UNSET:
            field_dict["image"] = image
        if pull_policy is not UNSET:
            field_dict["pull_policy"] = pull_policy
        if registry_auth is not UNSET:
            field_dict["registry_auth"] = registry_auth
        if entrypoint is not UNSET:
            field_dict["entrypoint"] = entrypoint
        if command is not UNSET:
            field_dict["command"] = command
        if env is not UNSET:
            field_dict["env"] = env
        if working_dir is not UNSET:
            field_dict["working_dir"] = working_dir
        if user is not UNSET:
            field_dict["user"] = user
        if stdin is not UNSET:
            field_dict["stdin"] = stdin
        if labels is not UNSET:
            field_dict["labels"] = labels
        if memory_mib is not UNSET:
            field_dict["memory_mib"] = memory_mib
        if cpu_cores is not UNSET:
            field_dict["cpu_cores"] = cpu_cores
        if pids_limit is not UNSET:
            field_dict["pids_limit"] = pids_limit
        if tmp_size_mib is not UNSET:
            field_dict["tmp_size_mib"] = tmp_size_mib
        if network is not UNSET:
            field_dict["network"] = network
        if read_only_root is not UNSET:
            field_dict["read_only_root"] = read_only_root
        if tmpfs is not UNSET:
            field_dict["tmpfs"] = tmpfs
        if mounts is not UNSET:
            field_dict["mounts"] = mounts
        if secrets is not UNSET:
            field_dict["secrets"] = secrets
        if timeout_seconds is not UNSET:
            field_dict["timeout_seconds"] = timeout_seconds
        if queue_timeout_seconds is not UNSET:
            field_dict["queue_timeout_seconds"] = queue_timeout_seconds
        if grace_seconds is not UNSET:
            field_dict["grace_seconds"] = grace_seconds
        if max_retries is not UNSET:
            field_dict["max_retries"] = max_retries
        if retry_on is not UNSET:
            field_dict["retry_on"] = retry_on
        if retry_backoff_seconds is not UNSET:
            field_dict["retry_backoff_seconds"] = retry_backoff_seconds
        if retry_backoff_cap_seconds is not UNSET:
            field_dict["retry_backoff_cap_seconds"] = retry_backoff_cap_seconds
        if priority is not UNSET:
            field_dict["priority"] = priority
        if scenario is not UNSET:
            field_dict["scenario"] = scenario

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.environment import Environment  # noqa: PLC0415
        from ..models.labels import Labels  # noqa: PLC0415
        from ..models.mount import Mount  # noqa: PLC0415
        from ..models.scenario import Scenario  # noqa: PLC0415
        from ..models.secret import Secret  # noqa: PLC0415
        from ..models.tmpfs import Tmpfs  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_image(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        image = _parse_image(d.pop("image", UNSET))

        def _parse_pull_policy(data: object) -> None | PullPolicy | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                pull_policy_type_0 = PullPolicy(data)

                return pull_policy_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PullPolicy | Unset, data)

        pull_policy = _parse_pull_policy(d.pop("pull_policy", UNSET))

        def _parse_registry_auth(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        registry_auth = _parse_registry_auth(d.pop("registry_auth", UNSET))

        def _parse_entrypoint(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                entrypoint_type_0 = cast(list[str], data)

                return entrypoint_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        entrypoint = _parse_entrypoint(d.pop("entrypoint", UNSET))

        def _parse_command(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                command_type_0 = cast(list[str], data)

                return command_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        command = _parse_command(d.pop("command", UNSET))

        _env = d.pop("env", UNSET)
        env: Environment | Unset
        if isinstance(_env, Unset):
            env = UNSET
        else:
            env = Environment.from_dict(_env)

        def _parse_working_dir(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        working_dir = _parse_working_dir(d.pop("working_dir", UNSET))

        def _parse_user(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        user = _parse_user(d.pop("user", UNSET))

        def _parse_stdin(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        stdin = _parse_stdin(d.pop("stdin", UNSET))

        _labels = d.pop("labels", UNSET)
        labels: Labels | Unset
        if isinstance(_labels, Unset):
            labels = UNSET
        else:
            labels = Labels.from_dict(_labels)

        def _parse_memory_mib(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        memory_mib = _parse_memory_mib(d.pop("memory_mib", UNSET))

        def _parse_cpu_cores(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        cpu_cores = _parse_cpu_cores(d.pop("cpu_cores", UNSET))

        def _parse_pids_limit(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        pids_limit = _parse_pids_limit(d.pop("pids_limit", UNSET))

        def _parse_tmp_size_mib(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        tmp_size_mib = _parse_tmp_size_mib(d.pop("tmp_size_mib", UNSET))

        def _parse_network(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        network = _parse_network(d.pop("network", UNSET))

        def _parse_read_only_root(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        read_only_root = _parse_read_only_root(d.pop("read_only_root", UNSET))

        _tmpfs = d.pop("tmpfs", UNSET)
        tmpfs: list[Tmpfs] | Unset = UNSET
        if _tmpfs is not UNSET:
            tmpfs = []
            for tmpfs_item_data in _tmpfs:
                tmpfs_item = Tmpfs.from_dict(tmpfs_item_data)

                tmpfs.append(tmpfs_item)

        _mounts = d.pop("mounts", UNSET)
        mounts: list[Mount] | Unset = UNSET
        if _mounts is not UNSET:
            mounts = []
            for mounts_item_data in _mounts:
                mounts_item = Mount.from_dict(mounts_item_data)

                mounts.append(mounts_item)

        _secrets = d.pop("secrets", UNSET)
        secrets: list[Secret] | Unset = UNSET
        if _secrets is not UNSET:
            secrets = []
            for secrets_item_data in _secrets:
                secrets_item = Secret.from_dict(secrets_item_data)

                secrets.append(secrets_item)

        def _parse_timeout_seconds(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        timeout_seconds = _parse_timeout_seconds(d.pop("timeout_seconds", UNSET))

        def _parse_queue_timeout_seconds(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        queue_timeout_seconds = _parse_queue_timeout_seconds(d.pop("queue_timeout_seconds", UNSET))

        def _parse_grace_seconds(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        grace_seconds = _parse_grace_seconds(d.pop("grace_seconds", UNSET))

        def _parse_max_retries(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        max_retries = _parse_max_retries(d.pop("max_retries", UNSET))

        def _parse_retry_on(data: object) -> list[RetryReason] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                retry_on_type_0 = []
                _retry_on_type_0 = data
                for retry_on_type_0_item_data in _retry_on_type_0:
                    retry_on_type_0_item = RetryReason(retry_on_type_0_item_data)

                    retry_on_type_0.append(retry_on_type_0_item)

                return retry_on_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[RetryReason] | None | Unset, data)

        retry_on = _parse_retry_on(d.pop("retry_on", UNSET))

        retry_backoff_seconds = d.pop("retry_backoff_seconds", UNSET)

        retry_backoff_cap_seconds = d.pop("retry_backoff_cap_seconds", UNSET)

        priority = d.pop("priority", UNSET)

        def _parse_scenario(data: object) -> None | Scenario | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                scenario_type_0 = Scenario.from_dict(data)

                return scenario_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Scenario | Unset, data)

        scenario = _parse_scenario(d.pop("scenario", UNSET))

        job_request = cls(
            image=image,
            pull_policy=pull_policy,
            registry_auth=registry_auth,
            entrypoint=entrypoint,
            command=command,
            env=env,
            working_dir=working_dir,
            user=user,
            stdin=stdin,
            labels=labels,
            memory_mib=memory_mib,
            cpu_cores=cpu_cores,
            pids_limit=pids_limit,
            tmp_size_mib=tmp_size_mib,
            network=network,
            read_only_root=read_only_root,
            tmpfs=tmpfs,
            mounts=mounts,
            secrets=secrets,
            timeout_seconds=timeout_seconds,
            queue_timeout_seconds=queue_timeout_seconds,
            grace_seconds=grace_seconds,
            max_retries=max_retries,
            retry_on=retry_on,
            retry_backoff_seconds=retry_backoff_seconds,
            retry_backoff_cap_seconds=retry_backoff_cap_seconds,
            priority=priority,
            scenario=scenario,
        )

        return job_request

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.secret_kind import SecretKind

T = TypeVar("T", bound="Capabilities")


@_attrs_define
class Capabilities:
    """What an executor can do on this host.

    Attributes:
        fields (list[str]): Fields of a launch request that it honours; others are refused.
        isolation (str): What separates a job from the host: `container`, `bubblewrap`, `none` or `simulated`.
        networks (list[str]): What `network` may be.
        streams_apart (bool): Whether stdout and stderr are kept apart.
        exit_code (bool): Whether exit codes are known.
        stop (bool): Whether a running job can be stopped with a grace.
        live_logs (bool): Whether logs can be read while the job runs.
        list_executions (bool): Whether the engine can be asked what it runs.
        enforces_memory (bool): Whether the memory limit is enforced.
        enforces_cpu (bool): Whether the cpu limit is enforced.
        secrets (list[SecretKind]): As what it can give secrets.
    """

    fields: list[str]
    isolation: str
    networks: list[str]
    streams_apart: bool
    exit_code: bool
    stop: bool
    live_logs: bool
    list_executions: bool
    enforces_memory: bool
    enforces_cpu: bool
    secrets: list[SecretKind]

    def to_dict(self) -> dict[str, Any]:
        fields = self.fields

        isolation = self.isolation

        networks = self.networks

        streams_apart = self.streams_apart

        exit_code = self.exit_code

        stop = self.stop

        live_logs = self.live_logs

        list_executions = self.list_executions

        enforces_memory = self.enforces_memory

        enforces_cpu = self.enforces_cpu

        secrets = []
        for secrets_item_data in self.secrets:
            secrets_item = secrets_item_data.value
            secrets.append(secrets_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "fields": fields,
                "isolation": isolation,
                "networks": networks,
                "streams_apart": streams_apart,
                "exit_code": exit_code,
                "stop": stop,
                "live_logs": live_logs,
                "list_executions": list_executions,
                "enforces_memory": enforces_memory,
                "enforces_cpu": enforces_cpu,
                "secrets": secrets,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        fields = cast(list[str], d.pop("fields"))

        isolation = d.pop("isolation")

        networks = cast(list[str], d.pop("networks"))

        streams_apart = d.pop("streams_apart")

        exit_code = d.pop("exit_code")

        stop = d.pop("stop")

        live_logs = d.pop("live_logs")

        list_executions = d.pop("list_executions")

        enforces_memory = d.pop("enforces_memory")

        enforces_cpu = d.pop("enforces_cpu")

        secrets = []
        _secrets = d.pop("secrets")
        for secrets_item_data in _secrets:
            secrets_item = SecretKind(secrets_item_data)

            secrets.append(secrets_item)

        capabilities = cls(
            fields=fields,
            isolation=isolation,
            networks=networks,
            streams_apart=streams_apart,
            exit_code=exit_code,
            stop=stop,
            live_logs=live_logs,
            list_executions=list_executions,
            enforces_memory=enforces_memory,
            enforces_cpu=enforces_cpu,
            secrets=secrets,
        )

        return capabilities

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.capabilities import Capabilities
    from ..models.defaults import Defaults
    from ..models.health import Health
    from ..models.limits import Limits
    from ..models.utilization import Utilization


T = TypeVar("T", bound="Executor")


@_attrs_define
class Executor:
    """One registered executor.

    Attributes:
        name (str): Its name in paths.
        capabilities (Capabilities): What an executor can do on this host.
        limits (Limits): What one job may ask for, and what all may hold together; null is unlimited.
        defaults (Defaults): What a launch request takes that does not say.
        health (Health): What dispatchers last saw of an executor's engine.
        utilization (Utilization): What jobs hold of an executor now, in all processes together.
    """

    name: str
    capabilities: Capabilities
    limits: Limits
    defaults: Defaults
    health: Health
    utilization: Utilization

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        capabilities = self.capabilities.to_dict()

        limits = self.limits.to_dict()

        defaults = self.defaults.to_dict()

        health = self.health.to_dict()

        utilization = self.utilization.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "capabilities": capabilities,
                "limits": limits,
                "defaults": defaults,
                "health": health,
                "utilization": utilization,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.capabilities import Capabilities  # noqa: PLC0415
        from ..models.defaults import Defaults  # noqa: PLC0415
        from ..models.health import Health  # noqa: PLC0415
        from ..models.limits import Limits  # noqa: PLC0415
        from ..models.utilization import Utilization  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        capabilities = Capabilities.from_dict(d.pop("capabilities"))

        limits = Limits.from_dict(d.pop("limits"))

        defaults = Defaults.from_dict(d.pop("defaults"))

        health = Health.from_dict(d.pop("health"))

        utilization = Utilization.from_dict(d.pop("utilization"))

        executor = cls(
            name=name,
            capabilities=capabilities,
            limits=limits,
            defaults=defaults,
            health=health,
            utilization=utilization,
        )

        return executor

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.secret_kind import SecretKind
from ..types import UNSET, Unset

T = TypeVar("T", bound="Secret")


@_attrs_define
class Secret:
    """A value that the job is given and nobody is shown: by `value`, `stored` or `provided`.

    Attributes:
        name (str): Its name in this job: 1 to 63 letters, digits, '_', '.' and '-'.
        value (None | str | Unset): The value itself. It is kept encrypted until the job has ended, and never comes
            back.
        stored (None | str | Unset): The name of a stored secret of the namespace, as it is at the launch request.
        provided (None | str | Unset): The name of a secret that the operator provides in the executor's config.
        kind (SecretKind | Unset): `file`: a file in memory. `env`: a variable of the environment.
        target (None | str | Unset): The path of the file, or the name of the variable. Default: `/run/secrets/` and the
            name, or the name.
    """

    name: str
    value: None | str | Unset = UNSET
    stored: None | str | Unset = UNSET
    provided: None | str | Unset = UNSET
    kind: SecretKind | Unset = UNSET
    target: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        value: None | str | Unset
        if isinstance(self.value, Unset):
            value = UNSET
        else:
            value = self.value

        stored: None | str | Unset
        if isinstance(self.stored, Unset):
            stored = UNSET
        else:
            stored = self.stored

        provided: None | str | Unset
        if isinstance(self.provided, Unset):
            provided = UNSET
        else:
            provided = self.provided

        kind: str | Unset = UNSET
        if not isinstance(self.kind, Unset):
            kind = self.kind.value

        target: None | str | Unset
        if isinstance(self.target, Unset):
            target = UNSET
        else:
            target = self.target

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
            }
        )
        if value is not UNSET:
            field_dict["value"] = value
        if stored is not UNSET:
            field_dict["stored"] = stored
        if provided is not UNSET:
            field_dict["provided"] = provided
        if kind is not UNSET:
            field_dict["kind"] = kind
        if target is not UNSET:
            field_dict["target"] = target

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        def _parse_value(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        value = _parse_value(d.pop("value", UNSET))

        def _parse_stored(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        stored = _parse_stored(d.pop("stored", UNSET))

        def _parse_provided(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        provided = _parse_provided(d.pop("provided", UNSET))

        _kind = d.pop("kind", UNSET)
        kind: SecretKind | Unset
        if isinstance(_kind, Unset):
            kind = UNSET
        else:
            kind = SecretKind(_kind)

        def _parse_target(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        target = _parse_target(d.pop("target", UNSET))

        secret = cls(
            name=name,
            value=value,
            stored=stored,
            provided=provided,
            kind=kind,
            target=target,
        )

        return secret

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.scope import Scope
from ..types import UNSET, Unset

T = TypeVar("T", bound="TokenRequest")


@_attrs_define
class TokenRequest:
    """A token of the caller's namespace. It may do nothing that the caller's token may not.

    Attributes:
        name (str): What it is for: 1 to 100 printable characters.
        scopes (list[Scope]): What it may do.
        executors (list[str] | Unset): The executors that it may use. Empty: those of the caller's token.
        expires_at (datetime.datetime | None | Unset): Until when it opens (RFC 3339); must lie ahead. Null: as the
            caller's token, or for ever.
        rate_limit (None | str | Unset): Requests in a window of seconds, such as `600/60`, or `none`. Null: as the
            caller's token.
    """

    name: str
    scopes: list[Scope]
    executors: list[str] | Unset = UNSET
    expires_at: datetime.datetime | None | Unset = UNSET
    rate_limit: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        scopes = []
        for scopes_item_data in self.scopes:
            scopes_item = scopes_item_data.value
            scopes.append(scopes_item)

        executors: list[str] | Unset = UNSET
        if not isinstance(self.executors, Unset):
            executors = self.executors

        expires_at: None | str | Unset
        if isinstance(self.expires_at, Unset):
            expires_at = UNSET
        elif isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        rate_limit: None | str | Unset
        if isinstance(self.rate_limit, Unset):
            rate_limit = UNSET
        else:
            rate_limit = self.rate_limit

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "scopes": scopes,
            }
        )
        if executors is not UNSET:
            field_dict["executors"] = executors
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at
        if rate_limit is not UNSET:
            field_dict["rate_limit"] = rate_limit

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        scopes = []
        _scopes = d.pop("scopes")
        for scopes_item_data in _scopes:
            scopes_item = Scope(scopes_item_data)

            scopes.append(scopes_item)

        executors = cast(list[str], d.pop("executors", UNSET))

        def _parse_expires_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        expires_at = _parse_expires_at(d.pop("expires_at", UNSET))

        def _parse_rate_limit(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        rate_limit = _parse_rate_limit(d.pop("rate_limit", UNSET))

        token_request = cls(
            name=name,
            scopes=scopes,
            executors=executors,
            expires_at=expires_at,
            rate_limit=rate_limit,
        )

        return token_request

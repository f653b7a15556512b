from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.scope import Scope
from ..models.token_state import TokenState

T = TypeVar("T", bound="TokenWithSecret")


@_attrs_define
class TokenWithSecret:
    """A token with its secret, which is shown this once.

    Attributes:
        id (str): Its id: the middle part of the token's text.
        name (str): What it is for.
        namespace (str): The tenant it belongs to.
        state (TokenState): Whether a token opens.
        scopes (list[Scope]): What it may do; `admin` is everything in its namespace.
        executors (list[str]): The executors that it may use; empty is all.
        rate_limit (str): Requests in a window of seconds, in all processes together; `none` is no limit.
        created_at (datetime.datetime): When it was made.
        rotated_at (datetime.datetime | None): When it last got a new secret.
        previous_expires_at (datetime.datetime | None): Until when the secret before the last rotation opens too; null
            if it does not.
        expires_at (datetime.datetime | None): Until when it opens; null is for ever.
        last_used_at (datetime.datetime | None): When it was last used, to a minute; null if never.
        revoked_at (datetime.datetime | None): When it was revoked.
        token (str): What a client sends as `Authorization: Bearer <token>`. It cannot be had again.
    """

    id: str
    name: str
    namespace: str
    state: TokenState
    scopes: list[Scope]
    executors: list[str]
    rate_limit: str
    created_at: datetime.datetime
    rotated_at: datetime.datetime | None
    previous_expires_at: datetime.datetime | None
    expires_at: datetime.datetime | None
    last_used_at: datetime.datetime | None
    revoked_at: datetime.datetime | None
    token: str

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        namespace = self.namespace

        state = self.state.value

        scopes = []
        for scopes_item_data in self.scopes:
            scopes_item = scopes_item_data.value
            scopes.append(scopes_item)

        executors = self.executors

        rate_limit = self.rate_limit

        created_at = self.created_at.isoformat()

        rotated_at: None | str
        if isinstance(self.rotated_at, datetime.datetime):
            rotated_at = self.rotated_at.isoformat()
        else:
            rotated_at = self.rotated_at

        previous_expires_at: None | str
        if isinstance(self.previous_expires_at, datetime.datetime):
            previous_expires_at = self.previous_expires_at.isoformat()
        else:
            previous_expires_at = self.previous_expires_at

        expires_at: None | str
        if isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        last_used_at: None | str
        if isinstance(self.last_used_at, datetime.datetime):
            last_used_at = self.last_used_at.isoformat()
        else:
            last_used_at = self.last_used_at

        revoked_at: None | str
        if isinstance(self.revoked_at, datetime.datetime):
            revoked_at = self.revoked_at.isoformat()
        else:
            revoked_at = self.revoked_at

        token = self.token

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "name": name,
                "namespace": namespace,
                "state": state,
                "scopes": scopes,
                "executors": executors,
                "rate_limit": rate_limit,
                "created_at": created_at,
                "rotated_at": rotated_at,
                "previous_expires_at": previous_expires_at,
                "expires_at": expires_at,
                "last_used_at": last_used_at,
                "revoked_at": revoked_at,
                "token": token,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        namespace = d.pop("namespace")

        state = TokenState(d.pop("state"))

        scopes = []
        _scopes = d.pop("scopes")
        for scopes_item_data in _scopes:
            scopes_item = Scope(scopes_item_data)

            scopes.append(scopes_item)

        executors = cast(list[str], d.pop("executors"))

        rate_limit = d.pop("rate_limit")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_rotated_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                rotated_at_type_0 = datetime.datetime.fromisoformat(data)

                return rotated_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        rotated_at = _parse_rotated_at(d.pop("rotated_at"))

        def _parse_previous_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                previous_expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return previous_expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        previous_expires_at = _parse_previous_expires_at(d.pop("previous_expires_at"))

        def _parse_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        expires_at = _parse_expires_at(d.pop("expires_at"))

        def _parse_last_used_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_used_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_used_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        last_used_at = _parse_last_used_at(d.pop("last_used_at"))

        def _parse_revoked_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                revoked_at_type_0 = datetime.datetime.fromisoformat(data)

                return revoked_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        revoked_at = _parse_revoked_at(d.pop("revoked_at"))

        token = d.pop("token")

        token_with_secret = cls(
            id=id,
            name=name,
            namespace=namespace,
            state=state,
            scopes=scopes,
            executors=executors,
            rate_limit=rate_limit,
            created_at=created_at,
            rotated_at=rotated_at,
            previous_expires_at=previous_expires_at,
            expires_at=expires_at,
            last_used_at=last_used_at,
            revoked_at=revoked_at,
            token=token,
        )

        return token_with_secret

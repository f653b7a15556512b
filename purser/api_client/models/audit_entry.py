from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.audit_outcome import AuditOutcome
from ..models.via import Via

T = TypeVar("T", bound="AuditEntry")


@_attrs_define
class AuditEntry:
    """One act: who did what, on what, from where, and how it ended.

    Attributes:
        id (int): Number of the entry: later ones have higher ids.
        at (datetime.datetime): When.
        operation (str): The operation's id, also of a command that does the same.
        outcome (AuditOutcome): How an act ended.
        status (int | None): The HTTP status that it was answered with; for a change, the one that says that it is made.
            Null for a command.
        code (None | str): The problem's code; null for what was done.
        via (Via): How the caller came.
        token (None | str): Id of the token; null without a usable one.
        namespace (None | str): The token's namespace; of a command, the subject's. Null if there is none.
        user (None | str): The host's user who ran the command; null for a request.
        subject_type (None | str): What kind of thing it was done on: `job`, `token`, `executor`, `namespace`, or null.
        subject (None | str): Its id or name, as asked for.
        address (None | str): Address of the client.
        request_id (None | str): The request's id, as in `X-Request-ID` and the service's log.
        user_agent (None | str): What the client calls itself: its first 200 characters.
        missed (int): How many refused requests of the same caller, before this one, were too many to be written down.
    """

    id: int
    at: datetime.datetime
    operation: str
    outcome: AuditOutcome
    status: int | None
    code: None | str
    via: Via
    token: None | str
    namespace: None | str
    user: None | str
    subject_type: None | str
    subject: None | str
    address: None | str
    request_id: None | str
    user_agent: None | str
    missed: int

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        at = self.at.isoformat()

        operation = self.operation

        outcome = self.outcome.value

        status: int | None
        status = self.status

        code: None | str
        code = self.code

        via = self.via.value

        token: None | str
        token = self.token

        namespace: None | str
        namespace = self.namespace

        user: None | str
        user = self.user

        subject_type: None | str
        subject_type = self.subject_type

        subject: None | str
        subject = self.subject

        address: None | str
        address = self.address

        request_id: None | str
        request_id = self.request_id

        user_agent: None | str
        user_agent = self.user_agent

        missed = self.missed

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "at": at,
                "operation": operation,
                "outcome": outcome,
                "status": status,
                "code": code,
                "via": via,
                "token": token,
                "namespace": namespace,
                "user": user,
                "subject_type": subject_type,
                "subject": subject,
                "address": address,
                "request_id": request_id,
                "user_agent": user_agent,
                "missed": missed,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        operation = d.pop("operation")

        outcome = AuditOutcome(d.pop("outcome"))

        def _parse_status(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        status = _parse_status(d.pop("status"))

        def _parse_code(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        code = _parse_code(d.pop("code"))

        via = Via(d.pop("via"))

        def _parse_token(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        token = _parse_token(d.pop("token"))

        def _parse_namespace(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        namespace = _parse_namespace(d.pop("namespace"))

        def _parse_user(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user = _parse_user(d.pop("user"))

        def _parse_subject_type(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        subject_type = _parse_subject_type(d.pop("subject_type"))

        def _parse_subject(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        subject = _parse_subject(d.pop("subject"))

        def _parse_address(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        address = _parse_address(d.pop("address"))

        def _parse_request_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        request_id = _parse_request_id(d.pop("request_id"))

        def _parse_user_agent(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user_agent = _parse_user_agent(d.pop("user_agent"))

        missed = d.pop("missed")

        audit_entry = cls(
            id=id,
            at=at,
            operation=operation,
            outcome=outcome,
            status=status,
            code=code,
            via=via,
            token=token,
            namespace=namespace,
            user=user,
            subject_type=subject_type,
            subject=subject,
            address=address,
            request_id=request_id,
            user_agent=user_agent,
            missed=missed,
        )

        return audit_entry

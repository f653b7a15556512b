from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Links")


@_attrs_define
class Links:
    """Where to go on from here.

    Attributes:
        self_ (str): The job's status.
        logs (str): What it writes.
        events (str): Its history.
        cancel (str): POST here to end it.
    """

    self_: str
    logs: str
    events: str
    cancel: str

    def to_dict(self) -> dict[str, Any]:
        self_ = self.self_

        logs = self.logs

        events = self.events

        cancel = self.cancel

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "self": self_,
                "logs": logs,
                "events": events,
                "cancel": cancel,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        self_ = d.pop("self")

        logs = d.pop("logs")

        events = d.pop("events")

        cancel = d.pop("cancel")

        links = cls(
            self_=self_,
            logs=logs,
            events=events,
            cancel=cancel,
        )

        return links

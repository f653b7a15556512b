from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.job_state import JobState
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.label_selector import LabelSelector


T = TypeVar("T", bound="WebhookRequest")


@_attrs_define
class WebhookRequest:
    """A webhook to register.

    Attributes:
        url (str): Where to POST: http or https, without credentials. Addresses that are not public are refused.
        events (list[JobState] | Unset): States whose beginning is told. Empty: all.
        executors (list[str] | Unset): Executors whose jobs are told of. Empty: all.
        labels (LabelSelector | Unset): Names and values that a job's labels must have.
    """

    url: str
    events: list[JobState] | Unset = UNSET
    executors: list[str] | Unset = UNSET
    labels: LabelSelector | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        events: list[str] | Unset = UNSET
        if not isinstance(self.events, Unset):
            events = []
            for events_item_data in self.events:
                events_item = events_item_data.value
                events.append(events_item)

        executors: list[str] | Unset = UNSET
        if not isinstance(self.executors, Unset):
            executors = self.executors

        labels: dict[str, Any] | Unset = UNSET
        if not isinstance(self.labels, Unset):
            labels = self.labels.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "url": url,
            }
        )
        if events is not UNSET:
            field_dict["events"] = events
        if executors is not UNSET:
            field_dict["executors"] = executors
        if labels is not UNSET:
            field_dict["labels"] = labels

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.label_selector import LabelSelector  # noqa: PLC0415

        d = dict(src_dict)
        url = d.pop("url")

        _events = d.pop("events", UNSET)
        events: list[JobState] | Unset = UNSET
        if _events is not UNSET:
            events = []
            for events_item_data in _events:
                events_item = JobState(events_item_data)

                events.append(events_item)

        executors = cast(list[str], d.pop("executors", UNSET))

        _labels = d.pop("labels", UNSET)
        labels: LabelSelector | Unset
        if isinstance(_labels, Unset):
            labels = UNSET
        else:
            labels = LabelSelector.from_dict(_labels)

        webhook_request = cls(
            url=url,
            events=events,
            executors=executors,
            labels=labels,
        )

        return webhook_request

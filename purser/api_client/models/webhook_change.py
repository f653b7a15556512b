from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.job_state import JobState
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.label_selector import LabelSelector


T = TypeVar("T", bound="WebhookChange")


@_attrs_define
class WebhookChange:
    """What to change of a webhook; what is not named stays.

    Attributes:
        events (list[JobState] | Unset): States whose beginning is told. Empty: all.
        executors (list[str] | Unset): Executors whose jobs are told of. Empty: all.
        labels (LabelSelector | Unset): Names and values that a job's labels must have.
        url (None | str | Unset): Where to POST from now on.
        enabled (bool | None | Unset): False stops it; true takes it up again, also after it was disabled for its
            failures.
    """

    events: list[JobState] | Unset = UNSET
    executors: list[str] | Unset = UNSET
    labels: LabelSelector | Unset = UNSET
    url: None | str | Unset = UNSET
    enabled: bool | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
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

        url: None | str | Unset
        if isinstance(self.url, Unset):
            url = UNSET
        else:
            url = self.url

        enabled: bool | None | Unset
        if isinstance(self.enabled, Unset):
            enabled = UNSET
        else:
            enabled = self.enabled

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if events is not UNSET:
            field_dict["events"] = events
        if executors is not UNSET:
            field_dict["executors"] = executors
        if labels is not UNSET:
            field_dict["labels"] = labels
        if url is not UNSET:
            field_dict["url"] = url
        if enabled is not UNSET:
            field_dict["enabled"] = enabled

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.label_selector import LabelSelector  # noqa: PLC0415

        d = dict(src_dict)
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

        def _parse_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        url = _parse_url(d.pop("url", UNSET))

        def _parse_enabled(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        enabled = _parse_enabled(d.pop("enabled", UNSET))

        webhook_change = cls(
            events=events,
            executors=executors,
            labels=labels,
            url=url,
            enabled=enabled,
        )

        return webhook_change

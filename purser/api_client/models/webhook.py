from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define

from ..models.job_state import JobState

if TYPE_CHECKING:
    from ..models.label_selector import LabelSelector


T = TypeVar("T", bound="Webhook")


@_attrs_define
class Webhook:
    """Where the namespace is told of its jobs' changes of state, and of which.

    Attributes:
        id (UUID): The webhook's id.
        url (str): Where to.
        events (list[JobState]): States whose beginning is told. Empty: all.
        executors (list[str]): Executors whose jobs are told of. Empty: all.
        labels (LabelSelector): Names and values that a job's labels must have.
        enabled (bool): Whether it is told.
        disabled_reason (None | str): Why it is not; null while it is.
        created_at (datetime.datetime): When it was registered.
        failing_since (datetime.datetime | None): Since when nothing could be delivered; null when the last could.
        disabled_at (datetime.datetime | None): Since when it is not told; null while it is.
        old_secret_until (datetime.datetime | None): Until when the secret before the last rotation signs as well.
    """

    id: UUID
    url: str
    events: list[JobState]
    executors: list[str]
    labels: LabelSelector
    enabled: bool
    disabled_reason: None | str
    created_at: datetime.datetime
    failing_since: datetime.datetime | None
    disabled_at: datetime.datetime | None
    old_secret_until: datetime.datetime | None

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        url = self.url

        events = []
        for events_item_data in self.events:
            events_item = events_item_data.value
            events.append(events_item)

        executors = self.executors

        labels = self.labels.to_dict()

        enabled = self.enabled

        disabled_reason: None | str
        disabled_reason = self.disabled_reason

        created_at = self.created_at.isoformat()

        failing_since: None | str
        if isinstance(self.failing_since, datetime.datetime):
            failing_since = self.failing_since.isoformat()
        else:
            failing_since = self.failing_since

        disabled_at: None | str
        if isinstance(self.disabled_at, datetime.datetime):
            disabled_at = self.disabled_at.isoformat()
        else:
            disabled_at = self.disabled_at

        old_secret_until: None | str
        if isinstance(self.old_secret_until, datetime.datetime):
            old_secret_until = self.old_secret_until.isoformat()
        else:
            old_secret_until = self.old_secret_until

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "url": url,
                "events": events,
                "executors": executors,
                "labels": labels,
                "enabled": enabled,
                "disabled_reason": disabled_reason,
                "created_at": created_at,
                "failing_since": failing_since,
                "disabled_at": disabled_at,
                "old_secret_until": old_secret_until,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.label_selector import LabelSelector  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        url = d.pop("url")

        events = []
        _events = d.pop("events")
        for events_item_data in _events:
            events_item = JobState(events_item_data)

            events.append(events_item)

        executors = cast(list[str], d.pop("executors"))

        labels = LabelSelector.from_dict(d.pop("labels"))

        enabled = d.pop("enabled")

        def _parse_disabled_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        disabled_reason = _parse_disabled_reason(d.pop("disabled_reason"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_failing_since(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                failing_since_type_0 = datetime.datetime.fromisoformat(data)

                return failing_since_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        failing_since = _parse_failing_since(d.pop("failing_since"))

        def _parse_disabled_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                disabled_at_type_0 = datetime.datetime.fromisoformat(data)

                return disabled_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        disabled_at = _parse_disabled_at(d.pop("disabled_at"))

        def _parse_old_secret_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                old_secret_until_type_0 = datetime.datetime.fromisoformat(data)

                return old_secret_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        old_secret_until = _parse_old_secret_until(d.pop("old_secret_until"))

        webhook = cls(
            id=id,
            url=url,
            events=events,
            executors=executors,
            labels=labels,
            enabled=enabled,
            disabled_reason=disabled_reason,
            created_at=created_at,
            failing_since=failing_since,
            disabled_at=disabled_at,
            old_secret_until=old_secret_until,
        )

        return webhook

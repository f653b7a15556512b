from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..models.job_state import JobState

if TYPE_CHECKING:
    from ..models.explain_evidence import ExplainEvidence
    from ..models.moment import Moment


T = TypeVar("T", bound="Explanation")


@_attrs_define
class Explanation:
    """Why a job waits, what it does, or why it ended.

    Attributes:
        job (UUID): The job.
        executor (str): The executor it runs on.
        state (JobState): Where a job is in its life; `succeeded`, `failed` and `cancelled` are its ends.
        code (str): Why, as one word: the `code` of `waiting`, `launching`, `running`, `stopping` or `stale`, or the
            `reason` of its end.
        sentence (str): The same as a sentence.
        hint (str): What can be done about it.
        evidence (ExplainEvidence): What an explanation rests on. What has no part in it, or is not known, is null.
        timeline (list[Moment]): Every phase of every attempt, in order.
    """

    job: UUID
    executor: str
    state: JobState
    code: str
    sentence: str
    hint: str
    evidence: ExplainEvidence
    timeline: list[Moment]

    def to_dict(self) -> dict[str, Any]:
        job = str(self.job)

        executor = self.executor

        state = self.state.value

        code = self.code

        sentence = self.sentence

        hint = self.hint

        evidence = self.evidence.to_dict()

        timeline = []
        for timeline_item_data in self.timeline:
            timeline_item = timeline_item_data.to_dict()
            timeline.append(timeline_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "job": job,
                "executor": executor,
                "state": state,
                "code": code,
                "sentence": sentence,
                "hint": hint,
                "evidence": evidence,
                "timeline": timeline,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.explain_evidence import ExplainEvidence  # noqa: PLC0415
        from ..models.moment import Moment  # noqa: PLC0415

        d = dict(src_dict)
        job = UUID(d.pop("job"))

        executor = d.pop("executor")

        state = JobState(d.pop("state"))

        code = d.pop("code")

        sentence = d.pop("sentence")

        hint = d.pop("hint")

        evidence = ExplainEvidence.from_dict(d.pop("evidence"))

        timeline = []
        _timeline = d.pop("timeline")
        for timeline_item_data in _timeline:
            timeline_item = Moment.from_dict(timeline_item_data)

            timeline.append(timeline_item)

        explanation = cls(
            job=job,
            executor=executor,
            state=state,
            code=code,
            sentence=sentence,
            hint=hint,
            evidence=evidence,
            timeline=timeline,
        )

        return explanation

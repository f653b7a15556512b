from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ProblemPlace")


@_attrs_define
class ProblemPlace:
    """One thing that is wrong in a request: where, and what is allowed. One of the first three members is there.

    Attributes:
        code (str): What kind of mistake it is.
        detail (str): A sentence with what was given and what is allowed.
        pointer (str | Unset): JSON pointer into the body. Default: ''.
        parameter (str | Unset): Name of a query parameter. Default: ''.
        header (str | Unset): Name of a header. Default: ''.
    """

    code: str
    detail: str
    pointer: str | Unset = ""
    parameter: str | Unset = ""
    header: str | Unset = ""

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        detail = self.detail

        pointer = self.pointer

        parameter = self.parameter

        header = self.header

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "code": code,
                "detail": detail,
            }
        )
        if pointer is not UNSET:
            field_dict["pointer"] = pointer
        if parameter is not UNSET:
            field_dict["parameter"] = parameter
        if header is not UNSET:
            field_dict["header"] = header

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        code = d.pop("code")

        detail = d.pop("detail")

        pointer = d.pop("pointer", UNSET)

        parameter = d.pop("parameter", UNSET)

        header = d.pop("header", UNSET)

        problem_place = cls(
            code=code,
            detail=detail,
            pointer=pointer,
            parameter=parameter,
            header=header,
        )

        return problem_place

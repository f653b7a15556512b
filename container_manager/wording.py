"""What is wrong with a value that a model does not accept, and what is allowed, in the same words everywhere."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel

_SUBJECT = re.compile(r"^\w+ should ")
_SENTENCES = {
    "missing": "is required",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be an array",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "too_short": "needs at least {min_length} item(s)",
    "too_long": "may have at most {max_length} items",
}
"""What to say for pydantic's types of errors; for another, its own message with `must`."""
_PATTERNS = {
    "^[0-9a-f]{12}$": "must be 12 hexadecimal digits",
    "^/": "must be an absolute path",
    "^[^:]": "must be name:value, with a name of 1 to 63 characters",
}
"""What to say for a text that does not match a pattern that begins so; else the text is empty."""


def sentence(model: type[BaseModel], detail: Any) -> str:
    """One of the `errors()` of a ValidationError of that model."""
    if detail["type"] == "extra_forbidden":
        return _unknown(str(detail["loc"][-1]), known_at(model, detail["loc"]))
    if detail["type"] == "string_pattern_mismatch":
        return _mismatch(detail["ctx"]["pattern"], detail["input"])
    if detail["type"] in _SENTENCES:
        return _SENTENCES[detail["type"]].format(**detail.get("ctx", {}))
    return _SUBJECT.sub("must ", str(detail["msg"]).removeprefix("Value error, "))


def known_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str] | None:
    """The names that an object may have at the end of the path; None where that cannot be told."""
    inside: type[BaseModel] | None = model
    for part in path[:-1]:
        if inside and part in inside.model_fields:
            inside = next(_models_in(inside.model_fields[str(part)].annotation), None)
    return sorted(field.alias or name for name, field in inside.model_fields.items()) if inside else None


def nearest(name: str, known: Sequence[str] | None) -> str | None:
    """The known name that was probably meant."""
    return next(iter(difflib.get_close_matches(name, known or (), n=1, cutoff=0.5)), None)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _unknown(name: str, known: Sequence[str] | None) -> str:
    near = nearest(name, known)
    hint = f"; did you mean {near}?" if near else ""
    return f"{name!r} is unknown{hint}" + ("" if known is None else f"; known are: {', '.join(known) or 'none'}")


def _mismatch(pattern: str, given: str) -> str:
    if "\x00" in given:
        return "must not contain NUL"
    return next((told for start, told in _PATTERNS.items() if pattern.startswith(start)), "must not be empty")

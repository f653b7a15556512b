"""What in a newer openapi.yaml breaks those who rely on an older one, each by name.

A request may take more and an answer may say more; a request that was right stays right, and what an answer promised
stays there. What an enum of an answer gains is no break: clients are told to expect more.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

PROMISED = Path(__file__).with_name("promised.json")
"""What the last committed contract promises."""

_BIND_NOBODY = frozenset({"description", "summary", "tags", "examples"})

Schema = Mapping[str, Any]

_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_INTEGER_IS_A_NUMBER = {"integer": "number"}


def breaking_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """One sentence a break, in the order of the old document."""
    return list(dict.fromkeys(_Diff(old, new).all()))


class _Diff:
    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, bool]] = set()

    def all(self) -> Iterator[str]:
        for path, methods in self._old["paths"].items():
            for method, operation in methods.items():
                now = self._new["paths"].get(path, {}).get(method)
                name = f"{method.upper()} {path}"
                if now is None:
                    yield f"{name} is gone"
                else:
                    yield from self._operation(name, operation, now)

    def _operation(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{name}: operationId {old['operationId']} is now {new['operationId']}"
        if not old.get("security") and new.get("security"):
            yield f"{name}: needs a token now"
        yield from self._parameters(name, old, new)
        yield from self._request(name, old, new)
        for status, response in old["responses"].items():
            if status not in new["responses"]:
                yield f"{name}: status {status} is gone"
                continue
            yield from self._answer(f"{name} {status}", self._of(self._old, response), self._of(
                self._new, new["responses"][status]))  # fmt: skip

    def _parameters(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = (
            {(each["in"], each["name"]): each for each in document.get("parameters", ())} for document in (old, new)
        )
        for key, parameter in before.items():
            what = f"{name}: parameter {key[1]}"
            if key not in after:
                yield f"{what} is gone"
            else:
                yield from self._schema(what, parameter["schema"], after[key]["schema"], sent=True)
        for key, parameter in after.items():
            was = before.get(key, {})
            if parameter.get("required") and not was.get("required"):
                yield f"{name}: parameter {key[1]} is required now"

    def _request(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        before = old.get("requestBody", {}).get("content", {})
        after = new.get("requestBody", {}).get("content", {})
        if new.get("requestBody", {}).get("required") and not before:
            yield f"{name}: a body is required now"
        for media_type, content in before.items():
            if media_type not in after:
                yield f"{name}: takes {media_type} no more"
            else:
                yield from self._schema(f"{name} body", content["schema"], after[media_type]["schema"], sent=True)

    def _answer(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        for header in old.get("headers", {}):
            if header not in new.get("headers", {}):
                yield f"{name}: header {header} is gone"
        for media_type, content in old.get("content", {}).items():
            now = new.get("content", {}).get(media_type)
            if now is None:
                yield f"{name}: {media_type} is gone"
                continue
            for code in content.get("examples", {}) if media_type == "application/problem+json" else ():
                if code not in now.get("examples", {}):
                    yield f"{name}: problem {code} is gone"
            yield from self._schema(name, content["schema"], now["schema"], sent=False)

    def _schema(self, where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[str]:
        refs = old.get("$ref", ""), new.get("$ref", "")
        if all(refs):
            if (*refs, sent) in self._seen:
                return
            self._seen.add((*refs, sent))
            where = refs[0].rpartition("/")[2]
        old, new = self._of(self._old, old), self._of(self._new, new)
        yield from _types(where, old, new, sent=sent)
        yield from _bounds(where, old, new, sent=sent)
        yield from self._alternatives(where, old, new, sent=sent)
        yield from self._properties(where, old, new, sent=sent)
        for part in ("items", "additionalProperties"):
            if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
                yield from self._schema(f"{where}[]", old[part], new[part], sent=sent)
            elif sent and old.get(part) is not False and new.get(part) is False:
                yield f"{where}: takes no other fields any more"

    def _alternatives(self, where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[str]:
        before, after = _by_kind(old), _by_kind(new)
        for kind, option in before.items():
            if kind in after:
                yield from self._schema(where, option, after[kind], sent=sent)
        for kind in (before.keys() - after.keys()) if sent else (after.keys() - before.keys()):
            yield f"{where}: {'can no more be' if sent else 'can now be'} {kind.rpartition('/')[2]}"

    def _properties(self, where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, shape in before.items():
            if name not in after:
                yield f"{where}.{name} is gone"
            else:
                yield from self._schema(f"{where}.{name}", shape, after[name], sent=sent)
        required, was = set(new.get("required", ())), set(old.get("required", ()))
        for name in sorted(required - was if sent else (was - required) & after.keys()):
            yield f"{where}.{name} is {'required now' if sent else 'not always there any more'}"

    @staticmethod
    def _of(document: Mapping[str, Any], node: Schema) -> Schema:
        if "$ref" not in node:
            return node
        _, _, section, name = node["$ref"].split("/")
        found: Schema = document["components"][section][name]
        return found


def _by_kind(schema: Schema) -> dict[str, Schema]:
    return {option.get("$ref", str(option.get("type"))): option for option in schema.get("anyOf", ())}


def _kinds(schema: Schema) -> set[str]:
    kind = schema.get("type", [])
    return {kind} if isinstance(kind, str) else set(kind)


def _types(where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[str]:
    before, after = _kinds(old), _kinds(new)
    narrow, wide = (after, before) if not sent else (before, after)
    gone = {kind for kind in narrow - wide if _INTEGER_IS_A_NUMBER.get(kind) not in wide}
    if before and after and gone:
        yield f"{where}: type {_told(before)} is now {_told(after)}"
    if sent and "enum" in new:
        lost = [value for value in old.get("enum", ()) if value not in new["enum"]]
        if lost or "enum" not in old:
            yield f"{where}: takes {', '.join(map(str, lost)) or 'any value'} no more"
    if not sent and "enum" in old:
        lost = [value for value in old["enum"] if value not in new.get("enum", ())]
        if lost:
            yield f"{where}: value {', '.join(map(str, lost))} is gone"
    if old.get("format") != new.get("format") and not {old.get("format"), new.get("format")} <= {"int32", "int64"}:
        yield f"{where}: format {old.get('format')} is now {new.get('format')}"


def _told(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))


def _bounds(where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[str]:
    """A request's bounds may only widen; what an answer's bounds are binds nobody."""
    if not sent:
        return
    for name in (*_UPPER, *_LOWER):
        before, after = old.get(name), new.get(name)
        narrower = after is not None and (before is None or (after < before if name in _UPPER else after > before))
        if narrower:
            yield f"{where}: {name} is now {after}, was {'open' if before is None else before}"
    if new.get("pattern") not in (None, old.get("pattern")):
        yield f"{where}: pattern is now {new['pattern']}"


def promise_of(node: Any) -> Any:
    """A document without what binds nobody: descriptions, and examples but for the codes of problems."""
    if isinstance(node, list):
        return [promise_of(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        name: value for name, value in node.items() if not (name in _BIND_NOBODY and isinstance(value, (str, list)))
    }
    if isinstance(kept.get("examples"), dict):
        kept["examples"] = {code: {} for code in kept["examples"]}
    return {name: value if name == "examples" else promise_of(value) for name, value in kept.items() if name != "links"}


def main() -> int:
    """Keep what openapi.yaml promises, unless it breaks what is kept; `--accept` keeps it all the same."""
    new = promise_of(yaml.safe_load((PROMISED.parents[2] / "openapi.yaml").read_bytes()))
    breaks = breaking_changes(json.loads(PROMISED.read_text()), new) if PROMISED.exists() else []
    if breaks and "--accept" not in sys.argv:
        sys.stderr.write("This breaks clients; see CONTRIBUTING.md:\n" + "".join(f"  {each}\n" for each in breaks))
        return 1
    PROMISED.write_text(json.dumps(new, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

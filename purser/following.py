"""A stream of logs as it is sent: server-sent events, each one whole or not at all."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

SSE = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Message:
    """One event of a stream: `log`, `chunk`, `attempt` or `end`, with its document and the id to go on behind it."""

    event: str
    document: dict[str, Any]
    id: str | None = None

    @property
    def stream(self) -> str:
        """Of a `log` or `chunk`: `stdout` or `stderr`."""
        return str(self.document["stream"])

    @property
    def data(self) -> bytes:
        """Of a `log` or `chunk`: the bytes as they were written."""
        text, encoded = self.document["text"], self.document["data_base64"]
        data = base64.b64decode(encoded) if text is None else str(text).encode()
        return data + b"\n" if self.event == "log" and not self.document["partial"] else data


def messages(pieces: Iterable[bytes]) -> Iterator[Message]:
    """The events in a stream that comes in pieces. One that is cut off is left out. Raises ValueError."""
    for block in _blocks(pieces):
        fields = dict(_field(line) for line in block.split(b"\n") if line and not line.startswith(b":"))
        if b"data" in fields:
            identity = fields[b"id"].decode() if b"id" in fields else None
            yield Message(fields.get(b"event", b"message").decode(), json.loads(fields[b"data"]), identity)


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for piece in pieces:
        seen = max(len(held) - 1, 0)
        held += piece
        begin = 0
        while (end := held.find(b"\n\n", max(seen, begin))) >= 0:
            yield bytes(held[begin:end])
            begin = end + 2
        del held[:begin]


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")

"""The server's side of the API: one port for requests and streams.

A request runs through middleware and view in one hop onto a thread of our own, which keeps its database
connection; what waits or follows afterwards does so on the event loop. This is the same synchronous Django
that any WSGI server runs.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, MutableMapping
from functools import partial
from io import BytesIO
from typing import Any, cast

from django.conf import settings
from django.core import signals
from django.core.cache import close_caches
from django.core.handlers.asgi import ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler, reset_urlconf
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from api.middleware import HOLDS, REFUSED
from api.protocol import MAX_HEADER_BYTES
from api.streaming import Feeds, Followed
from api.threads import Threads
from api.waiting import Held, begin_shutdown, in_thread

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
STREAM_THREADS = 4
"""Threads that read for streams, so that reading for many followers never stands before a request."""


class Handler(BaseHandler):
    """Django as an ASGI application, synchronous inside."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=False)
        # Django closes caches after each request, of which there are none, and forgets the URLconf, which is but one.
        signals.request_finished.disconnect(close_caches)
        signals.request_finished.disconnect(reset_urlconf)
        self._pool = Threads(settings.PURSER.api_threads, "api")
        self._stream_pool = Threads(STREAM_THREADS, "stream")
        self._feeds = Feeds(partial(in_thread, self._stream_pool))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            raise ValueError(f"only HTTP is served here, not {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        begin_shutdown()
        await asyncio.to_thread(self.close)
        await send({"type": "lifespan.shutdown.complete"})

    def close(self) -> None:
        """Close the connections that the threads have kept, and end the threads."""
        for pool in (self._pool, self._stream_pool):
            pool.close(connections.close_all)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        body: bytes | None = b""
        if refusal := _refusal(scope):
            scope = {**scope, "headers": []}
        else:
            body, refusal = await _read_body(scope, receive, settings.PURSER.max_body_bytes)
        if body is None:
            return
        context = contextvars.copy_context()
        response = await self._pool.run(partial(context.run, self._respond, scope, body, refusal))
        if refusal:
            response["Connection"] = "close"  # what is left of the body is not read
        if isinstance(response, Held) or response.streaming:
            await _unless_gone(receive, self._finish(context, response, send))
        else:
            await _send(response, send)

    def _respond(self, scope: Message, body: bytes, refusal: str) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        response = self.get_response(_request(scope, body, refusal))
        if not (isinstance(response, Held) or response.streaming):
            response.close()
        return response

    async def _finish(self, context: contextvars.Context, response: HttpResponseBase, send: Send) -> None:
        try:
            if isinstance(response, Held):
                await response.wait(partial(in_thread, self._pool))
            await (_send(response, send) if not response.streaming else self._stream(response, send))
        finally:
            self._pool.submit(partial(context.run, response.close))

    async def _stream(self, response: HttpResponseBase, send: Send) -> None:
        await send(_start(response))
        async with contextlib.aclosing(self._chunks(response)) as chunks:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    async def _chunks(self, response: HttpResponseBase) -> AsyncGenerator[bytes, None]:
        if isinstance(response, Followed):
            async with contextlib.aclosing(response.chunks(self._feeds)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        parts: Iterator[bytes] = iter(cast("StreamingHttpResponse", response))
        while (part := await self._pool.run(partial(next, parts, None))) is not None:
            yield part


def _refusal(scope: Message) -> str:
    """Why the request is not even read, or nothing."""
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return "headers_too_large"
    names = [name for name, _ in scope["headers"]]
    return "no_host" if scope["http_version"] != "1.0" and b"host" not in names else ""


async def _read_body(scope: Message, receive: Receive, most: int) -> tuple[bytes | None, str]:
    """The body, and why it is not whole; None when the client has gone."""
    if int(dict(scope["headers"]).get(b"content-length", 0)) > most:
        return b"", "body_too_large"
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None, ""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return b"", "body_too_large"
        if not message.get("more_body"):
            return b"".join(parts), ""


def _request(scope: Message, body: bytes, refusal: str) -> HttpRequest:
    try:
        scope["query_string"].decode()
    except UnicodeDecodeError:
        scope, refusal = {**scope, "query_string": b""}, "query_encoding"
    request = ASGIRequest(scope, BytesIO(body))
    request.META[HOLDS] = True
    request.META[REFUSED] = refusal
    return request


async def _unless_gone(receive: Receive, work: Awaitable[None]) -> None:
    """Do the work, or stop it when the client disconnects."""
    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, gone):
            task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(response: HttpResponseBase, send: Send) -> None:
    body: bytes = getattr(response, "content", b"")
    if response.status_code not in (204, 304):
        response["Content-Length"] = str(len(body))
    await send(_start(response))
    await send({"type": "http.response.body", "body": body})


def _start(response: HttpResponseBase) -> Message:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    headers += [(b"Set-Cookie", cookie.OutputString().encode("ascii")) for cookie in response.cookies.values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}

import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.log_page import LogPage
from ...models.log_streams import LogStreams
from ...models.log_unit import LogUnit
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    job: UUID,
    *,
    attempt: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    follow: bool | Unset = UNSET,
    limit: int | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    stream: LogStreams | Unset = UNSET,
    tail: int | Unset = UNSET,
    unit: LogUnit | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_none_match, Unset):
        headers["If-None-Match"] = if_none_match

    if not isinstance(last_event_id, Unset):
        headers["Last-Event-ID"] = last_event_id

    params: dict[str, Any] = {}

    params["attempt"] = attempt

    params["cursor"] = cursor

    params["follow"] = follow

    params["limit"] = limit

    json_since: str | Unset = UNSET
    if not isinstance(since, Unset):
        json_since = since.isoformat()
    params["since"] = json_since

    json_stream: str | Unset = UNSET
    if not isinstance(stream, Unset):
        json_stream = stream.value

    params["stream"] = json_stream

    params["tail"] = tail

    json_unit: str | Unset = UNSET
    if not isinstance(unit, Unset):
        json_unit = unit.value

    params["unit"] = json_unit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/jobs/{job}/logs".format(
            job=quote(str(job), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | LogPage | Problem | None:
    if response.status_code == 200:
        response_200 = LogPage.from_dict(response.json())

        return response_200

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 406:
        response_406 = Problem.from_dict(response.json())

        return response_406

    if response.status_code == 410:
        response_410 = Problem.from_dict(response.json())

        return response_410

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 414:
        response_414 = Problem.from_dict(response.json())

        return response_414

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 431:
        response_431 = Problem.from_dict(response.json())

        return response_431

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | LogPage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    job: UUID,
    *,
    client: AuthenticatedClient,
    attempt: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    follow: bool | Unset = UNSET,
    limit: int | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    stream: LogStreams | Unset = UNSET,
    tail: int | Unset = UNSET,
    unit: LogUnit | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> Response[Any | LogPage | Problem]:
    """Read a job's logs

     stdout and stderr, apart or together, as they were written; kept when the container is gone.

    `application/json` is one page of lines. `text/plain` is the bytes, exactly. `application/x-ndjson`
    is a
    line as in JSON a line, and a last `{"end": …}` when it is followed. `text/event-stream` sends `log`
    events
    whose `id` can be given as `Last-Event-ID` or `cursor` to go on without loss, an `attempt` event
    when the
    job is launched again, a comment in silences, and a last `end` event with state, reason and exit
    code. With
    `unit=chunk` it sends `chunk` events instead: `{stream, at, text | data_base64}`, the bytes of one
    stream as
    they came, with their newlines.

    Needs the scope `jobs:read`.

    Args:
        job (UUID):
        attempt (int | Unset):
        cursor (str | Unset):
        follow (bool | Unset):
        limit (int | Unset):
        since (datetime.datetime | Unset):
        stream (LogStreams | Unset): Which of a job's two streams.
        tail (int | Unset):
        unit (LogUnit | Unset): `line`: a line each. `chunk`: bytes of one stream as they came.
        if_none_match (str | Unset):
        last_event_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | LogPage | Problem]
    """

    kwargs = _get_kwargs(
        job=job,
        attempt=attempt,
        cursor=cursor,
        follow=follow,
        limit=limit,
        since=since,
        stream=stream,
        tail=tail,
        unit=unit,
        if_none_match=if_none_match,
        last_event_id=last_event_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    job: UUID,
    *,
    client: AuthenticatedClient,
    attempt: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    follow: bool | Unset = UNSET,
    limit: int | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    stream: LogStreams | Unset = UNSET,
    tail: int | Unset = UNSET,
    unit: LogUnit | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> Any | LogPage | Problem | None:
    """Read a job's logs

     stdout and stderr, apart or together, as they were written; kept when the container is gone.

    `application/json` is one page of lines. `text/plain` is the bytes, exactly. `application/x-ndjson`
    is a
    line as in JSON a line, and a last `{"end": …}` when it is followed. `text/event-stream` sends `log`
    events
    whose `id` can be given as `Last-Event-ID` or `cursor` to go on without loss, an `attempt` event
    when the
    job is launched again, a comment in silences, and a last `end` event with state, reason and exit
    code. With
    `unit=chunk` it sends `chunk` events instead: `{stream, at, text | data_base64}`, the bytes of one
    stream as
    they came, with their newlines.

    Needs the scope `jobs:read`.

    Args:
        job (UUID):
        attempt (int | Unset):
        cursor (str | Unset):
        follow (bool | Unset):
        limit (int | Unset):
        since (datetime.datetime | Unset):
        stream (LogStreams | Unset): Which of a job's two streams.
        tail (int | Unset):
        unit (LogUnit | Unset): `line`: a line each. `chunk`: bytes of one stream as they came.
        if_none_match (str | Unset):
        last_event_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | LogPage | Problem
    """

    return sync_detailed(
        job=job,
        client=client,
        attempt=attempt,
        cursor=cursor,
        follow=follow,
        limit=limit,
        since=since,
        stream=stream,
        tail=tail,
        unit=unit,
        if_none_match=if_none_match,
        last_event_id=last_event_id,
    ).parsed


async def asyncio_detailed(
    job: UUID,
    *,
    client: AuthenticatedClient,
    attempt: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    follow: bool | Unset = UNSET,
    limit: int | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    stream: LogStreams | Unset = UNSET,
    tail: int | Unset = UNSET,
    unit: LogUnit | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> Response[Any | LogPage | Problem]:
    """Read a job's logs

     stdout and stderr, apart or together, as they were written; kept when the container is gone.

    `application/json` is one page of lines. `text/plain` is the bytes, exactly. `application/x-ndjson`
    is a
    line as in JSON a line, and a last `{"end": …}` when it is followed. `text/event-stream` sends `log`
    events
    whose `id` can be given as `Last-Event-ID` or `cursor` to go on without loss, an `attempt` event
    when the
    job is launched again, a comment in silences, and a last `end` event with state, reason and exit
    code. With
    `unit=chunk` it sends `chunk` events instead: `{stream, at, text | data_base64}`, the bytes of one
    stream as
    they came, with their newlines.

    Needs the scope `jobs:read`.

    Args:
        job (UUID):
        attempt (int | Unset):
        cursor (str | Unset):
        follow (bool | Unset):
        limit (int | Unset):
        since (datetime.datetime | Unset):
        stream (LogStreams | Unset): Which of a job's two streams.
        tail (int | Unset):
        unit (LogUnit | Unset): `line`: a line each. `chunk`: bytes of one stream as they came.
        if_none_match (str | Unset):
        last_event_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | LogPage | Problem]
    """

    kwargs = _get_kwargs(
        job=job,
        attempt=attempt,
        cursor=cursor,
        follow=follow,
        limit=limit,
        since=since,
        stream=stream,
        tail=tail,
        unit=unit,
        if_none_match=if_none_match,
        last_event_id=last_event_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    job: UUID,
    *,
    client: AuthenticatedClient,
    attempt: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    follow: bool | Unset = UNSET,
    limit: int | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    stream: LogStreams | Unset = UNSET,
    tail: int | Unset = UNSET,
    unit: LogUnit | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    last_event_id: str | Unset = UNSET,
) -> Any | LogPage | Problem | None:
    """Read a job's logs

     stdout and stderr, apart or together, as they were written; kept when the container is gone.

    `application/json` is one page of lines. `text/plain` is the bytes, exactly. `application/x-ndjson`
    is a
    line as in JSON a line, and a last `{"end": …}` when it is followed. `text/event-stream` sends `log`
    events
    whose `id` can be given as `Last-Event-ID` or `cursor` to go on without loss, an `attempt` event
    when the
    job is launched again, a comment in silences, and a last `end` event with state, reason and exit
    code. With
    `unit=chunk` it sends `chunk` events instead: `{stream, at, text | data_base64}`, the bytes of one
    stream as
    they came, with their newlines.

    Needs the scope `jobs:read`.

    Args:
        job (UUID):
        attempt (int | Unset):
        cursor (str | Unset):
        follow (bool | Unset):
        limit (int | Unset):
        since (datetime.datetime | Unset):
        stream (LogStreams | Unset): Which of a job's two streams.
        tail (int | Unset):
        unit (LogUnit | Unset): `line`: a line each. `chunk`: bytes of one stream as they came.
        if_none_match (str | Unset):
        last_event_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | LogPage | Problem
    """

    return (
        await asyncio_detailed(
            job=job,
            client=client,
            attempt=attempt,
            cursor=cursor,
            follow=follow,
            limit=limit,
            since=since,
            stream=stream,
            tail=tail,
            unit=unit,
            if_none_match=if_none_match,
            last_event_id=last_event_id,
        )
    ).parsed

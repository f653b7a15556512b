from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.event_page import EventPage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    executor: str,
    job: UUID,
    *,
    after: int | Unset = 0,
    limit: int | Unset = 1000,
    last_event_id: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(last_event_id, Unset):
        headers["Last-Event-ID"] = last_event_id

    params: dict[str, Any] = {}

    params["after"] = after

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/executors/{executor}/jobs/{job}/events".format(
            executor=quote(str(executor), safe=""),
            job=quote(str(job), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> EventPage | Problem | None:
    if response.status_code == 200:
        response_200 = EventPage.from_dict(response.json())

        return response_200

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[EventPage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    executor: str,
    job: UUID,
    *,
    client: AuthenticatedClient,
    after: int | Unset = 0,
    limit: int | Unset = 1000,
    last_event_id: str | Unset = UNSET,
) -> Response[EventPage | Problem]:
    """Read a job's history

     Every change of the job, in order, each written with the change itself.

    `text/event-stream` goes on as things happen: each event's `id` is its `seq`, `Last-Event-ID`
    resumes behind
    it, and a last `end` event carries state, reason and exit code.

    Needs the scope `jobs:read`.

    Args:
        executor (str):
        job (UUID):
        after (int | Unset):  Default: 0.
        limit (int | Unset):  Default: 1000.
        last_event_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EventPage | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
        job=job,
        after=after,
        limit=limit,
        last_event_id=last_event_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    executor: str,
    job: UUID,
    *,
    client: AuthenticatedClient,
    after: int | Unset = 0,
    limit: int | Unset = 1000,
    last_event_id: str | Unset = UNSET,
) -> EventPage | Problem | None:
    """Read a job's history

     Every change of the job, in order, each written with the change itself.

    `text/event-stream` goes on as things happen: each event's `id` is its `seq`, `Last-Event-ID`
    resumes behind
    it, and a last `end` event carries state, reason and exit code.

    Needs the scope `jobs:read`.

    Args:
        executor (str):
        job (UUID):
        after (int | Unset):  Default: 0.
        limit (int | Unset):  Default: 1000.
        last_event_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EventPage | Problem
    """

    return sync_detailed(
        executor=executor,
        job=job,
        client=client,
        after=after,
        limit=limit,
        last_event_id=last_event_id,
    ).parsed


async def asyncio_detailed(
    executor: str,
    job: UUID,
    *,
    client: AuthenticatedClient,
    after: int | Unset = 0,
    limit: int | Unset = 1000,
    last_event_id: str | Unset = UNSET,
) -> Response[EventPage | Problem]:
    """Read a job's history

     Every change of the job, in order, each written with the change itself.

    `text/event-stream` goes on as things happen: each event's `id` is its `seq`, `Last-Event-ID`
    resumes behind
    it, and a last `end` event carries state, reason and exit code.

    Needs the scope `jobs:read`.

    Args:
        executor (str):
        job (UUID):
        after (int | Unset):  Default: 0.
        limit (int | Unset):  Default: 1000.
        last_event_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EventPage | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
        job=job,
        after=after,
        limit=limit,
        last_event_id=last_event_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    executor: str,
    job: UUID,
    *,
    client: AuthenticatedClient,
    after: int | Unset = 0,
    limit: int | Unset = 1000,
    last_event_id: str | Unset = UNSET,
) -> EventPage | Problem | None:
    """Read a job's history

     Every change of the job, in order, each written with the change itself.

    `text/event-stream` goes on as things happen: each event's `id` is its `seq`, `Last-Event-ID`
    resumes behind
    it, and a last `end` event carries state, reason and exit code.

    Needs the scope `jobs:read`.

    Args:
        executor (str):
        job (UUID):
        after (int | Unset):  Default: 0.
        limit (int | Unset):  Default: 1000.
        last_event_id (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EventPage | Problem
    """

    return (
        await asyncio_detailed(
            executor=executor,
            job=job,
            client=client,
            after=after,
            limit=limit,
            last_event_id=last_event_id,
        )
    ).parsed

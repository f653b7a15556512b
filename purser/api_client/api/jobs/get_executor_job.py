from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.job import Job
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    executor: str,
    job: UUID,
    *,
    version: int | Unset = UNSET,
    wait: float | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_none_match, Unset):
        headers["If-None-Match"] = if_none_match

    params: dict[str, Any] = {}

    params["version"] = version

    params["wait"] = wait

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/executors/{executor}/jobs/{job}".format(
            executor=quote(str(executor), safe=""),
            job=quote(str(job), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Any | Job | Problem | None:
    if response.status_code == 200:
        response_200 = Job.from_dict(response.json())

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Any | Job | Problem]:
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
    version: int | Unset = UNSET,
    wait: float | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | Job | Problem]:
    """Read a job's status

     How a job is doing, why it waits, or why it ended.

    With `wait` the answer is held until the job has changed or has ended, or the time is over. Who has
    read it
    before gives the `ETag` of that answer as `If-None-Match`, and gets 304 while it is still so.

    Needs the scope `jobs:read`.

    Args:
        executor (str):
        job (UUID):
        version (int | Unset):
        wait (float | Unset):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Job | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
        job=job,
        version=version,
        wait=wait,
        if_none_match=if_none_match,
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
    version: int | Unset = UNSET,
    wait: float | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | Job | Problem | None:
    """Read a job's status

     How a job is doing, why it waits, or why it ended.

    With `wait` the answer is held until the job has changed or has ended, or the time is over. Who has
    read it
    before gives the `ETag` of that answer as `If-None-Match`, and gets 304 while it is still so.

    Needs the scope `jobs:read`.

    Args:
        executor (str):
        job (UUID):
        version (int | Unset):
        wait (float | Unset):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Job | Problem
    """

    return sync_detailed(
        executor=executor,
        job=job,
        client=client,
        version=version,
        wait=wait,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    executor: str,
    job: UUID,
    *,
    client: AuthenticatedClient,
    version: int | Unset = UNSET,
    wait: float | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | Job | Problem]:
    """Read a job's status

     How a job is doing, why it waits, or why it ended.

    With `wait` the answer is held until the job has changed or has ended, or the time is over. Who has
    read it
    before gives the `ETag` of that answer as `If-None-Match`, and gets 304 while it is still so.

    Needs the scope `jobs:read`.

    Args:
        executor (str):
        job (UUID):
        version (int | Unset):
        wait (float | Unset):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Job | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
        job=job,
        version=version,
        wait=wait,
        if_none_match=if_none_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    executor: str,
    job: UUID,
    *,
    client: AuthenticatedClient,
    version: int | Unset = UNSET,
    wait: float | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | Job | Problem | None:
    """Read a job's status

     How a job is doing, why it waits, or why it ended.

    With `wait` the answer is held until the job has changed or has ended, or the time is over. Who has
    read it
    before gives the `ETag` of that answer as `If-None-Match`, and gets 304 while it is still so.

    Needs the scope `jobs:read`.

    Args:
        executor (str):
        job (UUID):
        version (int | Unset):
        wait (float | Unset):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Job | Problem
    """

    return (
        await asyncio_detailed(
            executor=executor,
            job=job,
            client=client,
            version=version,
            wait=wait,
            if_none_match=if_none_match,
        )
    ).parsed

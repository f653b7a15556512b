from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.job import Job
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    executor: str,
    job: UUID,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/executors/{executor}/jobs/{job}/cancel".format(
            executor=quote(str(executor), safe=""),
            job=quote(str(job), safe=""),
        ),
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Job | Problem | None:
    if response.status_code == 202:
        response_202 = Job.from_dict(response.json())

        return response_202

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

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 414:
        response_414 = Problem.from_dict(response.json())

        return response_414

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Job | Problem]:
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
) -> Response[Job | Problem]:
    """Cancel a job

     Ask for the job's end. One that waits ends at once, one that runs is stopped with its grace.

    Asking twice is asking once. A job that has ended by itself is a conflict.

    Needs the scope `jobs:write`.

    Args:
        executor (str):
        job (UUID):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Job | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
        job=job,
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
) -> Job | Problem | None:
    """Cancel a job

     Ask for the job's end. One that waits ends at once, one that runs is stopped with its grace.

    Asking twice is asking once. A job that has ended by itself is a conflict.

    Needs the scope `jobs:write`.

    Args:
        executor (str):
        job (UUID):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Job | Problem
    """

    return sync_detailed(
        executor=executor,
        job=job,
        client=client,
    ).parsed


async def asyncio_detailed(
    executor: str,
    job: UUID,
    *,
    client: AuthenticatedClient,
) -> Response[Job | Problem]:
    """Cancel a job

     Ask for the job's end. One that waits ends at once, one that runs is stopped with its grace.

    Asking twice is asking once. A job that has ended by itself is a conflict.

    Needs the scope `jobs:write`.

    Args:
        executor (str):
        job (UUID):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Job | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
        job=job,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    executor: str,
    job: UUID,
    *,
    client: AuthenticatedClient,
) -> Job | Problem | None:
    """Cancel a job

     Ask for the job's end. One that waits ends at once, one that runs is stopped with its grace.

    Asking twice is asking once. A job that has ended by itself is a conflict.

    Needs the scope `jobs:write`.

    Args:
        executor (str):
        job (UUID):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Job | Problem
    """

    return (
        await asyncio_detailed(
            executor=executor,
            job=job,
            client=client,
        )
    ).parsed

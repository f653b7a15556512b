from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.executor_metrics import ExecutorMetrics
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    executor: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/executors/{executor}/metrics".format(
            executor=quote(str(executor), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ExecutorMetrics | Problem | None:
    if response.status_code == 200:
        response_200 = ExecutorMetrics.from_dict(response.json())

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


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ExecutorMetrics | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    executor: str,
    *,
    client: AuthenticatedClient,
) -> Response[ExecutorMetrics | Problem]:
    """Read an executor's metrics

     Accounting and the namespace's jobs, which are true for all processes; counters and times by
    dispatcher.

    Needs the scope `metrics:read`.

    Args:
        executor (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ExecutorMetrics | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    executor: str,
    *,
    client: AuthenticatedClient,
) -> ExecutorMetrics | Problem | None:
    """Read an executor's metrics

     Accounting and the namespace's jobs, which are true for all processes; counters and times by
    dispatcher.

    Needs the scope `metrics:read`.

    Args:
        executor (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ExecutorMetrics | Problem
    """

    return sync_detailed(
        executor=executor,
        client=client,
    ).parsed


async def asyncio_detailed(
    executor: str,
    *,
    client: AuthenticatedClient,
) -> Response[ExecutorMetrics | Problem]:
    """Read an executor's metrics

     Accounting and the namespace's jobs, which are true for all processes; counters and times by
    dispatcher.

    Needs the scope `metrics:read`.

    Args:
        executor (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ExecutorMetrics | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    executor: str,
    *,
    client: AuthenticatedClient,
) -> ExecutorMetrics | Problem | None:
    """Read an executor's metrics

     Accounting and the namespace's jobs, which are true for all processes; counters and times by
    dispatcher.

    Needs the scope `metrics:read`.

    Args:
        executor (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ExecutorMetrics | Problem
    """

    return (
        await asyncio_detailed(
            executor=executor,
            client=client,
        )
    ).parsed

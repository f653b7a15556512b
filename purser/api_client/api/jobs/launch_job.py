from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.dry_run import DryRun
from ...models.job import Job
from ...models.job_request import JobRequest
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    executor: str,
    *,
    body: JobRequest,
    dry_run: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    if not isinstance(prefer, Unset):
        headers["Prefer"] = prefer

    params: dict[str, Any] = {}

    params["dry_run"] = dry_run

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/executors/{executor}/jobs".format(
            executor=quote(str(executor), safe=""),
        ),
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> DryRun | Job | Job | Problem | None:
    if response.status_code == 200:

        def _parse_response_200(data: object) -> DryRun | Job:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_job_or_dry_run_type_0 = Job.from_dict(data)

                return componentsschemas_job_or_dry_run_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_job_or_dry_run_type_1 = DryRun.from_dict(data)

            return componentsschemas_job_or_dry_run_type_1

        response_200 = _parse_response_200(response.json())

        return response_200

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


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[DryRun | Job | Job | Problem]:
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
    body: JobRequest,
    dry_run: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> Response[DryRun | Job | Job | Problem]:
    """Launch a job

     Accept a job. Once this is answered the job is on record and will be launched when there is room.

    With `Prefer: wait=N` the answer is held until the job ends: 200 with its outcome, or 202 when it
    has not
    ended in time. A field that the executor cannot honour is refused, never dropped; all fields that
    are wrong
    are named at once. With `dry_run=true` nothing is launched: 200 says what would be.

    Needs the scope `jobs:write`.

    Args:
        executor (str):
        dry_run (bool | Unset):  Default: False.
        idempotency_key (str | Unset):
        prefer (str | Unset):
        body (JobRequest): What to run, with which limits. Everything has a default but the
            command or the image.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DryRun | Job | Job | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
        body=body,
        dry_run=dry_run,
        idempotency_key=idempotency_key,
        prefer=prefer,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    executor: str,
    *,
    client: AuthenticatedClient,
    body: JobRequest,
    dry_run: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> DryRun | Job | Job | Problem | None:
    """Launch a job

     Accept a job. Once this is answered the job is on record and will be launched when there is room.

    With `Prefer: wait=N` the answer is held until the job ends: 200 with its outcome, or 202 when it
    has not
    ended in time. A field that the executor cannot honour is refused, never dropped; all fields that
    are wrong
    are named at once. With `dry_run=true` nothing is launched: 200 says what would be.

    Needs the scope `jobs:write`.

    Args:
        executor (str):
        dry_run (bool | Unset):  Default: False.
        idempotency_key (str | Unset):
        prefer (str | Unset):
        body (JobRequest): What to run, with which limits. Everything has a default but the
            command or the image.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DryRun | Job | Job | Problem
    """

    return sync_detailed(
        executor=executor,
        client=client,
        body=body,
        dry_run=dry_run,
        idempotency_key=idempotency_key,
        prefer=prefer,
    ).parsed


async def asyncio_detailed(
    executor: str,
    *,
    client: AuthenticatedClient,
    body: JobRequest,
    dry_run: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> Response[DryRun | Job | Job | Problem]:
    """Launch a job

     Accept a job. Once this is answered the job is on record and will be launched when there is room.

    With `Prefer: wait=N` the answer is held until the job ends: 200 with its outcome, or 202 when it
    has not
    ended in time. A field that the executor cannot honour is refused, never dropped; all fields that
    are wrong
    are named at once. With `dry_run=true` nothing is launched: 200 says what would be.

    Needs the scope `jobs:write`.

    Args:
        executor (str):
        dry_run (bool | Unset):  Default: False.
        idempotency_key (str | Unset):
        prefer (str | Unset):
        body (JobRequest): What to run, with which limits. Everything has a default but the
            command or the image.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DryRun | Job | Job | Problem]
    """

    kwargs = _get_kwargs(
        executor=executor,
        body=body,
        dry_run=dry_run,
        idempotency_key=idempotency_key,
        prefer=prefer,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    executor: str,
    *,
    client: AuthenticatedClient,
    body: JobRequest,
    dry_run: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> DryRun | Job | Job | Problem | None:
    """Launch a job

     Accept a job. Once this is answered the job is on record and will be launched when there is room.

    With `Prefer: wait=N` the answer is held until the job ends: 200 with its outcome, or 202 when it
    has not
    ended in time. A field that the executor cannot honour is refused, never dropped; all fields that
    are wrong
    are named at once. With `dry_run=true` nothing is launched: 200 says what would be.

    Needs the scope `jobs:write`.

    Args:
        executor (str):
        dry_run (bool | Unset):  Default: False.
        idempotency_key (str | Unset):
        prefer (str | Unset):
        body (JobRequest): What to run, with which limits. Everything has a default but the
            command or the image.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DryRun | Job | Job | Problem
    """

    return (
        await asyncio_detailed(
            executor=executor,
            client=client,
            body=body,
            dry_run=dry_run,
            idempotency_key=idempotency_key,
            prefer=prefer,
        )
    ).parsed

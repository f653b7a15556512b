import datetime
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.audit_outcome import AuditOutcome
from ...models.audit_page import AuditPage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    cursor: str | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    operation: str | Unset = UNSET,
    outcome: AuditOutcome | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    token: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["cursor"] = cursor

    json_from_: str | Unset = UNSET
    if not isinstance(from_, Unset):
        json_from_ = from_.isoformat()
    params["from"] = json_from_

    params["limit"] = limit

    params["operation"] = operation

    json_outcome: str | Unset = UNSET
    if not isinstance(outcome, Unset):
        json_outcome = outcome.value

    params["outcome"] = json_outcome

    json_to: str | Unset = UNSET
    if not isinstance(to, Unset):
        json_to = to.isoformat()
    params["to"] = json_to

    params["token"] = token

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/audit",
        "params": params,
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> AuditPage | Problem | None:
    if response.status_code == 200:
        response_200 = AuditPage.from_dict(response.json())

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[AuditPage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    cursor: str | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    operation: str | Unset = UNSET,
    outcome: AuditOutcome | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    token: str | Unset = UNSET,
) -> Response[AuditPage | Problem]:
    """Read the audit log

     Every change in the namespace, and every request that was refused, newest first, page by page.

    Nothing changes or removes an entry before `PURSER_AUDIT_RETENTION_SECONDS` are over. Requests
    without a
    usable token belong to no namespace: the operator's sees them. Most of a flood of refusals is
    counted in
    `missed`, not written down.

    Needs the scope `admin`.

    Args:
        cursor (str | Unset):
        from_ (datetime.datetime | Unset):
        limit (int | Unset):  Default: 50.
        operation (str | Unset):
        outcome (AuditOutcome | Unset): How an act ended.
        to (datetime.datetime | Unset):
        token (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AuditPage | Problem]
    """

    kwargs = _get_kwargs(
        cursor=cursor,
        from_=from_,
        limit=limit,
        operation=operation,
        outcome=outcome,
        to=to,
        token=token,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    cursor: str | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    operation: str | Unset = UNSET,
    outcome: AuditOutcome | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    token: str | Unset = UNSET,
) -> AuditPage | Problem | None:
    """Read the audit log

     Every change in the namespace, and every request that was refused, newest first, page by page.

    Nothing changes or removes an entry before `PURSER_AUDIT_RETENTION_SECONDS` are over. Requests
    without a
    usable token belong to no namespace: the operator's sees them. Most of a flood of refusals is
    counted in
    `missed`, not written down.

    Needs the scope `admin`.

    Args:
        cursor (str | Unset):
        from_ (datetime.datetime | Unset):
        limit (int | Unset):  Default: 50.
        operation (str | Unset):
        outcome (AuditOutcome | Unset): How an act ended.
        to (datetime.datetime | Unset):
        token (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AuditPage | Problem
    """

    return sync_detailed(
        client=client,
        cursor=cursor,
        from_=from_,
        limit=limit,
        operation=operation,
        outcome=outcome,
        to=to,
        token=token,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    cursor: str | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    operation: str | Unset = UNSET,
    outcome: AuditOutcome | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    token: str | Unset = UNSET,
) -> Response[AuditPage | Problem]:
    """Read the audit log

     Every change in the namespace, and every request that was refused, newest first, page by page.

    Nothing changes or removes an entry before `PURSER_AUDIT_RETENTION_SECONDS` are over. Requests
    without a
    usable token belong to no namespace: the operator's sees them. Most of a flood of refusals is
    counted in
    `missed`, not written down.

    Needs the scope `admin`.

    Args:
        cursor (str | Unset):
        from_ (datetime.datetime | Unset):
        limit (int | Unset):  Default: 50.
        operation (str | Unset):
        outcome (AuditOutcome | Unset): How an act ended.
        to (datetime.datetime | Unset):
        token (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AuditPage | Problem]
    """

    kwargs = _get_kwargs(
        cursor=cursor,
        from_=from_,
        limit=limit,
        operation=operation,
        outcome=outcome,
        to=to,
        token=token,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    cursor: str | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    operation: str | Unset = UNSET,
    outcome: AuditOutcome | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    token: str | Unset = UNSET,
) -> AuditPage | Problem | None:
    """Read the audit log

     Every change in the namespace, and every request that was refused, newest first, page by page.

    Nothing changes or removes an entry before `PURSER_AUDIT_RETENTION_SECONDS` are over. Requests
    without a
    usable token belong to no namespace: the operator's sees them. Most of a flood of refusals is
    counted in
    `missed`, not written down.

    Needs the scope `admin`.

    Args:
        cursor (str | Unset):
        from_ (datetime.datetime | Unset):
        limit (int | Unset):  Default: 50.
        operation (str | Unset):
        outcome (AuditOutcome | Unset): How an act ended.
        to (datetime.datetime | Unset):
        token (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AuditPage | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            cursor=cursor,
            from_=from_,
            limit=limit,
            operation=operation,
            outcome=outcome,
            to=to,
            token=token,
        )
    ).parsed

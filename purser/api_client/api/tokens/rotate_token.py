from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.token_rotation import TokenRotation
from ...models.token_with_secret import TokenWithSecret
from ...types import Response


def _get_kwargs(
    token: str,
    *,
    body: TokenRotation,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/tokens/{token}/rotate".format(
            token=quote(str(token), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | TokenWithSecret | None:
    if response.status_code == 200:
        response_200 = TokenWithSecret.from_dict(response.json())

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
) -> Response[Problem | TokenWithSecret]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    token: str,
    *,
    client: AuthenticatedClient,
    body: TokenRotation,
) -> Response[Problem | TokenWithSecret]:
    """Rotate a token

     Give a token a new secret; id, scopes, executors and expiry stay. The text is shown this once.

    The secret before opens for `overlap_seconds` more, by default not at all; the one before that, if
    it still did,
    no longer. A token that may do more than the caller's cannot be rotated with it.

    Needs the scope `admin`.

    Args:
        token (str):
        body (TokenRotation): How a token gets its new secret.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | TokenWithSecret]
    """

    kwargs = _get_kwargs(
        token=token,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    token: str,
    *,
    client: AuthenticatedClient,
    body: TokenRotation,
) -> Problem | TokenWithSecret | None:
    """Rotate a token

     Give a token a new secret; id, scopes, executors and expiry stay. The text is shown this once.

    The secret before opens for `overlap_seconds` more, by default not at all; the one before that, if
    it still did,
    no longer. A token that may do more than the caller's cannot be rotated with it.

    Needs the scope `admin`.

    Args:
        token (str):
        body (TokenRotation): How a token gets its new secret.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | TokenWithSecret
    """

    return sync_detailed(
        token=token,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    token: str,
    *,
    client: AuthenticatedClient,
    body: TokenRotation,
) -> Response[Problem | TokenWithSecret]:
    """Rotate a token

     Give a token a new secret; id, scopes, executors and expiry stay. The text is shown this once.

    The secret before opens for `overlap_seconds` more, by default not at all; the one before that, if
    it still did,
    no longer. A token that may do more than the caller's cannot be rotated with it.

    Needs the scope `admin`.

    Args:
        token (str):
        body (TokenRotation): How a token gets its new secret.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | TokenWithSecret]
    """

    kwargs = _get_kwargs(
        token=token,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    token: str,
    *,
    client: AuthenticatedClient,
    body: TokenRotation,
) -> Problem | TokenWithSecret | None:
    """Rotate a token

     Give a token a new secret; id, scopes, executors and expiry stay. The text is shown this once.

    The secret before opens for `overlap_seconds` more, by default not at all; the one before that, if
    it still did,
    no longer. A token that may do more than the caller's cannot be rotated with it.

    Needs the scope `admin`.

    Args:
        token (str):
        body (TokenRotation): How a token gets its new secret.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | TokenWithSecret
    """

    return (
        await asyncio_detailed(
            token=token,
            client=client,
            body=body,
        )
    ).parsed

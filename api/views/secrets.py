"""Stored secrets: put, list, remove. No answer has a value."""

from django.http import HttpResponse
from rest_framework.request import Request

from api.auth import token_of
from api.documents import secret_document
from api.endpoint import View, answer, endpoint
from api.errors import InvalidQuery
from api.parsing import Query, read_body, read_nothing
from api.schemas.secrets import StoredSecret, StoredSecretPage
from container_manager import exceptions as domain
from container_manager import secrets
from container_manager.exceptions import FieldError
from container_manager.secrets import SecretValue
from container_manager.tokens import Scope


class Secrets(View):
    """The namespace's stored secrets."""

    @endpoint("listSecrets", "List stored secrets", scope=Scope.JOBS_READ, answers={200: StoredSecretPage})
    def get(self, request: Request, query: Query) -> HttpResponse:
        """Names and times of the namespace's secrets, by name; at most 500. Values never come back."""
        found = secrets.listed(token_of(request).namespace)
        return answer({"results": [secret_document(secret) for secret in found]})


class SecretStatus(View):
    """One stored secret."""

    @endpoint(
        "putSecret",
        "Store a secret",
        scope=Scope.JOBS_WRITE,
        body=SecretValue,
        answers={201: StoredSecret, 200: StoredSecret},
        raises=(domain.TooManySecrets,),
    )
    def put(self, request: Request, query: Query, secret: str) -> HttpResponse:
        """Keep a value, encrypted, under a name: 201 for a new name, 200 in the place of the value before.

        A launch request names it as `stored`. Jobs have the value that it had when they were accepted.
        """
        if not secrets.NAME.fullmatch(secret):
            told = "must be 1 to 63 letters, digits, '_', '.' and '-', beginning with none of the last two"
            raise InvalidQuery([FieldError("secret", "invalid", told)])
        value = read_body(SecretValue, request).value.get_secret_value()
        stored, is_new = secrets.put(token_of(request).namespace, secret, value)
        return answer(secret_document(stored), 201 if is_new else 200)

    @endpoint(
        "deleteSecret",
        "Remove a stored secret",
        scope=Scope.JOBS_WRITE,
        answers={204: None},
        raises=(domain.UnknownSecret,),
    )
    def delete(self, request: Request, query: Query, secret: str) -> HttpResponse:
        """Forget the value. Jobs that were accepted with it have it until their end."""
        read_nothing(request)
        secrets.remove(token_of(request).namespace, secret)
        return HttpResponse(status=204)

"""Answers about stored secrets. None has a value."""

from pydantic import Field

from api.schemas.base import Answer, Time


class StoredSecret(Answer):
    """A value that the namespace keeps for its jobs; it is only ever given to them."""

    name: str = Field(description="What a launch request names it by.", examples=["deploy-key"])
    created_at: Time = Field(description="When the name was first given a value.")
    updated_at: Time = Field(description="When it was given the present one.")


class StoredSecretPage(Answer):
    """The namespace's stored secrets, by name."""

    results: list[StoredSecret] = Field(description="All of them.")

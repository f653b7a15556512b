"""Rows with sensible values. `build()` needs no database."""
# mypy: allow-untyped-calls

import hashlib
from datetime import timedelta

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from container_manager.identifiers import uuid7
from container_manager.models import Attempt, Job, Token

SECRET = "5" * 64
"""The secret of every token that is made here."""


class ContainerJobFactory(DjangoModelFactory[Job]):
    """A queued job of the mock executor."""

    class Meta:
        model = Job

    id = LazyFunction(uuid7)
    namespace = "default"
    executor = "mock"
    request = LazyFunction(lambda: {"command": ["true"]})
    memory_mib = 64
    cpu_millis = 500
    timeout_seconds = 60.0
    grace_seconds = 5.0
    max_retries = 0

    class Params:
        active = Trait(
            state="running",
            attempt=1,
            launching_at=LazyFunction(timezone.now),
            started_at=LazyFunction(timezone.now),
            deadline=LazyAttribute(lambda job: job.started_at + timedelta(seconds=job.timeout_seconds)),
        )
        ended = Trait(
            state="succeeded",
            reason="completed",
            exit_code=0,
            attempt=1,
            launching_at=LazyFunction(timezone.now),
            started_at=LazyFunction(timezone.now),
            finished_at=LazyFunction(timezone.now),
        )


class AttemptFactory(DjangoModelFactory[Attempt]):
    """A first attempt that has been launched and has not ended."""

    class Meta:
        model = Attempt

    job = SubFactory(ContainerJobFactory, active=True)
    number = SelfAttribute("job.attempt")
    launching_at = LazyFunction(timezone.now)


class TokenFactory(DjangoModelFactory[Token]):
    """A token for everything in its namespace; `purser_<id>_<SECRET>` is what a client sends."""

    class Meta:
        model = Token

    id = Sequence(lambda number: f"{number:012x}")
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    name = "test"
    namespace = "default"
    scopes = LazyFunction(lambda: ["admin"])

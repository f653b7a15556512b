"""`manage.py check` builds every executor, so that a wrong config stops the start and not a job."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from container_manager.exceptions import InvalidConfig
from container_manager.executors.registry import executors


@register()
def check_executors(**_: Any) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for name, entry in settings.EXECUTORS.items():
        try:
            executors.build(name, entry).close()
        except InvalidConfig as error:
            errors.append(Error(str(error), id="container_manager.E001"))
    return errors

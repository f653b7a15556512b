"""Who runs a command, for the audit log."""

import contextlib
import os
import pwd
from collections.abc import Iterator

from container_manager import audit
from container_manager.audit import Act, AuditOutcome, Via
from container_manager.exceptions import PurserError


@contextlib.contextmanager
def acting(operation: str, subject_type: str = "", subject: str = "") -> Iterator[None]:
    """What is done inside is audited as this operation, by the host's user; so is what is refused."""
    with audit.acting(
        Act(operation, Via.COMMAND, user=_user(), subject_type=subject_type, subject=subject, user_agent="manage.py")
    ) as act:
        try:
            yield
        except PurserError as error:
            audit.close(act, AuditOutcome.REFUSED, code=error.code)
            raise
        audit.close(act, AuditOutcome.DONE)


def _user() -> str:
    """The user's name, or the number of one who has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())

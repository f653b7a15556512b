"""Which prepared container an execution was given: small files, from before it is given until its cleanup.

Engines let two callers at once rename one container, and both believe that they have it. So who takes one is settled
here: by a file for each container, which one of them makes.
"""

import contextlib
import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from container_manager.spec import parse_execution_id

_ASKED = ".asked"
_CLAIM = ".claim"
_REMOVAL = "removal"


@dataclass(frozen=True, slots=True)
class Booking:
    """A container by the engine's id, the name that it was prepared under, and when it was given."""

    container: str
    prepared_as: str
    at: datetime


class Bookings:
    """The files of one executor, which all processes that take its containers share.

    A booking is asked first, and stands once the container has the name of its execution. What to run is told only
    after that, so an execution whose booking does not stand has not begun. A claim without a booking is for removal.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    # Of containers

    def claim_for_removal(self, container: str) -> bool:
        """Whether it may be removed: no execution has it, and none will. Raises OSError."""
        return self._make(f"{container}{_CLAIM}", _REMOVAL) or self._claimed_by(container) == _REMOVAL

    def removed(self, container: str) -> None:
        """It is gone: nobody can want it any more."""
        with contextlib.suppress(OSError):
            self._path(container, _CLAIM).unlink(missing_ok=True)

    def claimed(self) -> set[str]:
        """The containers that somebody has, or is about to have."""
        return {name.removesuffix(_CLAIM) for name in self._names() if name.endswith(_CLAIM)}

    def left_for_removal(self, there: Collection[str]) -> list[str]:
        """Those claimed for removal that are not among these."""
        return [one for one in self.claimed() - set(there) if self._claimed_by(one) == _REMOVAL]

    # Of executions

    def ask(self, execution_id: str, booking: Booking) -> bool:
        """False where somebody else has the container. Raises FileExistsError where the execution has a booking of
        another launch, or OSError."""
        if self._path(execution_id).exists():
            raise FileExistsError
        content = json.dumps({**asdict(booking), "at": booking.at.isoformat()})
        if not self._make(f"{execution_id}{_ASKED}", content):
            raise FileExistsError
        if self._make(f"{booking.container}{_CLAIM}", execution_id):
            return True
        self._path(execution_id, _ASKED).unlink(missing_ok=True)
        return False

    def confirm(self, execution_id: str) -> None:
        """It stands from here on. Raises OSError, also when it has been removed meanwhile."""
        self._path(execution_id, _ASKED).rename(self._path(execution_id))

    def standing(self, execution_id: str) -> Booking | None:
        """The booking of one that has been told what to run, or is about to be."""
        return _read(self._path(execution_id)) if parse_execution_id(execution_id) else None

    def find(self, execution_id: str) -> Booking | None:
        """The booking of one that has a container, be it told what to run or not."""
        found = self._any(execution_id) if parse_execution_id(execution_id) else None
        return found if found and self._claimed_by(found.container) == execution_id else None

    def remove(self, execution_id: str) -> bool:
        """Forget it, and that it had a container, which is gone. Whether none is left."""
        if not parse_execution_id(execution_id):
            return True
        try:
            if booking := self.find(execution_id):
                self._path(booking.container, _CLAIM).unlink(missing_ok=True)
            for state in (_ASKED, ""):
                self._path(execution_id, state).unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def listed(self) -> list[str]:
        """The executions that have one, asked or standing."""
        return sorted(filter(parse_execution_id, {name.removesuffix(_ASKED) for name in self._names()}))

    def prepared_names(self) -> set[str]:
        """Under which names the containers of all of them were prepared."""
        return {booking.prepared_as for one in self.listed() if (booking := self._any(one))}

    def _any(self, execution_id: str) -> Booking | None:
        # In this order: an asked one may come to stand meanwhile.
        return _read(self._path(execution_id, _ASKED)) or _read(self._path(execution_id))

    def _claimed_by(self, container: str) -> str:
        try:
            return self._path(container, _CLAIM).read_text()
        except OSError:
            return ""

    def _make(self, name: str, content: str) -> bool:
        """False where there is such a file. It is whole as soon as it is there."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f".{os.getpid()}-{os.urandom(8).hex()}"
        draft.write_text(content)
        try:
            os.link(draft, self._folder / name)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def _names(self) -> list[str]:
        try:
            return os.listdir(self._folder)
        except FileNotFoundError:
            return []

    def _path(self, name: str, state: str = "") -> Path:
        return self._folder / f"{name}{state}"


def _read(path: Path) -> Booking | None:
    try:
        content = json.loads(path.read_text())
        return Booking(content["container"], content["prepared_as"], datetime.fromisoformat(content["at"]))
    except OSError:
        return None

"""Where the next page of a list begins, as a text that callers do not look into."""

import base64
import binascii

from container_manager.exceptions import InvalidCursor


def encode(place: str) -> str:
    """The cursor of a place."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """The place of a cursor. Raises InvalidCursor."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        raise refused(cursor) from None


def refused(cursor: str) -> InvalidCursor:
    """What to raise for a cursor that decodes to no place of the list."""
    return InvalidCursor(f"cursor {cursor!r} was not given out by this list")

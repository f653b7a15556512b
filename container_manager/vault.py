"""Keeps what must be read again but never shown: encrypted with keys made from the service's secret key.

`settings.SECRET_KEY` encrypts; what a key of `settings.SECRET_KEY_FALLBACKS` encrypted can still be read, so a key
is changed without losing anything. A database, or a backup of it, opens nothing without the key.
"""

import base64
import functools
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from container_manager.exceptions import SecretUnreadable


def seal(text: str) -> str:
    """The text, encrypted and authenticated."""
    return _fernet().encrypt(text.encode()).decode()


def open_sealed(sealed: str) -> str:
    """The text that was sealed. Raises SecretUnreadable when no present key has sealed it."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable from None


def reseal(sealed: str) -> str:
    """The same, sealed with the present key. Raises SecretUnreadable."""
    try:
        return _fernet().rotate(sealed.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable from None


def fingerprints(text: str) -> list[str]:
    """What tells two texts apart and gives neither away: by the present key, then by each that may still be used."""
    return [hmac.new(_derive(key, b"fingerprint"), text.encode(), hashlib.sha256).hexdigest() for key in _keys()]


def _keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def _fernet() -> MultiFernet:
    return _fernet_of(_keys())


@functools.lru_cache(maxsize=4)
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, b"vault"))) for key in keys])


@functools.lru_cache(maxsize=16)
def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"purser " + purpose).derive(key.encode())

"""What is kept encrypted, and how its key is changed."""

from typing import Any

import pytest

from container_manager import vault
from container_manager.exceptions import SecretUnreadable


def test_what_is_sealed_can_be_opened_and_does_not_show() -> None:
    sealed = vault.seal("hunter2 ☃")
    assert vault.open_sealed(sealed) == "hunter2 ☃"
    assert "hunter2" not in sealed
    assert sealed != vault.seal("hunter2 ☃")


def test_what_an_old_key_has_sealed_can_be_opened_and_sealed_anew(settings: Any) -> None:
    sealed, old = vault.seal("x"), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 40, [old]
    resealed = vault.reseal(sealed)
    settings.SECRET_KEY_FALLBACKS = []
    assert vault.open_sealed(resealed) == "x"
    with pytest.raises(SecretUnreadable):
        vault.open_sealed(sealed)


def test_a_seal_that_was_changed_is_not_opened() -> None:
    sealed = vault.seal("x")
    with pytest.raises(SecretUnreadable):
        vault.open_sealed(sealed[:-5] + "AAAA" + sealed[-1])
    with pytest.raises(SecretUnreadable):
        vault.reseal("nonsense")


def test_a_fingerprint_tells_texts_apart_and_needs_the_key(settings: Any) -> None:
    before = vault.fingerprints("x")[0]
    assert before == vault.fingerprints("x")[0] != vault.fingerprints("y")[0]
    old, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 40
    assert before not in vault.fingerprints("x")
    settings.SECRET_KEY_FALLBACKS = [old]
    assert before == vault.fingerprints("x")[1]

"""Sealed bytes: opened with the right key and in the right place alone."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restock_common.sealing import Seal, Unsealable, parse_keys, sealed_with

OLD, NEW = bytes(32), bytes(range(32))


@given(st.binary(max_size=2000), st.text(max_size=50))
def test_what_was_sealed_is_opened(plain: bytes, place: str) -> None:
    seal = Seal({"one": NEW})
    assert seal.open(seal.seal(plain, bound_to=place), bound_to=place) == plain


def test_the_same_is_never_sealed_to_the_same_bytes() -> None:
    seal = Seal({"one": NEW})
    assert seal.seal(b"x", bound_to="p") != seal.seal(b"x", bound_to="p")


def test_an_older_key_opens_and_the_first_one_seals() -> None:
    before, after = Seal({"old": OLD}), Seal({"new": NEW, "old": OLD})
    assert after.open(before.seal(b"x", bound_to="p"), bound_to="p") == b"x"
    assert sealed_with(after.seal(b"x", bound_to="p")) == "new"
    with pytest.raises(Unsealable, match="'new', which is not given"):
        before.open(after.seal(b"x", bound_to="p"), bound_to="p")


def test_another_place_another_key_and_any_other_bit_are_refused() -> None:
    seal = Seal({"one": NEW})
    sealed = seal.seal(b"anna@example.org", bound_to="p")
    with pytest.raises(Unsealable):
        seal.open(sealed, bound_to="q")
    with pytest.raises(Unsealable):
        Seal({"one": OLD}).open(sealed, bound_to="p")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Unsealable):
            seal.open(bytes(changed), bound_to="p")


@given(st.binary(max_size=80))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(Unsealable):
        Seal({"one": NEW}).open(noise, bound_to="p")


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_keys_are_read_in_their_order() -> None:
    keys = parse_keys(f"b={encoded(NEW)}, a={encoded(OLD)}")
    assert list(keys.items()) == [("b", NEW), ("a", OLD)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "pair 1"),
        (encoded(NEW), "pair 1"),
        (f"a={encoded(NEW)},a={encoded(OLD)}", "pair 2 has the name"),
        (f"a={encoded(NEW)},", "pair 2"),
        ("secret", "pair 1"),
        ("a=?secret?", "pair 1 is not base64"),
        (f"a={encoded(b'secret')}", "pair 1 has 6 bytes, not 32"),
    ],
)
def test_wrong_keys_are_named_and_not_shown(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="pair") as caught:
        parse_keys(text)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)

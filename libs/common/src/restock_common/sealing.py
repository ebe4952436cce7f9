"""Sealing: bytes encrypted and authenticated under named keys, so that keys can be rotated.

AES-256-GCM with a random 96-bit nonce: good for 2^32 messages under one key (NIST SP 800-38D, 8.3).
"""

import base64
import binascii
import re
from collections.abc import Mapping
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restock_common.errors import RestockError

KEY_BYTES = 32
_FORMAT = 1
_HEAD_BYTES = 2  # the format, and how long the key's name is
_NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")


class Unsealable(RestockError):
    """What was sealed cannot be opened: the key is not here, or it is not what was sealed."""


class Seal:
    """Seals with the first of several keys, and opens what any of them has sealed.

    Args:
        keys: 32 bytes each, by name; the first one seals.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        assert keys, "a seal has at least one key"
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self.first = next(iter(keys))

    def seal(self, plain: bytes, *, bound_to: str) -> bytes:
        """Return the bytes encrypted, with the name of the key before them.

        Args:
            plain: What nobody is to read.
            bound_to: Where it belongs, such as an id: opened with another one, it fails.
        """
        name, nonce = self.first.encode(), token_bytes(_NONCE_BYTES)
        head = bytes((_FORMAT, len(name))) + name
        return head + nonce + self._ciphers[self.first].encrypt(nonce, plain, bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Return what was sealed. Raises Unsealable."""
        name = sealed_with(sealed)
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise Unsealable(f"it was sealed with the key {name!r}, which is not given")
        start = _HEAD_BYTES + len(name)
        nonce, hidden = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, hidden, bound_to.encode())
        except (InvalidTag, ValueError):
            raise Unsealable(f"it is not what the key {name!r} has sealed here") from None


def sealed_with(sealed: bytes) -> str:
    """Return the name of the key that something was sealed with. Raises Unsealable."""
    if len(sealed) < _HEAD_BYTES or sealed[0] != _FORMAT:
        raise Unsealable("it has not been sealed in a form that is known here")
    name = sealed[_HEAD_BYTES : _HEAD_BYTES + sealed[1]].decode("ascii", errors="replace")
    if not _NAME.fullmatch(name):
        raise Unsealable("it does not name the key that it was sealed with")
    return name


def parse_keys(text: str) -> dict[str, bytes]:
    """Return keys by name from `name=key` pairs separated by commas, in their order.

    Args:
        text: Each key is the base64 of 32 random bytes, as `openssl rand -base64 32` makes one.

    Raises:
        ValueError: It says which pair is wrong, and shows nothing of it: a key may stand where a
            name should.
    """
    keys: dict[str, bytes] = {}
    for number, pair in enumerate(text.split(","), 1):
        name, _, encoded = (part.strip() for part in pair.partition("="))
        if not _NAME.fullmatch(name):
            raise ValueError(f"pair {number} does not begin with a key's name and '='")
        if name in keys:
            raise ValueError(f"pair {number} has the name of another one")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"the key of pair {number} is not base64") from None
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key of pair {number} has {len(key)} bytes, not {KEY_BYTES}")
        keys[name] = key
    return keys

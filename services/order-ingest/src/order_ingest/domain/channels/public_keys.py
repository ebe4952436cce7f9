"""Public keys of shops that sign with a private one: RSA, as PEM, JWK or JWK set."""

from functools import lru_cache

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import RSAAlgorithm
from pydantic_core import from_json

MIN_BITS = 2048
"""Shorter keys are not trusted any more (NIST SP 800-131A)."""

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_IS_NONE = "is neither a public key as PEM nor a JWK or JWK set"
_IS_PRIVATE = "holds a private key, which nobody but the shop should have: give the public one"


@lru_cache(maxsize=1024)
def rsa_keys(text: str) -> tuple[RSAPublicKey, ...]:
    """Return the keys that a text holds, at least one; a set's keys of other kinds are passed over.

    Raises:
        ValueError: It holds none, or a private one. Nothing of it is shown.
    """
    try:
        value = from_json(text)
    except ValueError:
        return (_checked(_of_pem(text)),)
    members = value.get("keys", [value]) if isinstance(value, dict) else None
    if not isinstance(members, list) or not all(isinstance(one, dict) for one in members):
        raise ValueError(_IS_NONE)
    if any(_PRIVATE_MEMBERS & one.keys() for one in members):
        raise ValueError(_IS_PRIVATE)
    keys = tuple(_checked(_of_jwk(one)) for one in members if one.get("kty") == "RSA")
    if not keys:
        raise ValueError("holds no RSA key")
    return keys


def _of_pem(text: str) -> object:
    if "PRIVATE KEY" in text:
        raise ValueError(_IS_PRIVATE)
    try:
        return load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(_IS_NONE) from None


def _of_jwk(member: dict[str, object]) -> object:
    try:
        return RSAAlgorithm.from_jwk(member)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):  # by what the members are
        raise ValueError("holds a JWK that is no RSA key") from None


def _checked(key: object) -> RSAPublicKey:
    if not isinstance(key, RSAPublicKey):
        raise ValueError("holds a key that is none of RSA")
    if key.key_size < MIN_BITS:
        raise ValueError(f"holds a key of fewer than {MIN_BITS} bits")
    return key

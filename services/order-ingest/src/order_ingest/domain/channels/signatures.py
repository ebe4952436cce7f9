"""Who sent it: signatures over the raw bytes, compared in constant time, any secret will do."""

import base64
import binascii
import hmac
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from order_ingest.domain.channels.base import (
    REPLAY_WINDOW_S,
    BadSignature,
    Headers,
    ShopSettings,
    Verifier,
)
from order_ingest.domain.channels.public_keys import rsa_keys

_WINDOW = timedelta(seconds=REPLAY_WINDOW_S)
_PREFIX = "whsec_"
_JWS_PARTS = 3


def hmac_in(header: str) -> Verifier:
    """Return the check of base64(HMAC-SHA256(body)) in a header; it has no time in it."""

    def verify(headers: Headers, raw: bytes, settings: ShopSettings, _now: datetime) -> None:
        given = _base64(_sent(headers, header))
        _match(header, given, (hmac.digest(key, raw, sha256) for key in _keys(settings)))

    return verify


def hex_hmac_in(header: str) -> Verifier:
    """Return the check of hex(HMAC-SHA256(body)) in a header; it has no time in it."""

    def verify(headers: Headers, raw: bytes, settings: ShopSettings, _now: datetime) -> None:
        given = _sent(headers, header).strip().lower().encode(errors="replace")
        expected = (hmac.digest(key, raw, sha256).hex().encode() for key in _keys(settings))
        _match(header, given, expected)

    return verify


def standard(headers: Headers, raw: bytes, settings: ShopSettings, now: datetime) -> None:
    """Check the Standard Webhooks scheme: `id.timestamp.body`, 300 s, several signatures.

    A secret is base64 where it begins with `whsec_`, and else taken as it is written.
    """
    stated = _sent(headers, "webhook-timestamp")
    message_id, signatures = _sent(headers, "webhook-id"), _sent(headers, "webhook-signature")
    try:
        signed_at = datetime.fromtimestamp(int(stated[:20]), UTC)
    except (ValueError, OverflowError, OSError):
        raise BadSignature("is not a time in seconds", field="header webhook-timestamp") from None
    if not now - _WINDOW <= signed_at <= now + _WINDOW:
        reason = f"is more than {REPLAY_WINDOW_S} s from now"
        raise BadSignature(reason, field="header webhook-timestamp")
    said = f"{message_id}.{stated}.".encode(errors="replace") + raw
    expected = [hmac.digest(_standard_key(key), said, sha256) for key in _keys(settings)]
    given = [
        _base64(signature)
        for version, _, signature in (one.partition(",") for one in signatures.split())
        if version == "v1"
    ]
    # Every pair is compared, so that the time taken tells nothing of which was near.
    if not sum(hmac.compare_digest(one, other) for one in given for other in expected):
        raise BadSignature("does not match", field="header webhook-signature")


def secret_in_header(headers: Headers, _raw: bytes, settings: ShopSettings, _now: datetime) -> None:
    """Check a secret that is sent as it is: for what cannot sign; TLS alone keeps it."""
    name = settings.secret_header.lower()
    given = _sent(headers, name).encode(errors="replace")
    _match(name, given, _keys(settings))


def rsa_over_base64(header: str) -> Verifier:
    """Return the check of RSA-SHA256 (PKCS#1 v1.5) over the base64 of the body."""

    def verify(headers: Headers, raw: bytes, settings: ShopSettings, _now: datetime) -> None:
        given, said = _base64(_sent(headers, header)), base64.b64encode(raw)
        for key in _public_keys(settings):
            try:
                key.verify(given, said, padding.PKCS1v15(), hashes.SHA256())
            except InvalidSignature:
                continue
            else:
                return
        raise BadSignature("does not match", field=f"header {header}")

    return verify


def detached_jws_in(header: str) -> Verifier:
    """Return the check of a JWS (RS256) whose payload is the body."""

    def verify(headers: Headers, raw: bytes, settings: ShopSettings, _now: datetime) -> None:
        sent = _sent(headers, header)
        parts = sent.split(".")
        if len(parts) == _JWS_PARTS:
            for key in _public_keys(settings):
                try:
                    _check_jws(parts, raw, key)
                except jwt.PyJWTError:
                    continue
                else:
                    return
        raise BadSignature("does not match", field=f"header {header}")

    return verify


def first_of(*schemes: tuple[str | None, Verifier]) -> Verifier:
    """Return the check of the first scheme whose header was sent, or else of the last one.

    Args:
        schemes: Each with its header; None stands for the shop's `secret_header`.
    """

    def verify(headers: Headers, raw: bytes, settings: ShopSettings, now: datetime) -> None:
        for header, scheme in schemes[:-1]:
            if (header or settings.secret_header.lower()) in headers:
                scheme(headers, raw, settings, now)
                return
        schemes[-1][1](headers, raw, settings, now)

    return verify


def _check_jws(parts: list[str], raw: bytes, key: RSAPublicKey) -> None:
    """Check a detached signature, whether its payload is signed as it is or as base64.

    Raises:
        PyJWTError: It is not a signature of these bytes by this key.
    """
    head, _, signature = parts
    unencoded = jwt.get_unverified_header(f"{head}..{signature}").get("b64") is False
    body = "" if unencoded else base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    jwt.PyJWS().decode(
        f"{head}.{body}.{signature}",
        key,
        algorithms=["RS256"],
        detached_payload=raw if unencoded else None,
    )


def _public_keys(settings: ShopSettings) -> Iterator[RSAPublicKey]:
    """Yield the shop's public keys; what is none verifies nothing."""
    for text in settings.public_keys:
        with suppress(ValueError):
            yield from rsa_keys(text)


def _keys(settings: ShopSettings) -> list[bytes]:
    return [secret.get_secret_value().encode() for secret in settings.secrets]


def _standard_key(secret: bytes) -> bytes:
    text = secret.decode()
    if not text.startswith(_PREFIX):
        return secret
    return _base64(text.removeprefix(_PREFIX)) or secret


def _sent(headers: Headers, name: str) -> str:
    value = headers.get(name)
    if not value:
        raise BadSignature("is missing", field=f"header {name}")
    return value


def _base64(text: str) -> bytes:
    """Return what base64 says; nothing, which no signature is, where it is none."""
    try:
        return base64.b64decode(text.strip() + "==")
    except (binascii.Error, ValueError):
        return b""


def _match(header: str, given: bytes, expected: Iterable[bytes]) -> None:
    # All are compared, so that the time taken tells nothing of which was near.
    if not sum(hmac.compare_digest(given, one) for one in expected):
        raise BadSignature("does not match", field=f"header {header}")

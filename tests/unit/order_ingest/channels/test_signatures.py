"""Who is let in: right, wrong, missing, replayed and rotated signatures of every channel."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pydantic import SecretStr
from standardwebhooks import Webhook
from tests.unit.order_ingest.channels.sample import SECRET, settings

from order_ingest.domain.channels import CHANNELS, BadSignature, ShopSettings
from order_ingest.domain.channels.public_keys import rsa_keys

NOW = datetime(2025, 3, 4, 16, 20, 31, tzinfo=UTC)
BODY = '{"order":"1","name":"Zoë"}'.encode()
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = (
    PRIVATE.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
JWK = json.dumps({"keys": [jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True)]})
WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()


def hmac_of(secret: str, body: bytes = BODY) -> bytes:
    return hmac.digest(secret.encode(), body, sha256)


def standard(secret: str, body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    # The library writes the time that it is given as if it were UTC.
    signature = Webhook(secret).sign("msg_1", at.replace(tzinfo=None), body.decode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def raw_standard(secret: str, body: bytes = BODY) -> dict[str, str]:
    return standard("whsec_" + base64.b64encode(secret.encode()).decode(), body)


def adobe(body: bytes = BODY) -> dict[str, str]:
    signed = PRIVATE.sign(base64.b64encode(body), padding.PKCS1v15(), hashes.SHA256())
    return {"x-adobe-commerce-webhook-signature": base64.b64encode(signed).decode()}


def jws(body: bytes = BODY, *, plain: bool = True) -> dict[str, str]:
    told = {"b64": False, "crit": ["b64"]} if plain else {}
    token = jwt.PyJWS().encode(body, PRIVATE, "RS256", told, is_payload_detached=plain)
    head, _, signature = token.split(".")
    return {"saleor-signature": f"{head}..{signature}"}


def base64_in(header: str) -> Any:
    return lambda body=BODY, secret=SECRET: {
        header: base64.b64encode(hmac_of(secret, body)).decode()
    }


SIGNERS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "shopify": ("shopify", {}, base64_in("x-shopify-hmac-sha256")),
    "woocommerce": ("woocommerce", {}, base64_in("x-wc-webhook-signature")),
    "bigcommerce": ("bigcommerce", {}, lambda body=BODY: raw_standard(SECRET, body)),
    "medusa": ("medusa", {"secrets": (SecretStr(WHSEC),)}, lambda body=BODY: standard(WHSEC, body)),
    "standard_webhooks": (
        "standard_webhooks",
        {"secrets": (SecretStr(WHSEC),)},
        lambda body=BODY: standard(WHSEC, body),
    ),
    "adobe_commerce": ("adobe_commerce", {"public_keys": (PEM,)}, adobe),
    "saleor, a secret key": (
        "saleor",
        {},
        lambda body=BODY: {"saleor-signature": hmac_of(SECRET, body).hex()},
    ),
    "saleor, JWS": ("saleor", {"secrets": (), "public_keys": (JWK,)}, jws),
    "saleor, JWS of base64": (
        "saleor",
        {"secrets": (), "public_keys": ("not a key", JWK)},
        lambda body=BODY: jws(body, plain=False),
    ),
}
every_signer = pytest.mark.parametrize("signer", SIGNERS)


def verify(channel: str, headers: dict[str, str], told: ShopSettings, body: bytes = BODY) -> None:
    CHANNELS[channel].verify(headers, body, told, NOW)


@every_signer
def test_a_right_signature_is_let_in(signer: str) -> None:
    channel, changes, sign = SIGNERS[signer]
    verify(channel, sign(), settings(channel, **changes))


@every_signer
def test_another_body_is_not(signer: str) -> None:
    channel, changes, sign = SIGNERS[signer]
    with pytest.raises(BadSignature, match="does not match"):
        verify(channel, sign(), settings(channel, **changes), BODY + b" ")


@every_signer
def test_nothing_is_let_in_without_a_signature(signer: str) -> None:
    channel, changes, _ = SIGNERS[signer]
    with pytest.raises(BadSignature, match="is missing"):
        verify(channel, {}, settings(channel, **changes))


@every_signer
@pytest.mark.parametrize("garbage", ["", "=", "v1,", "..", "a.b.c", "ü", "v1,ü v2,x", "0" * 10_000])
def test_a_signature_that_is_none_is_refused(signer: str, garbage: str) -> None:
    channel, changes, sign = SIGNERS[signer]
    headers = {
        name: garbage if "signature" in name or "hmac" in name else value
        for name, value in sign().items()
    }
    with pytest.raises(BadSignature):
        verify(channel, headers, settings(channel, **changes))


@every_signer
def test_a_shop_without_secrets_lets_nobody_in(signer: str) -> None:
    channel, _, sign = SIGNERS[signer]
    with pytest.raises(BadSignature):
        verify(channel, sign(), settings(channel, secrets=(), public_keys=()))


@pytest.mark.parametrize("signer", ["shopify", "woocommerce"])
def test_any_of_several_secrets_will_do(signer: str) -> None:
    channel, _, sign = SIGNERS[signer]
    both = settings(channel, secrets=(SecretStr("the-next-secret"), SecretStr(SECRET)))
    verify(channel, sign(), both)
    verify(channel, sign(secret="the-next-secret"), both)
    with pytest.raises(BadSignature):
        verify(channel, sign(secret="the-one-before"), both)


def test_a_rotated_secret_of_the_standard_scheme() -> None:
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    both = settings("standard_webhooks", secrets=(SecretStr(other), SecretStr(WHSEC)))
    verify("standard_webhooks", standard(WHSEC), both)
    twice = standard(WHSEC)
    twice["webhook-signature"] = f"v1,AAAA {standard(other)['webhook-signature']}"
    verify("standard_webhooks", twice, settings("standard_webhooks", secrets=(SecretStr(other),)))


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_what_was_signed_long_ago_is_a_replay(seconds: int) -> None:
    told = settings("standard_webhooks", secrets=(SecretStr(WHSEC),))
    headers = standard(WHSEC, at=NOW + timedelta(seconds=seconds))
    with pytest.raises(BadSignature, match="300 s"):
        verify("standard_webhooks", headers, told)
    verify("standard_webhooks", standard(WHSEC, at=NOW - timedelta(seconds=300)), told)


@pytest.mark.parametrize("stated", ["", "soon", "1e99", "9" * 40, "-1", "1741105231.5"])
def test_a_time_that_is_none_is_refused(stated: str) -> None:
    headers = {**standard(WHSEC), "webhook-timestamp": stated}
    with pytest.raises(BadSignature, match="webhook-timestamp"):
        verify("standard_webhooks", headers, settings("standard_webhooks"))


@pytest.mark.parametrize("channel", ["bigcommerce", "medusa", "adobe_commerce", "amazon"])
def test_a_secret_in_a_header_of_the_shops_choice(channel: str) -> None:
    told = settings(channel, secret_header="X-Tea")
    verify(channel, {"x-tea": SECRET}, told)
    for wrong in ({"x-tea": SECRET[:-1]}, {"x-tea": "ü"}, {"x-restock-secret": SECRET}):
        with pytest.raises(BadSignature):
            verify(channel, wrong, told)


def test_a_ping_of_woocommerce_needs_no_signature() -> None:
    verify("woocommerce", {}, settings("woocommerce"), b"webhook_id=7")
    with pytest.raises(BadSignature):
        verify("woocommerce", {}, settings("woocommerce"), b'webhook_id=7&order={"id": 1}')


def test_secrets_do_not_show() -> None:
    assert SECRET not in repr(settings("shopify")) + settings("shopify").model_dump_json()


def pem_of(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


PRIVATE_PEM = PRIVATE.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PRIVATE_JWK = jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE, as_dict=True)
EC_JWK = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PRIVATE_PEM, "private"),
        (json.dumps(PRIVATE_JWK), "private"),
        (json.dumps({"keys": [*json.loads(JWK)["keys"], PRIVATE_JWK]}), "private"),
        (json.dumps({"kty": "oct", "k": "c2VjcmV0"}), "private"),
        (pem_of(rsa.generate_private_key(65537, 1024)), "2048 bits"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "none of RSA"),
        (json.dumps(EC_JWK), "no RSA key"),
        *((json.dumps({"kty": "RSA", **odd}), "no RSA key") for odd in ({}, {"n": 5, "e": []})),
        *((text, "neither") for text in ("", "no key", "7", '{"keys": 7}', "[" * 20_000)),
    ],
)
def test_what_is_no_public_key_is_refused_unshown(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        rsa_keys(text)
    assert str(PRIVATE_JWK["d"]) not in str(refused.value)
    told = settings("saleor", secrets=(), public_keys=(text,))
    with pytest.raises(BadSignature, match="does not match"):  # as it may have been kept before
        verify("saleor", jws(), told)


def test_keys_of_other_kinds_in_a_set_are_passed_over() -> None:
    assert len(rsa_keys(json.dumps({"keys": [EC_JWK, *json.loads(JWK)["keys"]]}))) == 1
    assert len(rsa_keys(PEM)) == 1

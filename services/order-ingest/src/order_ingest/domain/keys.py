"""API keys: who holds one, what it is good for, and until when."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest

ID_BYTES, SECRET_BYTES = 8, 32
_KEY = re.compile(r"rsk_([0-9a-f]{16})_([0-9a-f]{64})")


class Action(StrEnum):
    """What a key may be good for."""

    ORDERS = "orders"
    WAREHOUSE = "warehouse"
    CATALOGUE = "catalogue"
    CLOCK = "clock"
    CUSTOMERS = "customers"
    MANIFEST = "manifest"
    KEYS = "keys"
    SHOPS = "shops"


EVERY_ACTION = frozenset(Action)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever a request comes from.

    Attributes:
        shop: Whose orders and customers it speaks of.
        key_id: Tells the key apart; no secret.
        actions: What it may do.
        ends_at: From then on nothing; None while that is open.
    """

    shop: str
    key_id: str
    actions: frozenset[Action]
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is remembered.

    Attributes:
        id: Stands in the key itself, so that it is found without a search.
        shop: Whose it is.
        name: What it is for, in words.
        actions: What it may do.
        digest: Of the secret; 32 bytes.
        created_at: When it was made.
        ends_at: From then on it is good for nothing; None while that is open.
        replaces: The id of the key that it was made to follow.
        last_used_at: Noted once a minute at most.
    """

    id: str
    shop: str
    name: str
    actions: frozenset[Action]
    digest: bytes
    created_at: datetime
    ends_at: datetime | None = None
    replaces: str | None = None
    last_used_at: datetime | None = None

    def ended(self, now: datetime) -> bool:
        """Return whether it is good for nothing any more."""
        return self.ends_at is not None and self.ends_at <= now

    def holder(self) -> Holder:
        """Return whoever comes with this key."""
        return Holder(self.shop, self.id, self.actions, self.ends_at)


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret: 32 bytes.

    SHA-256 once is enough, since a secret is 256 random bits: slow hashes such as Argon2 make
    passwords expensive to guess that people choose, and here there is nothing to guess. A slow one
    would cost each request its time instead.
    """
    return sha256(secret.encode()).digest()


def key_text(key_id: str, secret: str) -> str:
    """Return a key as its holder sends it. `rsk_` lets scanners for leaked secrets know it."""
    return f"rsk_{key_id}_{secret}"


def taken_apart(text: str) -> tuple[str, str] | None:
    """Return (id, secret) of a key; None where it is none."""
    found = _KEY.fullmatch(text)
    return (found[1], found[2]) if found else None


def opens(key: ApiKey, secret: str, now: datetime) -> bool:
    """Return whether a secret is a key's, in constant time, and the key has not ended."""
    return compare_digest(key.digest, digest_of(secret)) and not key.ended(now)


def excess(holder: Holder, key: ApiKey) -> tuple[str, str] | None:
    """Return by which field a key is good for more than whoever makes it, and how; or None.

    Nobody gives what he has not: neither another shop, nor actions, nor time.
    """
    if key.shop != holder.shop:
        return "shop", f"the key that asks is one of shop {holder.shop!r}"
    if more := key.actions - holder.actions:
        return "actions", f"the key that asks is not good for {', '.join(sorted(more))} itself"
    if holder.ends_at is not None and (key.ends_at is None or key.ends_at > holder.ends_at):
        return "ends_at", f"the key that asks ends at {holder.ends_at.isoformat()} itself"
    return None

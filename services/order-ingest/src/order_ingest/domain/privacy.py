"""What events may tell of a customer: a token, and a position that is not quite theirs."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from unicodedata import normalize

from restock_common.contracts.ledger import Place

_TOKEN = re.compile(r"c-[0-9a-f]{32}")
_TOKEN_BYTES = 16
_KEY_BYTES = 64
_OF_DIGESTS = b"restock-digest"
"""Keeps digests apart from tokens, which have the same key."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """How customers are made unrecognisable.

    Attributes:
        secret: Without it nobody can tell a token from a customer's number or mail address, of
            which there are few enough to try them all.
        position_decimals: Of latitude and longitude; of 3, 111 metres at most are lost to the
            north and as many to the east at the equator, so that an order moves 79 metres at most.
    """

    secret: str
    position_decimals: int

    def token(self, shop: str, customer: str) -> str:
        """Return what stands for a shop's customer, the same for ever; a token stands for itself.

        A token is a keyed BLAKE2b: 128 bits, so that no two customers ever meet in one. It is the
        same however a customer is spelled, whichever door is told.
        """
        plain = _spelled(customer)
        if _TOKEN.fullmatch(plain):
            return plain
        said = f"{shop}\x1f{plain}".encode(errors="replace")
        return "c-" + blake2b(said, key=_key(self.secret), digest_size=_TOKEN_BYTES).hexdigest()

    def digest(self, said: bytes, size: int = 16) -> bytes:
        """Return what tells whether the same is said again, and without the secret nothing else."""
        return blake2b(said, key=_key(self.secret), digest_size=size, person=_OF_DIGESTS).digest()

    def coarsen(self, place: Place) -> Place:
        """Return a place near by, the same for all that are near to it."""
        return Place(
            latitude=round(place.latitude, self.position_decimals),
            longitude=round(place.longitude, self.position_decimals),
        )


def may_be_one(first: Place, other: Place) -> bool:
    """Return whether two coarsened places may be of one, each by whatever decimals it has."""
    step = 10.0 ** -min(_decimals(first), _decimals(other))
    return (
        abs(first.latitude - other.latitude) <= step
        and abs(first.longitude - other.longitude) <= step
    )


def _spelled(customer: str) -> str:
    """Return the one spelling of how a shop calls a customer.

    What has an `@` is a mail address: no provider tells two people by the case of letters. All
    else is the shop's own id, of which two may differ in case alone (Saleor's are base64).
    """
    mail = normalize("NFKC", customer)
    if "@" in mail:
        return normalize("NFKC", mail.casefold()).strip()
    return normalize("NFC", customer).strip()


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return blake2b(secret.encode(), digest_size=_KEY_BYTES).digest()


def _decimals(place: Place) -> int:
    """Return how many decimals a place is written with."""
    written = (Decimal(repr(one)).normalize() for one in (place.latitude, place.longitude))
    return max(0, *(-int(one.as_tuple().exponent) for one in written))

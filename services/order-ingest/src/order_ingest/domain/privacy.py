"""What events may tell of a customer: a token, and a position that is not quite theirs."""

import re
from dataclasses import dataclass
from hashlib import blake2b

from restock_common.contracts.ledger import Place

_TOKEN = re.compile(r"c-[0-9a-f]{32}")
_TOKEN_BYTES = 16
_KEY_BYTES = 64


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

        A token is a keyed BLAKE2b: 128 bits, so that no two customers ever meet in one.
        """
        if _TOKEN.fullmatch(customer):
            return customer
        key = blake2b(self.secret.encode(), digest_size=_KEY_BYTES).digest()
        said = f"{shop}\x1f{customer}".encode()
        return "c-" + blake2b(said, key=key, digest_size=_TOKEN_BYTES).hexdigest()

    def coarsen(self, place: Place) -> Place:
        """Return a place near by, the same for all that are near to it."""
        return Place(
            latitude=round(place.latitude, self.position_decimals),
            longitude=round(place.longitude, self.position_decimals),
        )

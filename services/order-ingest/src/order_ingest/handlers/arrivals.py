"""What was heard of shops since it was last written down: in memory, and lost with the process.

To write it for each order would cost as much as the order does; what some seconds of it tell is
soon told again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

BY_HTTP, BY_KAFKA = "http", "kafka"


@dataclass(frozen=True, slots=True)
class Heard:
    """What one shop has said.

    Attributes:
        channel: By what the last thing came: a channel of webhooks, `http` or `kafka`; "" where
            nothing came of the shop's own accord.
        kind: What it was, in the channel's words.
        told_at: When it happened, as the shop says.
        received_at: When it came.
        orders: How many orders were new.
        found: How many more were not told, and found by reading the shop.
    """

    channel: str
    kind: str
    told_at: datetime
    received_at: datetime
    orders: int = 0
    found: int = 0

    def then(self, later: "Heard") -> "Heard":
        """Return both taken together."""
        told = later if later.channel or not self.channel else self
        return replace(told, orders=self.orders + later.orders, found=self.found + later.found)


class Arrivals:
    """Notes what is heard."""

    def __init__(self) -> None:
        self._heard: dict[str, Heard] = {}

    def note(
        self, shop: str, channel: str, kind: str, *, told_at: datetime, orders: int = 0
    ) -> None:
        """Note that a shop said something of its own accord.

        Args:
            shop: Whose it is.
            channel: By what it came.
            kind: What it was.
            told_at: When it happened.
            orders: How many orders were new.
        """
        self._add(shop, Heard(channel, kind, told_at, datetime.now(UTC), orders))

    def count(self, shop: str, *, orders: int = 0, found: int = 0) -> None:
        """Count orders that were read from a shop.

        Args:
            shop: Whose they are.
            orders: That it had told of.
            found: That it had not.
        """
        now = datetime.now(UTC)
        self._add(shop, Heard("", "", now, now, orders, found))

    def take(self) -> Mapping[str, Heard]:
        """Return what was heard of each shop, and forget it."""
        heard, self._heard = self._heard, {}
        return heard

    def give_back(self, heard: Mapping[str, Heard]) -> None:
        """Note again what could not be written."""
        since, self._heard = self._heard, dict(heard)
        for shop, one in since.items():
            self._add(shop, one)

    def _add(self, shop: str, one: Heard) -> None:
        before = self._heard.get(shop)
        self._heard[shop] = one if before is None else before.then(one)

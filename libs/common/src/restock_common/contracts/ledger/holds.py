"""Cart holds: units kept for a customer who has not bought yet, until a time."""

from typing import Annotated

from pydantic import Field, model_validator

from restock_common.contracts.event import Contract
from restock_common.contracts.ledger.base import LedgerEvent, Sourcing
from restock_common.units import Identifier, PositiveUnits, Sku, Timestamp


class HoldLine(Contract):
    """Units of one sku in a cart."""

    sku: Sku
    quantity: PositiveUnits


HoldLines = Annotated[tuple[HoldLine, ...], Field(max_length=1000)]


class CartHeld(LedgerEvent):
    """Keep units for a cart, each line whole or not at all, until `expires_at`."""

    hold: Identifier
    sourcing: Sourcing
    held_at: Timestamp
    expires_at: Timestamp
    lines: Annotated[HoldLines, Field(min_length=1)]
    channel: Identifier | None = None

    @model_validator(mode="after")
    def _sound(self) -> "CartHeld":
        if self.expires_at <= self.held_at:
            raise ValueError(f"expires_at {self.expires_at} is not after held_at {self.held_at}")
        skus = [line.sku for line in self.lines]
        for sku in skus:
            if skus.count(sku) > 1:
                raise ValueError(f"sku {sku!r} stands twice in the hold")
        return self


class CartReleased(LedgerEvent):
    """Units of a hold are free again: those of the lines, or all where there are none.

    Attributes:
        release: Of a part: its own id, since a part told twice must count once.
    """

    hold: Identifier
    released_at: Timestamp
    lines: HoldLines = ()
    release: Identifier | None = None

    @model_validator(mode="after")
    def _told_apart(self) -> "CartReleased":
        if self.lines and self.release is None:
            raise ValueError("a part of a hold is released without an id of its own")
        return self

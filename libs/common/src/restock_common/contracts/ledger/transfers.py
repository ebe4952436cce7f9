"""Units on their way from one location to another, of the same pool or not."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from restock_common.contracts.event import Contract
from restock_common.contracts.ledger.base import LedgerEvent, Shard
from restock_common.units import (
    Identifier,
    LocationId,
    PoolId,
    PositiveUnits,
    Sku,
    Timestamp,
)


class TransferEnd(Contract):
    """Where a transfer leaves from or goes to."""

    location: LocationId
    pool: PoolId
    shard: Shard


class TransferLine(Contract):
    """Units of one sku that are moved together."""

    line: Identifier
    sku: Sku
    quantity: PositiveUnits


def _distinct(lines: tuple[TransferLine, ...]) -> None:
    names = [line.line for line in lines]
    if len(set(names)) < len(names):
        raise ValueError("a line stands twice in the transfer")


class TransferOrdered(LedgerEvent):
    """Read by the source's shard, which reserves what it has."""

    transfer: Identifier
    source: TransferEnd
    target: TransferEnd
    ordered_at: Timestamp
    lines: Annotated[tuple[TransferLine, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _sound(self) -> "TransferOrdered":
        if self.source.location == self.target.location:
            raise ValueError(f"source and target are both {self.source.location!r}")
        _distinct(self.lines)
        return self


class TransferShipped(LedgerEvent):
    """Read by the source's shard: the lines left, or all that is reserved where there are none."""

    transfer: Identifier
    shipment: Identifier
    shipped_at: Timestamp
    lines: Annotated[tuple[TransferLine, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _sound(self) -> "TransferShipped":
        _distinct(self.lines)
        return self


class TransferCancelled(LedgerEvent):
    """Read by the source's shard: what has not left is free again."""

    transfer: Identifier
    cancelled_at: Timestamp


class DepartedLine(Contract):
    """Units of one lot that left."""

    line: Identifier
    sku: Sku
    quantity: PositiveUnits
    lot: Identifier | None = None
    expires_on: date | None = None


class TransferDeparted(LedgerEvent):
    """The source's shard tells the target's what is on its way."""

    transfer: Identifier
    shipment: Identifier
    source: TransferEnd
    target: TransferEnd
    shipped_at: Timestamp
    lines: Annotated[tuple[DepartedLine, ...], Field(min_length=1)]


class TransferReceived(LedgerEvent):
    """Read by the target's shard: units arrived; with `complete`, what is missing is lost."""

    transfer: Identifier
    receipt: Identifier
    location: LocationId
    pool: PoolId
    received_at: Timestamp
    lines: Annotated[tuple[TransferLine, ...], Field(max_length=1000)]
    complete: bool = False

    @model_validator(mode="after")
    def _sound(self) -> "TransferReceived":
        _distinct(self.lines)
        if not (self.lines or self.complete):
            raise ValueError("no line, and not complete: says nothing")
        return self

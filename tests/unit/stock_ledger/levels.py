"""Short ways to say what a shard tells of its levels."""

from typing import Any

from tests.support import EPOCH

from restock_common.contracts.envelope import Message, Position, derive_id
from restock_common.contracts.stock import StockLevelChanged
from stock_ledger.domain.feed import KnownLevel


def level(sku: str, on_hand: int = 0, *, location: str = "n1", pool: str = "north") -> Any:
    return StockLevelChanged(
        sku=sku, location=location, pool=pool, on_hand=on_hand, reserved=0, backordered=0
    )


def known(sku: str, sequence: int, *, shard: int = 0, location: str = "n1") -> KnownLevel:
    """Return a level whose on_hand is its sequence number."""
    return KnownLevel(level(sku, sequence, location=location), shard, Position(1, sequence))


def told(event: StockLevelChanged, sequence: int, *, shard: int = 0) -> Message[Any]:
    """Return the message that a shard's writer publishes."""
    source = f"/restock/stock-ledger/restock.ledger.v1/{shard}"
    return Message(
        id=derive_id(source, sequence),
        source=source,
        time=EPOCH,
        event=event,
        position=Position(1, sequence),
    )

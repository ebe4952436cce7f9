"""What is only tried out: it goes through every door, and never to the ledger."""

from restock_common.contracts.event import Event
from restock_common.contracts.ledger import (
    CartHeld,
    CartReleased,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
)

TEST = "test:"
"""An order or cart whose number begins so is only tried out, whichever shop's it is."""


def told_of(event: Event) -> str | None:
    """Return the id of the order or cart that a shop says something of; None for all else."""
    match event:
        case OrderPlaced() | OrderAmended() | OrderCancelled() | OrderReturned():
            return event.order
        case CartHeld() | CartReleased():
            return event.hold
    return None


def shop_of(subject: str) -> str:
    """Return the shop of an order or cart, by its id."""
    return subject.partition(":")[0]


def is_test(subject: str) -> bool:
    """Return whether an order or cart is only tried out, by its id."""
    return subject.partition(":")[2].startswith(TEST)

"""StockPolicySet and AssortmentListed: how skus are kept, and what there is at all."""

from collections.abc import Iterator
from dataclasses import replace

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    AssortmentListed,
    CartHeld,
    GoodsReceived,
    OrderAmended,
    OrderLine,
    OrderPlaced,
    OrderReturned,
    ReceiptExpected,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
    TransferOrdered,
    TransferReceived,
)
from restock_common.errors import Permanent
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import KnownLocation, KnownSku, Shelf

Named = tuple[str, str]
"""A field, and the name that stands in it."""


def set_policy(books: Books, message: Message[StockPolicySet]) -> Decision:
    """Keep a sku at a location as is said from now on; what becomes free is served.

    Raises:
        Permanent: The location belongs to another pool.
    """
    event = message.event
    draft = Draft(books, message.id, message.time)
    draft.check_pool(event.sku, event.location, event.pool)
    known = draft.fact(Shelf, (event.sku, event.location))
    shelf = replace(
        known or Shelf(event.sku, event.location, event.pool),
        safety_buffer=event.safety_buffer,
        channel_buffers=event.channel_buffers,
        safety_stock=event.safety_stock,
        overstock_above=event.overstock_above,
    )
    if shelf == known:
        return Decision(duplicate=True)
    draft.put(shelf)
    draft.tell_again(shelf.key)
    serve(draft, event.pool, event.sku)
    return draft.finish()


def list_assortment(books: Books, message: Message[AssortmentListed]) -> Decision:
    """Note which skus and locations there are: from the first on, others are refused.

    Raises:
        Permanent: A location is another pool's already.
    """
    draft = Draft(books, message.id, message.time)
    for sku in message.event.skus:
        if draft.fact(KnownSku, sku) is None:
            draft.put(KnownSku(sku))
    for number, one in enumerate(message.event.locations):
        known = draft.fact(KnownLocation, one.location)
        if known is not None and known.pool != one.pool:
            raise Permanent(
                f"location {one.location!r} belongs to pool {known.pool!r}, not {one.pool!r}",
                field=f"locations.{number}.pool",
            )
        if known is None:
            draft.put(KnownLocation(one.location, one.pool))
    return draft.finish()


def check_known(books: Books, event: Event) -> None:
    """Raise Permanent where an event names a sku or a location that the shard was not told of.

    A shard that was never told of any takes every name.
    """
    if books.skus_listed:
        for field, sku in _skus(event):
            if books.fact(KnownSku, sku) is None:
                raise Permanent(f"{sku!r} is not a sku known here", field=field)
    if books.locations_listed:
        for field, location in _locations(event):
            if books.fact(KnownLocation, location) is None:
                raise Permanent(f"{location!r} is not a location known here", field=field)


def _skus(event: Event) -> Iterator[Named]:
    match event:
        case OrderPlaced() | OrderAmended():
            for number, line in enumerate(event.lines):
                yield from _of_line(f"lines.{number}", line)
        case CartHeld() | GoodsReceived() | StockCounted() | StockAdjusted() | TransferOrdered():
            for number, sku in enumerate([line.sku for line in event.lines]):
                yield f"lines.{number}.sku", sku
        case OrderReturned():
            for number, line in enumerate(event.replacements):
                yield from _of_line(f"replacements.{number}", line)
        case ReceiptExpected() | StockPolicySet():
            yield "sku", event.sku
        case _:
            pass


def _of_line(field: str, line: OrderLine) -> Iterator[Named]:
    if not line.components:
        yield f"{field}.sku", line.sku
    for number, one in enumerate(line.components):
        yield f"{field}.components.{number}.sku", one.sku


def _locations(event: Event) -> Iterator[Named]:
    match event:
        case OrderPlaced():
            for number, one in enumerate(event.sourcing[0].locations):
                yield f"sourcing.0.locations.{number}.location", one.location
        case CartHeld():
            for number, one in enumerate(event.sourcing.locations):
                yield f"sourcing.locations.{number}.location", one.location
        case TransferOrdered():
            yield "source.location", event.source.location
        case (
            GoodsReceived()
            | StockCounted()
            | StockAdjusted()
            | ReceiptExpected()
            | StockPolicySet()
            | OrderReturned()
            | TransferReceived()
        ):
            yield "location", event.location
        case _:
            pass

"""Units that are told apart: where each is, and with which parcel it left."""

from restock_common.contracts.ledger import (
    GoodsReceived,
    OrderReturned,
    ReceiptLine,
    ReturnedLine,
    ShipmentDispatched,
    ShippedLine,
)
from restock_common.errors import Permanent
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import Serial


def arrive(draft: Draft, line: ReceiptLine, event: GoodsReceived) -> None:
    """Note units that arrive. Raises Permanent where one is on a shelf already."""
    for serial in line.serials:
        known = draft.fact(Serial, (line.sku, serial))
        if known is not None and known.allocation is None:
            raise Permanent(
                f"serial {serial!r} of {line.sku!r} is at {known.location!r} already",
                field="serials",
            )
        draft.put(Serial(line.sku, serial, event.location))


def leave(draft: Draft, line: ShippedLine, event: ShipmentDispatched) -> None:
    """Note units that leave. Raises Permanent where one is not there, or their number is wrong."""
    if line.serials and len(set(line.serials)) != line.quantity:
        raise Permanent(
            f"{len(set(line.serials))} different serials for {line.quantity} units", field="serials"
        )
    for serial in line.serials:
        known = draft.fact(Serial, (line.sku, serial))
        if known is None or known.allocation is not None or known.location != event.location:
            raise Permanent(
                f"serial {serial!r} of {line.sku!r} is not at {event.location!r}", field="serials"
            )
        draft.put(Serial(line.sku, serial, event.location, event.allocation))


def come_back(draft: Draft, line: ReturnedLine, event: OrderReturned) -> None:
    """Note units that come back. Raises Permanent where one never left, or not with this order."""
    if line.serials and len(set(line.serials)) != line.quantity:
        raise Permanent(
            f"{len(set(line.serials))} different serials for {line.quantity} units", field="serials"
        )
    for serial in line.serials:
        known = draft.fact(Serial, (line.sku, serial))
        if known is None or known.allocation is None:
            raise Permanent(f"serial {serial!r} of {line.sku!r} never left", field="serials")
        parcel = draft.allocation(known.allocation)
        if parcel is None or parcel.order != event.order:
            raise Permanent(
                f"serial {serial!r} of {line.sku!r} left with another order than {event.order!r}",
                field="serials",
            )
        draft.put(Serial(line.sku, serial, event.location))

"""More of what people say to a ledger: carts, amendments, returns, transfers, policies."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from tests.support import EPOCH
from tests.unit.stock_ledger.building import HOME_ONLY

from restock_common.contracts.ledger import (
    AdjustedLine,
    AssortmentListed,
    CartHeld,
    CartReleased,
    Component,
    Condition,
    CountLine,
    GoodsReceived,
    HoldLine,
    ListedLocation,
    OrderAmended,
    OrderLine,
    OrderReturned,
    ReceiptExpected,
    ReceiptLine,
    ReturnedLine,
    ShipmentDispatched,
    ShippedLine,
    Side,
    Sourcing,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
    TransferCancelled,
    TransferDeparted,
    TransferEnd,
    TransferLine,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)

N1 = TransferEnd(location="n1", pool="north", shard=0)
N2 = TransferEnd(location="n2", pool="north", shard=0)
S1 = TransferEnd(location="s1", pool="south", shard=1)
SELLABLE, DAMAGED, QUALITY_HOLD = Condition.SELLABLE, Condition.DAMAGED, Condition.QUALITY_HOLD


def at(minute: float) -> datetime:
    """Return the time some minutes after the epoch."""
    return EPOCH + timedelta(minutes=minute)


def day(number: int) -> date:
    """Return the day some days after the epoch."""
    return EPOCH.date() + timedelta(days=number)


def line(name: str, sku: str, quantity: int, **how: Any) -> OrderLine:
    return OrderLine(line=name, sku=sku, quantity=quantity, **how)


def kit(name: str, quantity: int, **units: int) -> OrderLine:
    """Return a line of kits that take some units of each sku."""
    parts = tuple(Component(sku=sku, quantity=n) for sku, n in units.items())
    return OrderLine(line=name, sku="set", quantity=quantity, components=parts)


def amended(name: str, revision: int, *lines: OrderLine) -> OrderAmended:
    return OrderAmended(order=name, revision=revision, amended_at=EPOCH, lines=lines)


def held(
    hold: str,
    *lines: tuple[str, int],
    until: float = 30,
    source: Sourcing = HOME_ONLY[0],
    channel: str | None = None,
) -> CartHeld:
    return CartHeld(
        hold=hold,
        sourcing=source,
        held_at=at(-1),
        expires_at=at(until),
        lines=tuple(HoldLine(sku=sku, quantity=units) for sku, units in lines),
        channel=channel,
    )


def released(hold: str, *lines: tuple[str, int], release: str = "release") -> CartReleased:
    return CartReleased(
        hold=hold,
        released_at=EPOCH,
        lines=tuple(HoldLine(sku=sku, quantity=quantity) for sku, quantity in lines),
        release=release if lines else None,
    )


def returned(
    name: str,
    order: str,
    *lines: ReturnedLine,
    location: str = "n1",
    replacements: Sequence[OrderLine] = (),
) -> OrderReturned:
    return OrderReturned(
        returned=name,
        order=order,
        location=location,
        pool="north",
        returned_at=EPOCH,
        lines=lines,
        replacements=tuple(replacements),
    )


def back(name: str, sku: str, quantity: int, **how: Any) -> ReturnedLine:
    return ReturnedLine(line=name, sku=sku, quantity=quantity, **how)


def shipped(
    parcel: str, order: str, *lines: tuple[str, str, int], **how: Any
) -> ShipmentDispatched:
    """Return a shipment of (line, sku, units) from n1."""
    return ShipmentDispatched(
        allocation=parcel,
        order=order,
        location="n1",
        route="r",
        dispatched_at=EPOCH,
        lines=tuple(
            ShippedLine(line=name, sku=sku, quantity=units, **how) for name, sku, units in lines
        ),
    )


def arrived(receipt: str, *lines: ReceiptLine, location: str = "n1") -> GoodsReceived:
    return GoodsReceived(
        receipt=receipt, location=location, pool="north", received_at=EPOCH, lines=lines
    )


def lot(sku: str, quantity: int, name: str, last_day: int | None, **how: Any) -> ReceiptLine:
    """Return units of a lot that can be sold until some days after the epoch."""
    expires_on = None if last_day is None else day(last_day)
    return ReceiptLine(sku=sku, quantity=quantity, lot=name, expires_on=expires_on, **how)


def found(name: str, *lines: CountLine, minute: float = 0, location: str = "n1") -> StockCounted:
    return StockCounted(
        count=name, location=location, pool="north", counted_at=at(minute), lines=lines
    )


def adjusted(
    name: str, sku: str, quantity: int, source: Side, target: Side, **how: Any
) -> StockAdjusted:
    told = AdjustedLine(sku=sku, quantity=quantity, source=source, target=target, **how)
    return StockAdjusted(
        adjustment=name, location="n1", pool="north", adjusted_at=EPOCH, lines=(told,)
    )


def expected(name: str, sku: str, quantity: int, *, days: int = 1) -> ReceiptExpected:
    return ReceiptExpected(
        expected=name,
        location="n1",
        pool="north",
        sku=sku,
        quantity=quantity,
        expected_at=EPOCH + timedelta(days=days),
    )


def policy(sku: str = "tea", location: str = "n1", **how: Any) -> StockPolicySet:
    return StockPolicySet(sku=sku, location=location, pool="north", **how)


def listed(*skus: str, **locations: str) -> AssortmentListed:
    """Return a list of skus, and of locations with their pools."""
    known = tuple(ListedLocation(location=one, pool=pool) for one, pool in locations.items())
    return AssortmentListed(skus=skus, locations=known)


def moved(
    transfer: str, *lines: tuple[str, int], source: TransferEnd = N1, target: TransferEnd = N2
) -> TransferOrdered:
    return TransferOrdered(
        transfer=transfer,
        source=source,
        target=target,
        ordered_at=EPOCH,
        lines=transfer_lines(*lines),
    )


def transfer_lines(*lines: tuple[str, int]) -> tuple[TransferLine, ...]:
    """Return lines named 1, 2 and so on."""
    return tuple(
        TransferLine(line=str(n), sku=sku, quantity=units)
        for n, (sku, units) in enumerate(lines, 1)
    )


def sent(transfer: str, *lines: tuple[str, int], shipment: str = "d1") -> TransferShipped:
    return TransferShipped(
        transfer=transfer, shipment=shipment, shipped_at=EPOCH, lines=transfer_lines(*lines)
    )


def called_off(transfer: str) -> TransferCancelled:
    return TransferCancelled(transfer=transfer, cancelled_at=EPOCH)


def unloaded(
    transfer: str,
    *lines: tuple[str, int],
    end: TransferEnd = N2,
    receipt: str = "tr1",
    complete: bool = False,
) -> TransferReceived:
    return TransferReceived(
        transfer=transfer,
        receipt=receipt,
        location=end.location,
        pool=end.pool,
        received_at=EPOCH,
        lines=transfer_lines(*lines),
        complete=complete,
    )


def on_its_way(departed: TransferDeparted, **how: Any) -> TransferDeparted:
    """Return a departure, changed."""
    return departed.model_copy(update=how)

"""Transfers: ordered, shipped, received, called off."""

from order_ingest.domain import checks, register
from order_ingest.domain.requests import (
    TransferReceiptRequest,
    TransferRequest,
    TransferShipmentRequest,
)
from order_ingest.handlers.desk import Desk
from order_ingest.handlers.ports import Accepted, Register
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import (
    TransferCancelled,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)
from restock_common.postgres import Database
from restock_common.transact import Outgoing


class Transfers:
    """The doors for units that go from one location to another.

    Args:
        desk: What they stand on.
        database: Where the register is.
        register: Remembers each transfer, since what follows carries nothing but its id.
    """

    def __init__(self, desk: Desk, database: Database, register: Register) -> None:
        self._desk = desk
        self._database = database
        self._register = register

    async def order(self, request: TransferRequest) -> Accepted:
        """Order a transfer: its source reserves what it has.

        Raises:
            Refused: It names what is not there, or a time out of reach.
            Conflict: It was ordered before with other content.
            Transient: Nothing is promised: send it again.
        """
        known = await self._desk.check(lambda known: checks.check_transfer(request, known))
        asked = register.entry(
            request.transfer,
            TransferOrdered(
                transfer=request.transfer,
                source=known.end(request.source),
                target=known.end(request.target),
                ordered_at=request.ordered_at,
                lines=request.lines,
            ),
            request,
        )
        async with self._database.connection() as connection:
            [first] = await self._register.enter(connection, [asked])
        event = register.settle(first, asked, "transfer").event
        return await self._desk.accept(
            Accepted("transfer", event.transfer, _ordered_id(event), event.source.pool),
            self._entry(event),
            counted_as="transfer",
        )

    async def ship(self, transfer: str, request: TransferShipmentRequest) -> Accepted:
        """Take what left the source.

        Raises:
            Unknown: The transfer was never ordered here.
            Refused: It names what the transfer has not, or a time out of reach.
            Transient: Nothing is promised: send it again.
        """
        known = self._desk.known()
        ordered = await self._ordered(transfer)
        checks.check_transfer_shipment(request, ordered, known)
        event = TransferShipped(
            transfer=transfer,
            shipment=request.shipment,
            shipped_at=request.shipped_at,
            lines=request.lines,
        )
        event_id = derive_id("transfer-shipped", transfer, request.shipment)
        return await self._desk.accept(
            Accepted("shipment", request.shipment, event_id, ordered.source.pool),
            self._entry(ordered),
            self._desk.entry(event_id, event, ordered.source.shard, time=event.shipped_at),
            counted_as="transfer_shipment",
        )

    async def receive(self, transfer: str, request: TransferReceiptRequest) -> Accepted:
        """Take what arrived at the target.

        Raises:
            Unknown: The transfer was never ordered here.
            Refused: It names what the transfer has not, or a time out of reach.
            Transient: Nothing is promised: send it again.
        """
        known = self._desk.known()
        ordered = await self._ordered(transfer)
        checks.check_transfer_receipt(request, ordered, known)
        target = ordered.target
        event = TransferReceived(
            transfer=transfer,
            receipt=request.receipt,
            location=target.location,
            pool=target.pool,
            received_at=request.received_at,
            lines=request.lines,
            complete=request.complete,
        )
        event_id = derive_id("transfer-received", transfer, request.receipt)
        return await self._desk.accept(
            Accepted("receipt", request.receipt, event_id, target.pool),
            self._entry(ordered),
            self._desk.entry(event_id, event, target.shard, time=event.received_at),
            counted_as="transfer_receipt",
        )

    async def cancel(self, transfer: str) -> Accepted:
        """Call off what has not left.

        Raises:
            Unknown: The transfer was never ordered here.
            Transient: Nothing is promised: send it again.
        """
        now = self._desk.known().now
        ordered = await self._ordered(transfer)
        event = TransferCancelled(transfer=transfer, cancelled_at=now)
        event_id = derive_id("transfer-cancelled", transfer)
        return await self._desk.accept(
            Accepted("transfer", transfer, event_id, ordered.source.pool),
            self._entry(ordered),
            self._desk.entry(event_id, event, ordered.source.shard, time=now),
            counted_as="transfer_cancellation",
        )

    def _entry(self, ordered: TransferOrdered) -> Outgoing:
        """Return the order itself: what the register holds may have been lost on its way."""
        shard, time = ordered.source.shard, ordered.ordered_at
        return self._desk.entry(_ordered_id(ordered), ordered, shard, time=time)

    async def _ordered(self, transfer: str) -> TransferOrdered:
        async with self._database.connection() as connection:
            found = await self._register.find(connection, TransferOrdered, [transfer])
        return register.taken("transfer", transfer, found.get(transfer))


def _ordered_id(ordered: TransferOrdered) -> str:
    return derive_id("transfer-ordered", ordered.transfer)

"""Goods in warehouses: receipts, counts, adjustments, and how and when stock is expected."""

from collections.abc import Sequence

from order_ingest.domain import checks, register
from order_ingest.domain.checks import Known
from order_ingest.domain.findings import Refused
from order_ingest.domain.requests import (
    AdjustedSide,
    AdjustmentRequest,
    CountRequest,
    ExpectedReceiptRequest,
    PolicyRequest,
    ReceiptRequest,
)
from order_ingest.handlers.desk import Desk, counted
from order_ingest.handlers.ports import Accepted, Register
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import (
    AdjustedLine,
    Condition,
    GoodsReceived,
    ReceiptExpected,
    Side,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
)
from restock_common.errors import Permanent
from restock_common.postgres import Database
from restock_common.transact import Outgoing


class Goods:
    """The doors for what stands in a warehouse; each event goes to the shard of its location.

    Args:
        desk: What they stand on.
        database: Where the register is.
        register: Remembers where each receipt is expected.
    """

    def __init__(self, desk: Desk, database: Database, register: Register) -> None:
        self._desk = desk
        self._database = database
        self._register = register

    async def receive(
        self, requests: Sequence[ReceiptRequest | Refused]
    ) -> Sequence[Accepted | Permanent]:
        """Take receipts, each for itself.

        Raises:
            Transient: Nothing is promised for any of them: send them again.
        """
        entries: list[Outgoing] = []

        def take(request: ReceiptRequest, known: Known) -> Accepted:
            checks.check_receipt(request, known)
            end = known.end(request.location)
            event = GoodsReceived(
                receipt=request.receipt,
                location=request.location,
                pool=end.pool,
                received_at=request.received_at,
                purchase_order=request.purchase_order,
                lines=request.lines,
            )
            event_id = derive_id("goods-received", request.receipt)
            entries.append(self._desk.entry(event_id, event, end.shard, time=event.received_at))
            return Accepted("receipt", request.receipt, event_id, end.pool)

        answers = await self._desk.attempt_all(take, requests)
        await self._desk.publish(entries)
        return counted("receipt", answers)

    async def count(self, request: CountRequest) -> Accepted:
        """Take a count. Raises Refused or Transient."""
        known = await self._desk.check(lambda known: checks.check_count(request, known))
        end = known.end(request.location)
        event = StockCounted(
            count=request.count,
            location=request.location,
            pool=end.pool,
            counted_at=request.counted_at,
            lines=request.lines,
        )
        event_id = derive_id("stock-counted", request.count)
        return await self._desk.accept(
            Accepted("count", request.count, event_id, end.pool),
            self._desk.entry(event_id, event, end.shard, time=event.counted_at),
            counted_as="count",
        )

    async def adjust(self, request: AdjustmentRequest) -> Accepted:
        """Take an adjustment. Raises Refused or Transient."""
        known = await self._desk.check(lambda known: checks.check_adjustment(request, known))
        end = known.end(request.location)
        event = StockAdjusted(
            adjustment=request.adjustment,
            location=request.location,
            pool=end.pool,
            adjusted_at=request.adjusted_at,
            reason=request.reason,
            lines=tuple(
                AdjustedLine(
                    sku=line.sku,
                    quantity=line.quantity,
                    source=_side(line.source),
                    target=_side(line.target),
                    lot=line.lot,
                )
                for line in request.lines
            ),
        )
        event_id = derive_id("stock-adjusted", request.adjustment)
        return await self._desk.accept(
            Accepted("adjustment", request.adjustment, event_id, end.pool),
            self._desk.entry(event_id, event, end.shard, time=event.adjusted_at),
            counted_as="adjustment",
        )

    async def expect(self, expected: str, request: ExpectedReceiptRequest) -> Accepted:
        """Take what a purchase order line is expected to bring.

        Raises:
            Refused: It names what is not there, or a time out of reach.
            Conflict: It was expected elsewhere, or of another sku.
            Transient: Nothing is promised: send it again.
        """
        known = await self._desk.check(lambda known: checks.check_expected_receipt(request, known))
        end = known.end(request.location)
        event = ReceiptExpected(
            expected=expected,
            location=request.location,
            pool=end.pool,
            sku=request.sku,
            quantity=request.quantity,
            expected_at=request.expected_at,
        )
        asked = register.entry(expected, event, request, free={"quantity", "expected_at"})
        async with self._database.connection() as connection:
            [first] = await self._register.enter(connection, [asked])
        register.settle(first, asked, "expected")
        event_id = derive_id("receipt-expected", event.model_dump_json())
        return await self._desk.accept(
            Accepted("expected", expected, event_id, end.pool),
            self._desk.entry(event_id, event, end.shard),
            counted_as="expected_receipt",
        )

    async def set_policy(self, sku: str, location: str, request: PolicyRequest) -> Accepted:
        """Take how a sku is kept at a location. Raises Refused or Transient."""
        known = await self._desk.check(lambda known: checks.check_policy(sku, location, known))
        end = known.end(location)
        event = StockPolicySet(
            sku=sku,
            location=location,
            pool=end.pool,
            safety_buffer=request.safety_buffer,
            channel_buffers=request.channel_buffers,
            safety_stock=request.safety_stock,
            overstock_above=request.overstock_above,
        )
        event_id = derive_id("stock-policy-set", event.model_dump_json())
        return await self._desk.accept(
            Accepted("policy", f"{sku}/{location}", event_id, end.pool),
            self._desk.entry(event_id, event, end.shard),
            counted_as="policy",
        )


def _side(name: AdjustedSide) -> Side:
    return "outside" if name == "outside" else Condition(name)

"""The rules of goods: receipts, counts, adjustments, policies, and transfers between locations."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.property.stock_ledger import commands
from tests.property.stock_ledger.acting import EXPECTED, Acting
from tests.property.stock_ledger.commands import (
    PLACES,
    POOLS,
    later,
    minutes_ago,
    places,
    skus,
    units,
)
from tests.property.stock_ledger.entries import claims_of

from restock_common.contracts.ledger import (
    GoodsReceived,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
    TransferCancelled,
    TransferEnd,
    TransferLine,
    TransferOrdered,
    TransferShipped,
)
from stock_ledger.domain.model import TRANSFER, PieceState

Where = tuple[str, str]
"""Pool and location."""


class Goods(Acting):
    """People who move goods, and people who plan for it."""

    def lots_at(self, where: Where) -> list[str]:
        """Return the lots that were ever at a location."""
        spots = self.world.model.goods.expires
        return sorted({lot for (_, _, location), lot in spots if lot and location == where[1]})

    @rule(data=st.data(), where=places, later=later, ago=minutes_ago)
    def receive(self, data: st.DataObject, where: Where, later: bool, ago: timedelta) -> None:
        event = GoodsReceived(
            receipt=self.name("r"),
            location=where[1],
            pool=where[0],
            received_at=self.world.now - ago,
            purchase_order="po",
            lines=tuple(data.draw(commands.receipt_lines(self.world.now, self.names))),
        )
        self.tell(where[0], event, later=later)

    @rule(data=st.data(), where=places, later=later, ago=minutes_ago)
    def count(self, data: st.DataObject, where: Where, later: bool, ago: timedelta) -> None:
        event = StockCounted(
            count=self.name("c"),
            location=where[1],
            pool=where[0],
            counted_at=self.world.now - ago,
            lines=tuple(data.draw(commands.count_lines(self.lots_at(where)))),
        )
        self.tell(where[0], event, later=later)

    @rule(data=st.data(), where=places, later=later, ago=minutes_ago)
    def adjust(self, data: st.DataObject, where: Where, later: bool, ago: timedelta) -> None:
        event = StockAdjusted(
            adjustment=self.name("a"),
            location=where[1],
            pool=where[0],
            adjusted_at=self.world.now - ago,
            reason="seen",
            lines=tuple(data.draw(commands.adjusted_lines(self.lots_at(where)))),
        )
        self.tell(where[0], event, later=later)

    @rule(
        name=st.sampled_from(sorted(EXPECTED)),
        quantity=st.integers(0, 9),
        days=st.integers(1, 9),
        later=later,
    )
    def plan(self, name: str, quantity: int, days: int, later: bool) -> None:
        self.expect(name, quantity, days, later=later)

    @rule(
        where=places,
        sku=skus,
        buffer=st.integers(0, 2),
        of_channel=st.integers(0, 2),
        safety_stock=st.integers(0, 3),
        overstock_above=st.sampled_from([None, 5]),
        later=later,
    )
    def set_policy(
        self,
        where: Where,
        sku: str,
        buffer: int,
        of_channel: int,
        safety_stock: int,
        overstock_above: int | None,
        later: bool,
    ) -> None:
        event = StockPolicySet(
            sku=sku,
            location=where[1],
            pool=where[0],
            safety_buffer=buffer,
            channel_buffers={"market": of_channel},
            safety_stock=safety_stock,
            overstock_above=overstock_above,
        )
        self.tell(where[0], event, later=later)

    @rule(
        ends=st.tuples(places, places).filter(lambda both: both[0] != both[1]),
        lines=st.lists(st.tuples(skus, units), min_size=1, max_size=2),
        later=later,
    )
    def order_transfer(
        self, ends: tuple[Where, Where], lines: list[tuple[str, int]], later: bool
    ) -> None:
        source, target = (
            TransferEnd(location=location, pool=pool, shard=POOLS[pool].shard)
            for pool, location in ends
        )
        event = TransferOrdered(
            transfer=self.name("t"),
            source=source,
            target=target,
            ordered_at=self.world.now,
            lines=tuple(
                TransferLine(line=str(n), sku=sku, quantity=quantity)
                for n, (sku, quantity) in enumerate(lines, 1)
            ),
        )
        self.tell(source.pool, event, later=later)

    def transfers(self) -> dict[str, TransferOrdered]:
        """Return the transfers that were ordered."""
        return {
            claim.order: claim.placed
            for books in self.world.books.values()
            for claim in claims_of(books)
            if isinstance(claim.placed, TransferOrdered)
        }

    @precondition(lambda self: self.transfers())
    @rule(
        data=st.data(),
        end=st.sampled_from(["whole", "whole", "part", "part", "more", "cancel"]),
        later=later,
    )
    def end_transfer(self, data: st.DataObject, end: str, later: bool) -> None:
        """Let what is reserved leave, some of it, or more than there is; or call it off."""
        name = data.draw(st.sampled_from(sorted(self.transfers())))
        if end == "cancel":
            off = TransferCancelled(transfer=name, cancelled_at=self.world.now)
            self.tell(self.transfers()[name].source.pool, off, later=later)
            return
        source = self.transfers()[name].source
        claim = self.world.books[source.shard].orders[name][TRANSFER]
        lines: dict[str, TransferLine] = {}
        for piece in claim.pieces:
            if piece.state is PieceState.RESERVED and piece.line not in lines:
                units = data.draw(st.integers(1, piece.quantity)) + 100 * (end == "more")
                lines[piece.line] = TransferLine(line=piece.line, sku=piece.sku, quantity=units)
        event = TransferShipped(
            transfer=name,
            shipment=self.name("d"),
            shipped_at=self.world.now,
            lines=() if end == "whole" else tuple(lines.values()),
        )
        self.tell(source.pool, event, later=later)

    @precondition(lambda self: self.world.warehouses.on_the_road)
    @rule(
        data=st.data(),
        complete=st.booleans(),
        elsewhere=st.sampled_from([False, False, False, True]),
        missing=st.sampled_from([0, 0, 1, 9]),
    )
    def unload(self, data: st.DataObject, complete: bool, elsewhere: bool, missing: int) -> None:
        """Receive what has left, or less, once or again; elsewhere it may be refused."""
        warehouses = self.world.warehouses
        name = data.draw(st.sampled_from(sorted(warehouses.on_the_road)))
        target = warehouses.on_the_road[name][0].target
        others = [at for pool, at in PLACES if pool == target.pool and at != target.location]
        lines = [
            TransferLine(line=line, sku=sku, quantity=quantity - missing)
            for (line, sku), quantity in sorted(warehouses.departed(name).items())
            if quantity > missing
        ]
        wrong = others[0] if elsewhere and others else ""
        warehouses.unload(name, lines, complete=complete, elsewhere=wrong)

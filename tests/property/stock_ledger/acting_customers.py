"""The rules of customers and shops: orders, amendments, cancellations, returns and carts."""

from collections import Counter
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.property.stock_ledger import commands
from tests.property.stock_ledger.acting import Acting
from tests.property.stock_ledger.commands import (
    PLACES,
    POOLS,
    channels,
    conditions,
    home_of,
    later,
    minutes_ago,
    order_lines,
    order_names,
    skus,
    sourcings,
    units,
)
from tests.property.stock_ledger.entries import pieces_of
from tests.unit.stock_ledger.building import cancelled

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    CartHeld,
    CartReleased,
    Condition,
    HoldLine,
    OrderAmended,
    OrderLine,
    OrderPlaced,
    OrderReturned,
    Place,
    ReturnedLine,
)
from stock_ledger.domain.model import PieceState

hold_names = st.integers(0, 5).map("h{}".format)
hold_lines = st.lists(
    st.builds(HoldLine, sku=skus, quantity=units),
    min_size=1,
    max_size=2,
    unique_by=lambda line: line.sku,
)


class Customers(Acting):
    """Customers, through their shops."""

    def __init__(self) -> None:
        super().__init__()
        self.revisions: dict[str, int] = {}

    def home_of_hold(self, hold: str) -> str:
        """Return the pool of a hold: orders o0, o4 and so on live in the pool of h0."""
        return commands.NAMES[int(hold[1:]) % len(commands.NAMES)]

    def lines_of(self, order: str) -> list[OrderLine]:
        """Return what an order was last asked for, as far as it has been read."""
        asked = self.world.model.orders.asked.get((POOLS[home_of(order)].shard, order))
        return list(asked.lines.values()) if asked is not None else []

    @rule(
        data=st.data(),
        name=order_names,
        lines=order_lines(),
        ship_complete=st.sampled_from([False, False, False, True]),
        hold=st.sampled_from([None, None, 0, 1]),
        channel=channels,
        later=later,
        ago=minutes_ago,
    )
    def place(
        self,
        data: st.DataObject,
        name: str,
        lines: list[OrderLine],
        ship_complete: bool,
        hold: int | None,
        channel: str | None,
        later: bool,
        ago: timedelta,
    ) -> None:
        now = self.world.now
        home = home_of(name)
        days = data.draw(st.sampled_from([None, -1, 0, 2]))
        cited = None if hold is None else f"h{int(name[1:]) % len(POOLS) + hold}"
        event = OrderPlaced(
            order=name,
            customer="customer",
            placed_at=now - ago,
            destination=Place(latitude=1, longitude=2),
            lines=tuple(lines),
            sourcing=data.draw(sourcings(home)),
            hold=cited,
            ship_complete=ship_complete,
            channel=channel,
            customer_tier=data.draw(st.sampled_from([None, "gold"])),
            promised_by=None if days is None else now + timedelta(days=days),
            value=data.draw(st.sampled_from([None, 0.0, 99.0])),
        )
        self.tell(home, event, later=later, ago=ago)

    def orders(self) -> list[str]:
        """Return the orders that are known at home, and one that is not."""
        return [*sorted(order for _, order in self.world.model.orders.asked), "o99"]

    @rule(
        data=st.data(),
        newer=st.sampled_from([-1, 0, 1, 1, 1, 1]),
        wrong=st.sampled_from([False] * 7 + [True]),
        later=later,
    )
    def amend(self, data: st.DataObject, newer: int, wrong: bool, later: bool) -> None:
        """Say an order anew; an old revision says nothing, and a line stays its sku."""
        name = data.draw(st.sampled_from(self.orders()))
        revision = max(1, self.revisions.get(name, 0) + newer)
        lines = data.draw(commands.amended_lines(self.lines_of(name)))
        wrong = wrong and bool(self.lines_of(name))
        if wrong:
            line = self.lines_of(name)[0]
            lines = [line.model_copy(update={"sku": "other", "components": ()})]
        else:
            self.revisions[name] = max(revision, self.revisions.get(name, 0))
        event = OrderAmended(
            order=name, revision=revision, amended_at=self.world.now, lines=tuple(lines)
        )
        if wrong:
            message = Message(self.name("bad"), "/stranger", self.world.now, event)
            self.world.decide(POOLS[home_of(name)].shard, message)
            assert line in self.lines_of(name), f"I8: {line} has become another sku"
        else:
            self.tell(home_of(name), event, later=later)

    @rule(data=st.data(), unknown=order_names, later=later, ago=minutes_ago)
    def cancel(self, data: st.DataObject, unknown: str, later: bool, ago: timedelta) -> None:
        name = data.draw(st.sampled_from([*self.orders()[:-1], unknown]))
        self.tell(home_of(name), cancelled(name), later=later, ago=ago)

    def with_customers(self) -> Counter[tuple[str, str, str, str]]:
        """Return what has left and not come back, by pool, order, line and sku."""
        units: Counter[tuple[str, str, str, str]] = Counter()
        for books in self.world.books.values():
            for claim, piece in pieces_of(books):
                if piece.state is PieceState.SHIPPED and claim.is_order:
                    units[claim.pool, claim.order, piece.line, piece.sku] += piece.quantity
        return units

    @precondition(lambda self: self.with_customers())
    @rule(
        data=st.data(),
        condition=conditions,
        more=st.sampled_from([0, 0, 0, 9]),
        exchange=st.sampled_from([False, False, True]),
        told_apart=st.booleans(),
        later=later,
    )
    def send_back(
        self,
        data: st.DataObject,
        condition: Condition,
        more: int,
        exchange: bool,
        told_apart: bool,
        later: bool,
    ) -> None:
        """Some of what was shipped comes back, or more than that, which is refused."""
        pool, order, line, sku = key = data.draw(st.sampled_from(sorted(self.with_customers())))
        quantity = data.draw(st.integers(1, self.with_customers()[key])) + more
        away = self.world.serials_at(POOLS[pool].shard, sku, None)[:quantity]
        back = ReturnedLine(
            line=line,
            sku=sku,
            quantity=quantity,
            condition=condition,
            lot=data.draw(st.sampled_from([None, None, "L1"])),
            serials=tuple(away) if told_apart and len(away) == quantity else (),
        )
        event = OrderReturned(
            returned=self.name("b"),
            order=order,
            location=data.draw(st.sampled_from([at for of, at in PLACES if of == pool])),
            pool=pool,
            returned_at=self.world.now,
            lines=(back,),
            replacements=tuple(data.draw(order_lines(first=100 + self.names, most=1)))
            if exchange
            else (),
        )
        self.names += 1
        self.tell(pool, event, later=later)

    @rule(
        name=hold_names,
        lines=hold_lines,
        minutes=st.sampled_from([5, 15, 600]),
        channel=channels,
        later=later,
        ago=minutes_ago,
    )
    def hold(
        self,
        name: str,
        lines: list[HoldLine],
        minutes: int,
        channel: str | None,
        later: bool,
        ago: timedelta,
    ) -> None:
        pool = self.home_of_hold(name)
        held_at = self.world.now - ago
        event = CartHeld(
            hold=name,
            sourcing=POOLS[pool],
            held_at=held_at,
            expires_at=held_at + timedelta(minutes=minutes),
            lines=tuple(lines),
            channel=channel,
        )
        self.tell(pool, event, later=later, ago=ago)

    @rule(
        name=hold_names,
        lines=st.lists(st.builds(HoldLine, sku=skus, quantity=st.integers(1, 3)), max_size=2),
        later=later,
    )
    def release(self, name: str, lines: list[HoldLine], later: bool) -> None:
        self.releases = getattr(self, "releases", 0) + 1
        event = CartReleased(
            hold=name,
            released_at=self.world.now,
            lines=tuple(lines),
            release=f"release {self.releases}" if lines else None,
        )
        self.tell(self.home_of_hold(name), event, later=later)

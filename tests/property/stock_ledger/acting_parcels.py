"""The rules of the dispatcher: parcels leave, whole or in part, or are given back."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.property.stock_ledger.acting import Acting
from tests.property.stock_ledger.commands import later

from restock_common.contracts.envelope import Message
from restock_common.contracts.fulfilment import OrderAllocated
from restock_common.contracts.ledger import ShippedLine


class Parcels(Acting):
    """The dispatcher, and what may go wrong there."""

    def deliver_from(self, parcel: OrderAllocated, *, later: bool) -> None:
        """Let the shard read what the warehouse of a parcel has told."""
        if not later:
            self.world.deliver_all((f"warehouse {parcel.location}", parcel.shard))

    @precondition(lambda self: self.world.warehouses.parcels)
    @rule(data=st.data(), part=st.booleans(), later=later)
    def ship(self, data: st.DataObject, part: bool, later: bool) -> None:
        warehouses = self.world.warehouses
        parcel = warehouses.parcels[data.draw(st.sampled_from(sorted(warehouses.parcels)))]
        lines = []
        for line in parcel.lines if part else ():
            units = data.draw(st.integers(0, line.quantity))
            serials = self.world.serials_at(parcel.shard, line.sku, parcel.location)
            if units:
                lines.append(
                    ShippedLine(
                        line=line.line,
                        sku=line.sku,
                        quantity=units,
                        serials=tuple(serials[:units]) if len(serials) >= units else (),
                    )
                )
        warehouses.ship(parcel.allocation, lines)
        self.deliver_from(parcel, later=later)

    @precondition(lambda self: self.world.warehouses.parcels)
    @rule(data=st.data(), later=later)
    def give_back(self, data: st.DataObject, later: bool) -> None:
        warehouses = self.world.warehouses
        wanted = sorted(warehouses.asked_back) or sorted(warehouses.parcels)
        parcel = warehouses.parcels[data.draw(st.sampled_from(wanted))]
        warehouses.give_back(parcel.allocation)
        self.deliver_from(parcel, later=later)

    @precondition(lambda self: self.world.warehouses.parcels)
    @rule(
        data=st.data(), wrong=st.sampled_from(["location", "order", "quantity", "line", "serial"])
    )
    def ship_wrongly(self, data: st.DataObject, wrong: str) -> None:
        """Tell of a shipment that cannot be: it is refused, and the parcel stays."""
        warehouses = self.world.warehouses
        parcel = warehouses.parcels[data.draw(st.sampled_from(sorted(warehouses.parcels)))]
        held: Counter[tuple[str, str]] = Counter()
        for line in parcel.lines:
            held[line.line, line.sku] += line.quantity
        name, sku = parcel.lines[0].line, parcel.lines[0].sku
        units = held[name, sku]
        event = warehouses.shipment(parcel)
        match wrong:
            case "location":
                event = event.model_copy(update={"location": "elsewhere"})
            case "order":
                event = event.model_copy(update={"order": "none"})
            case "quantity":
                lines = (ShippedLine(line=name, sku=sku, quantity=units + 1),)
                event = event.model_copy(update={"lines": lines})
            case "line":
                lines = (ShippedLine(line="none", sku=sku, quantity=1),)
                event = event.model_copy(update={"lines": lines})
            case "serial":
                lines = (ShippedLine(line=name, sku=sku, quantity=1, serials=("none",)),)
                event = event.model_copy(update={"lines": lines})
        message = Message(self.name("bad"), "/stranger", self.world.now, event)
        assert not self.world.decide(parcel.shard, message), f"I20: wrong {wrong} was taken"

    @precondition(lambda self: self.world.warehouses.left)
    @rule(data=st.data(), route=st.sampled_from(["r", "another"]))
    def ship_again(self, data: st.DataObject, route: str) -> None:
        """What has left leaves once: told again it is known, by another route it is refused."""
        warehouses = self.world.warehouses
        name = data.draw(st.sampled_from(sorted(warehouses.left)))
        parcel, event = warehouses.left[name]
        self.deliver_from(parcel, later=False)
        again = event.model_copy(update={"route": route})
        message = Message(self.name("again"), "/stranger", self.world.now, again)
        before = len(self.world.taken)
        assert self.world.decide(parcel.shard, message) == (route == event.route), f"I20: {again}"
        assert len(self.world.taken) - before == (route == event.route)

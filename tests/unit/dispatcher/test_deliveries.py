"""Confirmations by the batch, where two processes share the warehouses."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from tests.unit.dispatcher.examples import DEPOT, SOURCE, at, shipment

from dispatcher.api.deliveries import DeliveredItem, Deliveries
from dispatcher.domain.model import Shipment, Status
from dispatcher.domain.route import Route, RouteState
from dispatcher.handlers import DeliveryReported
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.topics import FULFILMENT
from restock_common.errors import Fenced
from restock_common.kafka import partition_of
from restock_common.transact import Cursor, Outcome, Partition


def away(name: str, location: str) -> Shipment:
    return replace(shipment(name, status=Status.DEPARTED, route=f"r-{name}"), location=location)


class Known:
    """The one database of both processes."""

    def __init__(self, *shipments: Shipment) -> None:
        self.held = {one.allocation: one for one in shipments}

    async def shipments(self, allocations: Sequence[str]) -> dict[str, Shipment]:
        return {name: self.held[name] for name in allocations if name in self.held}

    async def routes_by_id(self, routes: Sequence[str]) -> dict[str, Route]:
        owners = {one.route: one.location for one in self.held.values()}
        return {
            name: Route(
                name,
                "p",
                "w",
                owners[name],
                SOURCE,
                "v",
                DEPOT,
                at(8),
                at(9),
                1,
                (),
                1,
                RouteState.DEPARTED,
            )
            for name in routes
        }

    async def marks(self, locations: Sequence[str]) -> dict[str, dict[str, datetime]]:
        return {location: {SOURCE: at(12)} for location in locations}


class Deciding:
    """One of the processes: decides for the partitions that it owns."""

    def __init__(self, known: Known, owned: int) -> None:
        self.known = known
        self.owned = owned

    async def act(self, partition: Partition, messages: Sequence[Message[Event]]) -> Outcome:
        if partition.number != self.owned:
            raise Fenced(f"{partition.number} is not owned here")
        for message in messages:
            assert isinstance(message.event, DeliveryReported)
            one = self.known.held[message.event.allocation]
            self.known.held[one.allocation] = replace(one, status=Status.DELIVERED)
        return Outcome(Cursor(partition, 1), (), tuple(messages), 0, ())


async def test_a_batch_for_two_processes_comes_through_when_each_has_had_it() -> None:
    places = {partition_of(FULFILMENT.name, name.encode()): name for name in "ABCDEFGH"}
    (first, here), (second, there) = sorted(places.items())[:2]
    known = Known(away("a", here), away("b", there))
    items = [DeliveredItem(allocation=name, delivered_at=at(10)) for name in ("a", "b")]
    with pytest.raises(Fenced):
        await Deliveries(Deciding(known, first), known).report(items)
    assert await Deliveries(Deciding(known, second), known).report(items) == [None, None]
    assert {one.status for one in known.held.values()} == {Status.DELIVERED}

"""One order through all five processes, in one trace from the HTTP request to the route."""

from datetime import datetime, timedelta

import orjson
import pytest
from tests.support import read_messages

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.dispatch import RoutePlanned
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.fulfilment import OrderAllocated
from restock_common.contracts.ledger import OrderPlaced, ShipmentDispatched
from restock_common.contracts.stock import StockReserved, StockShipped
from restock_common.contracts.topics import DEMAND, DISPATCH, FORECASTS, FULFILMENT, LEDGER, STOCK
from restock_local.demo.calendar import START
from restock_local.demo.door import Door
from restock_local.folders import run_folder, state_folder
from restock_local.platform.base import Platform, declare_topics
from restock_local.platform.choose import choose
from restock_local.quiet import QuietWatch
from restock_local.sample import sample_order, sample_products, stock_shop
from restock_local.supervisor import Supervisor

pytestmark = pytest.mark.e2e

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ORDERED_AT = START + timedelta(hours=9)
LEFT_BY = START + timedelta(days=2)


async def all_messages(platform: Platform) -> list[Message[Event]]:
    return [
        message
        for topic in (LEDGER, STOCK, DEMAND, FULFILMENT, FORECASTS, DISPATCH)
        for message in await read_messages(platform.kafka, topic)
    ]


async def test_one_order_travels_the_whole_way_in_one_trace() -> None:
    products = sample_products(3)
    with run_folder(state_folder() / "tests") as folder:
        async with choose("embedded", folder) as platform:
            await declare_topics(platform.kafka)
            async with Supervisor(platform, folder, clock="replay") as supervisor:
                url = supervisor.urls["order-ingest"]
                headers = {
                    "X-API-Key": supervisor.api_key,
                    "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
                }
                async with (
                    Door(url, headers) as door,
                    QuietWatch(supervisor.urls, platform.kafka) as watch,
                ):
                    await stock_shop(door, products, units=5, counted_at=START)
                    await watch.until_quiet(timeout_s=60)
                    body = sample_order("1001", placed_at=ORDERED_AT, sku=products[0].sku)
                    await door.post("/v1/orders", body)
                    for until in (START + timedelta(days=1), LEFT_BY):
                        await watch.until_quiet(timeout_s=60)
                        await tick(door, until)
                    await watch.until_quiet(timeout_s=60)
            messages = await all_messages(platform)

    found = {type(message.event): message for message in messages if TRACE in trace_of(message)}
    assert set(found) >= {
        OrderPlaced,
        StockReserved,
        DemandObserved,
        OrderAllocated,
        RoutePlanned,
        ShipmentDispatched,
        StockShipped,
    }
    route = found[RoutePlanned].event
    dispatched = found[ShipmentDispatched].event
    assert isinstance(route, RoutePlanned)
    assert isinstance(dispatched, ShipmentDispatched)
    assert [stop.order for stop in route.stops] == [dispatched.order]
    forecasts = [one.event for one in messages if isinstance(one.event, DemandForecast)]
    assert [forecast.sku for forecast in forecasts] == [products[0].sku]


async def tick(door: Door, until: datetime) -> None:
    await door.post("/v1/clock", orjson.dumps({"until": until}))


def trace_of(message: Message[Event]) -> str:
    return message.traceparent or ""

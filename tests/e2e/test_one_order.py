"""One order through all five processes: its messages, its spans, and what is told of the services.

They run once: what they have said is looked at by the tests.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from tests.e2e import prometheus
from tests.e2e.otlp import Receiver, SpanTold
from tests.support import read_messages, until
from tests.tidy.test_alerts import alerts

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.dispatch import RoutePlanned
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.fulfilment import OrderAllocated
from restock_common.contracts.ledger import OrderPlaced, ShipmentDispatched
from restock_common.contracts.stock import StockReserved, StockShipped
from restock_common.contracts.topics import DEMAND, DISPATCH, FORECASTS, FULFILMENT, LEDGER, STOCK
from restock_local.dashboards import BOARDS
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
CALLER = "00f067aa0ba902b7"
ORDERED_AT = START + timedelta(hours=9)
LEFT_BY = START + timedelta(days=2)
INTERNAL, SERVER, PRODUCER, CONSUMER = 1, 2, 4, 5


@dataclass(frozen=True, slots=True)
class Travelled:
    """What an order has left behind.

    Attributes:
        sku: Ordered.
        messages: On every topic.
        spans: Of its trace.
        unanswered: Queries that Prometheus has nothing for; None where there is no Prometheus.
    """

    sku: str
    messages: list[Message[Event]]
    spans: list[SpanTold]
    unanswered: list[str] | None


@pytest.fixture(scope="module")
async def travelled() -> AsyncIterator[Travelled]:
    """Send one order through the five services, with a collector and a Prometheus beside them."""
    products = sample_products(3)
    unanswered = None
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(run_folder(state_folder() / "tests"))
        receiver = await stack.enter_async_context(Receiver())
        platform = await stack.enter_async_context(choose("embedded", folder))
        await declare_topics(platform.kafka)
        telling = {"RESTOCK_TRACE_ENDPOINT": receiver.endpoint}
        async with Supervisor(platform, folder, clock="replay", environment=telling) as supervisor:
            async with AsyncExitStack() as beside:
                asked = None
                if prometheus.IS_THERE:
                    running = prometheus.running(folder, supervisor.urls)
                    asked = await beside.enter_async_context(running)
                await travel(supervisor, platform, products)
                if asked is not None:
                    unanswered = await unanswered_by(asked, supervisor)
            messages = await all_messages(platform)
        yield Travelled(products[0].sku, messages, receiver.of(TRACE), unanswered)


async def travel(supervisor: Supervisor, platform: Platform, products: list[Any]) -> None:
    headers = {"X-API-Key": supervisor.api_key, "traceparent": f"00-{TRACE}-{CALLER}-01"}
    async with (
        Door(supervisor.urls["order-ingest"], headers) as door,
        QuietWatch(supervisor.urls, platform.kafka) as watch,
    ):
        await stock_shop(door, products, units=5, counted_at=START)
        await watch.until_quiet(timeout_s=60)
        body = sample_order("1001", placed_at=ORDERED_AT, sku=products[0].sku)
        await door.post("/v1/orders", body)
        for until_ in (START + timedelta(days=1), LEFT_BY):
            await watch.until_quiet(timeout_s=60)
            await tick(door, until_)
        await watch.until_quiet(timeout_s=60)


async def all_messages(platform: Platform) -> list[Message[Event]]:
    return [
        message
        for topic in (LEDGER, STOCK, DEMAND, FULFILMENT, FORECASTS, DISPATCH)
        for message in await read_messages(platform.kafka, topic)
    ]


async def unanswered_by(asked: prometheus.Asked, supervisor: Supervisor) -> list[str]:
    """Return the queries of dashboards and alerts that lead to nothing, after some scrapes."""
    waiting = list(queries())
    door = supervisor.urls["order-ingest"]
    key = {"X-API-Key": supervisor.api_key}

    async def all_answered() -> bool:
        async with httpx.AsyncClient(base_url=door, headers=key) as http:
            await http.get("/v1/whoami")  # a share of no requests is none
        waiting[:] = [query for query in waiting if not await asked.query(query)]
        return not waiting

    try:
        await until(all_answered, what="every query leads to data", timeout_s=25, every_s=1)
    except AssertionError:
        return waiting
    return []


def queries() -> Iterator[str]:
    for board in BOARDS:
        for charts in board.rows.values():
            for chart in charts:
                for query in chart.queries.values():
                    yield query.replace("$__rate_interval", "30s")
    for one in alerts():
        yield prometheus.always_answered(one["expr"])


def test_one_order_travels_the_whole_way_in_one_trace(travelled: Travelled) -> None:
    messages = travelled.messages
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
    assert [forecast.sku for forecast in forecasts] == [travelled.sku]


def test_its_spans_are_a_tree_across_all_five_processes(travelled: Travelled) -> None:
    spans = {one.span: one for one in travelled.spans}
    assert all(one.parent in spans or one.parent == CALLER for one in spans.values())
    order = only(one for one in spans.values() if one.name == "POST /v1/orders")
    assert (order.service, order.kind, order.parent) == ("order-ingest", SERVER, CALLER)
    placed = only(
        one
        for one in spans.values()
        if one.parent == order.span and one.name == "process restock.ledger.v1"
    )
    assert (placed.service, placed.kind) == ("stock-ledger", CONSUMER)
    assert placed.attributes["messaging.system"] == "kafka"
    below = {
        (one.service, one.name, one.kind) for one in spans.values() if under(spans, one, placed)
    }
    assert below >= {
        ("stock-ledger", "send restock.stock.v1", PRODUCER),
        ("forecaster", "process restock.demand.v1", CONSUMER),
        ("replenisher", "process restock.stock.v1", CONSUMER),
        ("replenisher", "receive restock.stock.v1", CONSUMER),
        ("dispatcher", "process restock.fulfilment.v1", CONSUMER),
        ("dispatcher", "plan", INTERNAL),
        ("dispatcher", "send restock.dispatch.v1", PRODUCER),
        ("stock-ledger", "process restock.ledger.v1", CONSUMER),
    }


def test_batches_link_to_their_messages(travelled: Travelled) -> None:
    spans = travelled.spans
    (order,) = (one for one in spans if one.name == "POST /v1/orders")
    linked = {(one.service, one.name) for one in spans if order.span in one.links}
    assert linked >= {
        ("order-ingest", "send restock.ledger.v1"),
        ("stock-ledger", "receive restock.ledger.v1"),
    }


@pytest.mark.skipif(not prometheus.IS_THERE, reason="needs prometheus (Debian's package)")
def test_every_panel_and_alert_has_data(travelled: Travelled) -> None:
    assert travelled.unanswered == []


def only(spans: Iterator[SpanTold]) -> SpanTold:
    (one,) = spans
    return one


def under(spans: dict[str, SpanTold], one: SpanTold, top: SpanTold) -> bool:
    while one.parent in spans:
        one = spans[one.parent]
        if one is top:
            return True
    return False


async def tick(door: Door, until: datetime) -> None:
    await door.post("/v1/clock", orjson.dumps({"until": until}))


def trace_of(message: Message[Event]) -> str:
    return message.traceparent or ""

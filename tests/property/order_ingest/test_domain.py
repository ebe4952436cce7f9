"""Whatever is sent, the answer is an order or a refusal; whatever the map, ranks are ranks."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.order_ingest.sample import PRIVACY, SEAL, customers

from order_ingest.domain import orders
from order_ingest.domain.checks import Known
from order_ingest.domain.findings import Refused
from order_ingest.domain.orders import Placement
from order_ingest.domain.requests import (
    CancelMessage,
    OrderBatch,
    OrderRequest,
    parse,
    parse_batch,
    parse_storefront_message,
)
from order_ingest.domain.sourcing import distance_km, rank_pools
from order_ingest.handlers import Clock, Desk, Door, Memory, Outlet, take_order
from order_ingest.store import (
    PostgresOrderBook,
    PostgresRegister,
    PostgresSpool,
    PostgresWaitingRoom,
)
from order_ingest.stream import StorefrontOrders
from restock_common.contracts.catalogue import Catalogue, Location, Pool, Product
from restock_common.contracts.envelope import Record
from restock_common.contracts.ledger import Place
from restock_common.contracts.topics import STOREFRONT_ORDERS
from restock_common.errors import Permanent
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings

T = TypeVar("T")

NOW = datetime(2017, 1, 2, tzinfo=UTC)
HERE = Place(latitude=41.88, longitude=-87.63)

places = st.builds(
    Place, latitude=st.floats(-90, 90, width=32), longitude=st.floats(-180, 180, width=32)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    pools = [
        Pool(pool=f"p{n}", shard=draw(st.integers(0, 3))) for n in range(draw(st.integers(1, 4)))
    ]
    locations = [
        Location(location=f"l{n}", pool=draw(st.sampled_from(pools)).pool, place=draw(places))
        for n in range(draw(st.integers(0, 8)))
    ]
    return Catalogue.of([*pools, *draw(st.permutations(locations))])


@st.composite
def almost_orders(draw: st.DrawFn) -> dict[str, Any]:
    """A good order in which some fields are replaced by anything at all."""
    good: dict[str, Any] = {
        "order": draw(st.text(max_size=5)),
        "customer": "c",
        "placed_at": draw(st.datetimes().map(datetime.isoformat))
        + draw(st.sampled_from(["Z", ""])),
        "destination": {"latitude": 1, "longitude": 2},
        "lines": [{"sku": "tea", "quantity": draw(st.integers(-1, 3))}],
    }
    for name in draw(st.lists(st.sampled_from([*good, "window", "cancel"]), max_size=2)):
        good[name] = draw(json_values)
    return good


def caught(call: Callable[[], T]) -> T | Permanent:
    """Return what a call returns, or the refusal that it raises; any other error is a failure."""
    try:
        return call()
    except Permanent as error:
        return error


class Read:
    catalogue = Catalogue.of(
        [
            Product(sku="tea", supplier="s"),
            Pool(pool="p", shard=0),
            Location(location="l", pool="p", place=HERE),
        ]
    )

    def not_ready(self) -> None:
        return None

    async def read_to_now(self) -> None:
        return None


def application() -> StorefrontOrders:
    database = Database("postgresql://nowhere")
    door = Door(
        desk=Desk(
            master_data=Read(),
            clock=Clock(replay=True),
            outlet=Outlet(Producer(KafkaSettings()), PostgresSpool(database), patience_s=1),
        ),
        database=database,
        book=PostgresOrderBook(),
        register=PostgresRegister(),
        customers=customers(database),
        room=PostgresWaitingRoom(SEAL),
        seal=SEAL,
    )
    return StorefrontOrders(
        door,
        PostgresOrderBook(),
        PostgresRegister(),
        PostgresWaitingRoom(SEAL),
        {"shop"}.__contains__,
    )


@given(
    st.binary()
    | json_values.map(lambda value: json.dumps(value).encode())
    | almost_orders().map(lambda value: json.dumps(value).encode())
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_request_or_a_refusal(raw: bytes) -> None:
    request = caught(lambda: parse_storefront_message(raw))
    if isinstance(request, Refused):
        assert request.findings
        assert json.dumps([finding.value for finding in request.findings], allow_nan=False)
    else:
        assert isinstance(request, OrderRequest | CancelMessage)


@given(
    st.lists(
        st.tuples(st.sampled_from(["shop", "traceparent", "x"]), st.binary() | st.just(b"shop")),
        max_size=3,
    ),
    st.none() | st.binary() | almost_orders().map(lambda value: json.dumps(value).encode()),
)
@settings(max_examples=200, deadline=None)
def test_any_record_is_a_message_or_a_dead_letter(
    headers: list[tuple[str, bytes]], value: bytes | None
) -> None:
    record = Record(STOREFRONT_ORDERS.name, 0, 0, 1_483_228_800_000, None, value, headers)
    message = caught(lambda: application().read(record))
    if isinstance(message, Permanent):
        assert message.reason
    else:
        assert message.time.tzinfo is UTC


@given(st.lists(almost_orders() | json_values, min_size=1, max_size=5))
@settings(deadline=None)
def test_each_item_of_a_batch_is_answered_as_if_it_came_alone(items: list[Any]) -> None:
    raw = json.dumps({"orders": items}).encode()
    together = caught(lambda: parse_batch(OrderBatch, OrderRequest, "orders", raw))
    if isinstance(together, Refused):
        assert together.malformed, "only what is not JSON spoils the whole"
        return
    assert isinstance(together, list)
    for item, answer in zip(items, together, strict=True):
        alone = caught(partial(parse, OrderRequest, json.dumps(item).encode()))
        if isinstance(alone, Refused):
            assert isinstance(answer, Refused)
            assert answer.findings == alone.findings
        else:
            assert answer == alone


@given(catalogues(), places)
@settings(deadline=None)
def test_ranks_are_from_near_to_far_and_leave_nobody_out(
    catalogue: Catalogue, destination: Place
) -> None:
    ranked = rank_pools(catalogue, destination)
    assert {pool.pool for pool in ranked} == {one.pool for one in catalogue.locations.values()}
    assert sorted(one.location for pool in ranked for one in pool.locations) == sorted(
        catalogue.locations
    )
    nearest = [pool.locations[0].distance_km for pool in ranked]
    assert nearest == sorted(nearest)
    for pool in ranked:
        assert pool.shard == catalogue.pools[pool.pool].shard
        distances = [one.distance_km for one in pool.locations]
        assert distances == sorted(distances)
        for one in pool.locations:
            assert catalogue.locations[one.location].pool == pool.pool


@given(places, places)
@settings(deadline=None)
def test_distance_is_symmetric_and_never_more_than_half_the_globe(one: Place, other: Place) -> None:
    there = distance_km(one, other)
    assert 0 <= there <= 20_015.2
    assert there == distance_km(other, one)
    assert distance_km(one, one) == 0


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.data())
@settings(deadline=None)
def test_the_first_placement_of_an_order_is_what_every_repeat_gets(
    numbers: list[str], data: st.DataObject
) -> None:
    """Against a book that is a dictionary: an order's event never changes once it is given."""
    known = Known(Read.catalogue, NOW)
    book: dict[str, Placement] = {}
    given_out: dict[str, str] = {}
    for number in numbers:
        customer = data.draw(st.sampled_from(["x", "y"]))
        request = OrderRequest.model_validate(
            {
                "order": number,
                "customer": customer,
                "placed_at": NOW,
                "destination": HERE,
                "lines": [{"sku": "tea", "quantity": 1}],
            }
        )
        asked = take_order("shop", request, known, PRIVACY)
        memory = Memory({asked.order: book.setdefault(asked.order, asked)}, frozenset())
        try:
            settled = orders.settle(memory.placements[asked.order], asked)
        except Permanent:
            assert book[asked.order].event.customer != PRIVACY.token("shop", customer)
            continue
        text = settled.event.model_dump_json()
        assert given_out.setdefault(settled.order, text) == text
        assert settled.event.customer == PRIVACY.token("shop", customer)

"""What people say at the doors is what the ledger does: two processes, over HTTP and Kafka."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.support import publish, read_messages

from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.ledger import ShipmentDispatched
from restock_common.contracts.topics import DEAD_LETTERS
from restock_common.settings import KafkaSettings
from restock_local.demo.calendar import START
from restock_local.demo.door import Door
from restock_local.demo.geography import LOCATIONS, POOLS
from restock_local.platform.base import Platform
from restock_local.quiet import QuietWatch
from restock_local.sample import sample_products, stock_shop
from restock_local.supervisor import ServiceKind, Supervisor

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]

NAMES = ("order-ingest", "stock-ledger")
HOME, BESIDE = LOCATIONS[0], LOCATIONS[2]
SHARD = POOLS[0].shard
AT = (START + timedelta(hours=9)).isoformat()
THERE = HOME.place.model_dump()


@dataclass(frozen=True, slots=True)
class Shop:
    """Both ends of the ledger's log: the doors, and what its own API tells."""

    doors: httpx.AsyncClient
    ledger: httpx.AsyncClient
    watch: QuietWatch
    kafka: KafkaSettings

    async def say(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Return what a door answers once the ledger has read all of it."""
        answer = await self.doors.request(method, f"/v1/{path}", json=body)
        assert answer.status_code == 202, answer.text
        await self.quiet()
        told: dict[str, Any] = answer.json()
        return told

    async def quiet(self) -> None:
        await self.watch.until_quiet(timeout_s=60, among=NAMES)

    async def ask(self, path: str) -> dict[str, Any]:
        answer = await self.ledger.get(path)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def level(self, sku: str, location: str = HOME.location) -> dict[str, int]:
        levels = (await self.ask(f"/v1/stock/{sku}"))["levels"]
        [level] = [one for one in levels if one["location"] == location]
        return dict(level)

    async def pieces(self, order: str) -> list[tuple[str, str, int, str]]:
        """Return what has become of an order: (line, sku, units, state)."""
        claims = (await self.ask(f"/v1/orders/demo:{order}"))["claims"]
        return sorted(
            (piece["line"], piece["sku"], piece["quantity"], piece["state"])
            for claim in claims
            for piece in claim["pieces"]
        )


@pytest.fixture(scope="module")
async def shop(
    platform: Platform, kafka: KafkaSettings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    """Run both services, and open a shop of six teas, ten of each in every warehouse."""
    kinds = [ServiceKind(name) for name in NAMES]
    folder = tmp_path_factory.mktemp("doors")
    async with Supervisor(platform, folder, clock="replay", services=kinds) as supervisor:
        url, headers = supervisor.urls["order-ingest"], {"X-API-Key": supervisor.api_key}
        async with Door(url, headers) as door:
            await stock_shop(door, sample_products(6), units=10, counted_at=START)
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as doors,
            httpx.AsyncClient(base_url=supervisor.urls["stock-ledger"], timeout=30) as ledger,
            QuietWatch(supervisor.urls, kafka, check=supervisor.check) as watch,
        ):
            opened = Shop(doors, ledger, watch, kafka)
            await opened.quiet()
            yield opened
    for kind in kinds:
        await platform.databases.drop_database(kind.module)


@pytest.fixture(autouse=True)
async def _nothing_is_a_dead_letter(shop: Shop) -> AsyncIterator[None]:
    yield
    letters = [one.event for one in await read_messages(shop.kafka, DEAD_LETTERS)]
    assert [one.reason for one in letters if isinstance(one, DeadLetter)] == []


def order(number: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "order": number,
        "customer": "c",
        "placed_at": AT,
        "destination": THERE,
        "lines": lines,
        **more,
    }


def line(sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, **more}


async def test_a_cart_of_kits_becomes_an_order_that_grows(shop: Shop) -> None:
    made_of = [line("tea-1", 2), line("tea-2", 1)]
    await shop.say("PUT", "products/set", {"supplier": "wholesale", "components": made_of})
    cart = {"hold": "cart", "destination": THERE, "lines": [line("set", 2)], "ttl_s": 600}
    held = await shop.say("POST", "holds", {**cart, "held_at": AT})
    assert (await shop.level("tea-1"))["held"] == 4
    assert (await shop.ask(held["state"]))["state"] == "held"
    await shop.say("POST", "orders", order("kits", line("set", 2), hold="cart"))
    level = await shop.level("tea-1")
    assert (level["held"], level["reserved"]) == (0, 4)
    lines = [line("set", 3, line="1"), line("tea-2", 1, line="2")]
    await shop.say("POST", "orders/kits/amendments", {"revision": 1, "lines": lines})
    assert (await shop.level("tea-1"))["reserved"] == 6
    assert (await shop.level("tea-2"))["reserved"] == 4
    given_up = {**cart, "hold": "given-up", "held_at": AT}
    await shop.say("POST", "holds", given_up)
    assert (await shop.level("tea-1"))["held"] == 4
    await shop.say("DELETE", "holds/given-up")
    assert (await shop.level("tea-1"))["held"] == 0


async def test_goods_are_adjusted_and_kept_from_sale(shop: Shop) -> None:
    body = {"adjustment": "a-1", "location": HOME.location, "adjusted_at": AT}
    broken = line("tea-3", 3, source="sellable", target="damaged")
    await shop.say("POST", "adjustments", {**body, "lines": [broken]})
    await shop.say("PUT", f"policies/tea-3/{HOME.location}", {"safety_buffer": 2})
    level = await shop.level("tea-3")
    assert (level["on_hand"], level["damaged"], level["available"]) == (10, 3, 5)


async def test_a_lot_is_received_and_counted(shop: Shop) -> None:
    lot = {"lot": "L1", "expires_on": "2017-06-01"}
    receipt = {"receipt": "r-1", "location": HOME.location, "received_at": AT}
    lines = [line("tea-6", 2, **lot, serials=["s1", "s2"]), line("tea-6", 1, condition="damaged")]
    await shop.say("POST", "receipts", {**receipt, "lines": lines})
    level = await shop.level("tea-6")
    assert (level["on_hand"], level["damaged"], level["available"]) == (13, 1, 12)
    count = {"count": "c-1", "location": HOME.location, "counted_at": AT}
    await shop.say("POST", "counts", {**count, "lines": [line("tea-6", 1, lot="L1")]})
    assert (await shop.level("tea-6"))["on_hand"] == 12


async def test_a_transfer_goes_to_another_pool(shop: Shop) -> None:
    ends = {"source": HOME.location, "target": BESIDE.location}
    moved = line("tea-4", 4, line="1")
    await shop.say(
        "POST", "transfers", {"transfer": "t-1", **ends, "ordered_at": AT, "lines": [moved]}
    )
    assert (await shop.level("tea-4"))["reserved"] == 4
    left = {"shipment": "truck", "shipped_at": AT, "lines": [{**moved, "quantity": 3}]}
    await shop.say("POST", "transfers/t-1/shipments", left)
    await shop.say("DELETE", "transfers/t-1")
    home, beside = await shop.level("tea-4"), await shop.level("tea-4", BESIDE.location)
    assert (home["on_hand"], home["reserved"], beside["in_transit"]) == (7, 0, 3)
    arrived = {"receipt": "dock", "received_at": AT, "lines": [{**moved, "quantity": 2}]}
    await shop.say("POST", "transfers/t-1/receipts", {**arrived, "complete": True})
    beside = await shop.level("tea-4", BESIDE.location)
    assert (beside["on_hand"], beside["in_transit"]) == (12, 0)


async def test_what_was_shipped_comes_back_and_is_replaced(shop: Shop) -> None:
    await shop.say("POST", "orders", order("swap", line("tea-5", 2)))
    claims = (await shop.ask("/v1/orders/demo:swap"))["claims"]
    [allocation] = {piece["allocation"] for piece in claims[0]["pieces"]}
    shipment = ShipmentDispatched(
        allocation=allocation,
        order="demo:swap",
        location=HOME.location,
        route="r",
        dispatched_at=START + timedelta(hours=10),
    )
    await publish(shop.kafka, [shipment], partition=SHARD)
    await shop.quiet()
    back = {
        "returned": "b-1",
        "order": "swap",
        "location": HOME.location,
        "returned_at": (START + timedelta(hours=12)).isoformat(),
        "lines": [{**line("tea-5", 1, line="1"), "condition": "damaged"}],
        "replacements": [line("tea-5", 1, line="1-again")],
    }
    for _ in range(2):
        await shop.say("POST", "returns", back)
    level = await shop.level("tea-5")
    assert (level["on_hand"], level["damaged"], level["reserved"]) == (9, 1, 1)
    assert await shop.pieces("swap") == [
        ("1", "tea-5", 1, "returned"),
        ("1", "tea-5", 1, "shipped"),
        ("1-again", "tea-5", 1, "reserved"),
    ]


async def test_a_preorder_is_promised_from_what_is_expected(shop: Shop) -> None:
    await shop.say("PUT", "products/coming", {"supplier": "wholesale"})
    due = {"location": HOME.location, "sku": "coming", "quantity": 5, "expected_at": AT}
    await shop.say("PUT", "expected-receipts/pol-1", due)
    await shop.say("POST", "orders", order("early", line("coming", 3, preorder=True)))
    claims = (await shop.ask("/v1/orders/demo:early"))["claims"]
    assert [piece["expected"] for piece in claims[0]["pieces"]] == ["pol-1"]
    receipt = {"receipt": "r-2", "location": HOME.location, "received_at": AT}
    lines = [line("coming", 5, order_line="pol-1")]
    await shop.say("POST", "receipts", {**receipt, "lines": lines})
    assert await shop.pieces("early") == [("1", "coming", 3, "reserved")]


async def test_an_older_revision_does_not_undo_a_newer_one(shop: Shop) -> None:
    await shop.say("POST", "orders", order("revised", line("tea-6", 1)))
    for revision, units in ((2, 3), (1, 5), (2, 4)):
        lines = [line("tea-6", units, line="1")]
        await shop.say("POST", "orders/revised/amendments", {"revision": revision, "lines": lines})
    assert await shop.pieces("revised") == [
        ("1", "tea-6", 1, "reserved"),
        ("1", "tea-6", 2, "reserved"),
    ]


async def test_what_came_before_its_order_is_done_when_it_comes(shop: Shop) -> None:
    lines = [line("tea-6", 2, line="1")]
    await shop.say("POST", "orders/late/amendments", {"revision": 1, "lines": lines})
    await shop.say("POST", "orders", order("late", line("tea-6", 1)))
    assert sum(units for _, _, units, _ in await shop.pieces("late")) == 2
    await shop.say("POST", "orders/never-wanted/cancel", {})
    await shop.say("POST", "orders", order("never-wanted", line("tea-6", 1)))
    [claim] = (await shop.ask("/v1/orders/demo:never-wanted"))["claims"]
    assert claim["state"] == "cancelled"

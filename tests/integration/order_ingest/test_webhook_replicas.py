"""One webhook, again and again, at two replicas at once."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.order_ingest.replica import known_shops, replica
from tests.support import read_messages
from tests.unit.order_ingest.channels.sample import Case, case, settings
from tests.unit.order_ingest.sample import SEAL

from order_ingest.domain.keys import Action, ApiKey
from order_ingest.domain.requests import KeyRequest
from order_ingest.handlers import Accepted, Keys, Skipped, Webhooks
from order_ingest.store import PostgresAnswers, PostgresKeys
from order_ingest.stream import ShopWatch
from restock_common.contracts.ledger import Component, OrderReturned
from restock_common.contracts.topics import LEDGER
from restock_common.errors import Transient
from restock_common.kafka import Producer
from restock_common.postgres import Connection, Database
from restock_common.sealing import Seal
from restock_common.settings import KafkaSettings

pytestmark = pytest.mark.kafka

NOW = datetime(2025, 3, 12, tzinfo=UTC)


@pytest.fixture
async def database(database: Database) -> Database:
    """Return the database with one shop in it."""
    shops = known_shops(database)
    await shops.put("shop", settings("shopify", locations={}, return_location="n1"))
    await shops.put_skus("shop", {"43729077": "milk"})
    return database


async def deliver(webhooks: Webhooks, one: Case, **changes: Any) -> list[Any]:
    sent = Case(one.channel, one.name, one.headers, {**one.body, **changes})
    return await webhooks.deliver("shop", sent.headers, sent.raw, NOW, vouched=True)


async def test_a_hundred_deliveries_at_two_replicas_have_one_effect(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    replicas = [replica(database, producer).webhooks for _ in range(2)]
    story = [
        case("shopify", "order-created"),
        case("shopify", "edited"),
        case("shopify", "partial-refund-with-restocking"),
        case("shopify", "cancelled"),
    ]
    await deliver(replicas[0], story[0])
    answers = await asyncio.gather(
        *(deliver(replicas[n % 2], story[n % 4], id=5630418321441) for n in range(400))
    )
    assert {type(one) for outcomes in answers for one in outcomes} == {Accepted, Skipped}
    of_order = [
        one
        for one in await read_messages(kafka, LEDGER)
        if getattr(one.event, "order", None) == "shop:5630418321441"
    ]
    contents: dict[str, set[str]] = {}
    for one in of_order:
        contents.setdefault(one.id, set()).add(one.event.model_dump_json())
    assert {len(told) for told in contents.values()} == {1}, "a repeat says the same"
    kinds = Counter({one.id: type(one.event).__name__ for one in of_order}.values())
    assert kinds == {"OrderPlaced": 1, "OrderAmended": 2, "OrderReturned": 1, "OrderCancelled": 1}


async def test_a_kit_comes_back_as_its_components(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    webhooks = replica(database, producer).webhooks
    created = case("shopify", "order-created")
    line = {**created.body["line_items"][0], "sku": "breakfast"}
    await deliver(webhooks, created, id=7, line_items=[line])
    refund = case("shopify", "refund-restocked-in-two-places")
    [back] = [one for one in refund.body["refund_line_items"] if one["id"] == 1]
    [answer] = await deliver(
        webhooks, refund, order_id=7, refund_line_items=[{**back, "line_item": line}]
    )
    assert isinstance(answer, Accepted)
    [returned] = [
        one.event
        for one in await read_messages(kafka, LEDGER)
        if isinstance(one.event, OrderReturned) and one.event.order == "shop:7"
    ]
    told = [Component(sku=one.sku, quantity=one.quantity) for one in returned.lines]
    assert told == [Component(sku="tea", quantity=2), Component(sku="milk", quantity=1)]


async def test_secrets_are_sealed_and_opened_by_the_master_keys(
    database: Database, producer: Producer
) -> None:
    shops = known_shops(database)
    await shops.put("sealed", settings("shopify"))
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM shops WHERE shop = 'sealed'")
    assert row is not None
    assert b"a-secret-of-the-shop" not in row["secrets"]
    assert "a-secret-of-the-shop" not in row["settings"]
    assert (await shops.settings("sealed")) == settings("shopify")
    other = known_shops(database, Seal({"other": bytes(32)}))
    with pytest.raises(
        Transient, match="secrets of shop sealed: it was sealed with the key 'test'"
    ):
        await other.settings("sealed")


@pytest.mark.parametrize("name", ["", "\x00", "a" * 33, "Tea", "a/b", "ü"])
async def test_a_name_that_no_shop_can_have(database: Database, name: str) -> None:
    assert await known_shops(database).settings(name) is None


async def test_a_sender_waits_for_no_note_of_its_own(database: Database) -> None:
    """Another transaction has the rows that its key and its claim are written to."""
    keys, answers = Keys(database, PostgresKeys(), {}, cache_s=60), PostgresAnswers(database, SEAL)
    request = KeyRequest(name="n", actions=(Action.ORDERS,))
    text, made = await keys.issue("corner", request, by=None)
    assert (await answers.claim("corner", "a", b"digest")).mine
    async with database.transaction() as other:
        await other.execute("UPDATE api_keys SET name = 'm'")
        await other.execute("UPDATE answers SET claimed_at = now()")
        assert await keys.holder(text) == made.holder()
        with pytest.raises(Transient):
            await answers.give_back("corner", "a")
    await keys.write_uses()
    [noted] = await keys.all("corner")
    assert noted.last_used_at is not None


async def test_a_replica_prepares_for_a_shop_that_another_was_told_of(database: Database) -> None:
    prepared = asyncio.Event()

    async def prepare() -> None:
        prepared.set()

    watch = ShopWatch(known_shops(database), prepare, every_s=0.01)
    await watch.start()
    async with asyncio.timeout(30):
        await prepared.wait()
    await watch.stop()


class SlowKeys(PostgresKeys):
    """What it has read first takes until `go` to arrive."""

    def __init__(self) -> None:
        self.has_read, self.go = asyncio.Event(), asyncio.Event()

    async def read(self, connection: Connection, ids: Sequence[str]) -> dict[str, ApiKey]:
        found = await super().read(connection, ids)
        if not self.has_read.is_set():
            self.has_read.set()
            await self.go.wait()
        return found


async def test_a_key_that_ends_while_it_is_read_is_believed_no_longer(database: Database) -> None:
    store = SlowKeys()
    keys = Keys(database, store, {}, cache_s=60)
    text, made = await keys.issue("corner", KeyRequest(name="n", actions=(Action.ORDERS,)), by=None)
    before = asyncio.create_task(keys.holder(text))
    await store.has_read.wait()
    await keys.revoke(made.id, by=None)
    store.go.set()
    await before
    assert await keys.holder(text) is None


async def test_a_shop_may_send_orders_by_kafka_while_it_may_by_http(database: Database) -> None:
    shops, keys = known_shops(database), Keys(database, PostgresKeys(), {}, cache_s=1)

    async def may_send(shop: str) -> bool:
        await shops.refresh()
        return shops.may_send_orders(shop)

    async def issue(shop: str, action: Action) -> str:
        _, made = await keys.issue(shop, KeyRequest(name="n", actions=(action,)), by=None)
        return made.id

    assert not await may_send("corner")
    key_id = await issue("corner", Action.ORDERS)
    assert await may_send("corner")
    _, new = await keys.rotate(key_id, timedelta(0), by=None)
    assert await may_send("corner")
    await keys.revoke(new.id, by=None)
    assert not await may_send("corner")
    await issue("window", Action.SHOPS)
    assert not await may_send("window")
    assert not await may_send("shop"), "which has settings, and no key"

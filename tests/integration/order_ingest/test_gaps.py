"""A shop that loses a tenth of its webhooks: what is missing is told, found, and taken once."""

import asyncio
import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from fastapi.responses import JSONResponse, Response
from pydantic import SecretStr
from tests.integration.order_ingest.replica import Replica, replica
from tests.integration.order_ingest.shop_server import KEY, TOKEN, ShopServer, serving
from tests.support import read_messages, until
from tests.unit.order_ingest.channels.sample import SECRET, settings
from tests.unit.order_ingest.sample import SEAL

from order_ingest.domain.channels import CHANNELS, ShopApi, ShopSettings
from order_ingest.domain.findings import Refused
from order_ingest.domain.gaps import HOURS
from order_ingest.handlers import Catcher, Gap, Gaps, Polls, Shops
from order_ingest.store import (
    PostgresFeedBook,
    PostgresGaps,
    PostgresKeys,
    PostgresPollBook,
    PostgresShopBook,
)
from order_ingest.stream import LEASE, Poller
from restock_common.contracts.ledger import OrderAmended, OrderCancelled, OrderPlaced
from restock_common.contracts.topics import LEDGER
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings

pytestmark = pytest.mark.kafka

SIGNED = {
    "shopify": ("x-shopify-hmac-sha256", "x-shopify-topic"),
    "woocommerce": ("x-wc-webhook-signature", "x-wc-webhook-topic"),
}
AT_ONCE = timedelta()


def told(shop: ShopServer, **changes: Any) -> ShopSettings:
    api = ShopApi(url=shop.url, key=SecretStr(KEY), secret=SecretStr(TOKEN), every_s=60)
    given = {"contiguous_numbers": True, "locations": {}, "api": api, **changes}
    return settings(shop.channel, **given)


async def configured(one: Replica, name: str, shop: ShopServer, **changes: Any) -> None:
    """Put a shop's settings, and let its webhooks come to a replica."""
    await one.shops.put(name, told(shop, **changes))
    await one.shops.put_skus(name, {"43729077": "milk", "23": "milk"})
    signature, topic_header = SIGNED[shop.channel]

    async def send(topic: str, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        signed = base64.b64encode(hmac.digest(SECRET.encode(), raw, sha256)).decode()
        headers = {signature: signed, topic_header: topic}
        await one.webhooks.deliver(name, headers, raw, datetime.now(UTC))

    shop.tells(send)


def poller(one: Replica, overlap: timedelta = timedelta(minutes=10)) -> Poller:
    polls = Polls(one.database, PostgresPollBook(), LEASE)
    catcher = Catcher(one.webhooks, one.feeds)
    return Poller(polls, one.shops, catcher, one.feeds, overlap=overlap, allow_private=True)


async def due(database: Database) -> None:
    """Let every shop be due that has been read before."""
    async with database.connection() as connection:
        await connection.execute("UPDATE polls SET due_at = now()")


async def read(*pollers: Poller, database: Database) -> None:
    """Run pollers until they have read all shops that are due."""
    for one in pollers:
        await one.start()
    await until(lambda: all_read(database), what="all shops are read")
    for one in pollers:
        await one.stop()


async def all_read(database: Database) -> bool:
    async with database.connection() as connection:
        waiting: int = await connection.fetchval(
            "SELECT count(*) FROM shops LEFT JOIN polls USING (shop)"
            " WHERE settings->'api' IS NOT NULL"
            " AND (due_at IS NULL OR due_at <= now() OR lease IS NOT NULL)"
        )
    return waiting == 0


async def read_again(one: Replica, *, overlap: timedelta = timedelta(minutes=10)) -> None:
    await due(one.database)
    await read(poller(one, overlap), database=one.database)


async def gap_of(one: Replica, shop: str) -> Gap:
    await one.feeds.write()
    [gap] = await Gaps(one.database, PostgresGaps()).of(shop)
    return gap


def numbers(gap: Gap) -> list[int]:
    return [n for hole in gap.missing for n in range(hole.first, hole.last + 1)]


async def events(kafka: KafkaSettings, shop: str, kind: type[Any]) -> list[tuple[str, str]]:
    """Return the id and content of each record on the ledger's topic, repeats and all."""
    return [
        (one.id, one.event.model_dump_json())
        for one in await read_messages(kafka, LEDGER)
        if isinstance(one.event, kind) and one.event.order.startswith(f"{shop}:")
    ]


@pytest.mark.parametrize("channel", list(SIGNED))
async def test_in_the_end_every_order_of_the_shop_is_in_the_ledgers_topic_once(
    channel: str, kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    name, shop = f"{channel}-once", ShopServer(channel)
    replicas = [replica(database, producer) for _ in range(2)]
    async with serving(shop):
        await configured(replicas[0], name, shop)
        await shop.sell(1001, lose=False)
        ids = await asyncio.gather(*(shop.sell(n) for n in range(1002, 1060)))
        await shop.sell(1060, lose=False)
        assert len(shop.lost) > 2
        await shop.change(ids[0], 4)
        await shop.change(ids[1], 5, tell=False)

        before = await gap_of(replicas[0], name)
        assert numbers(before) == shop.lost
        assert before.last is not None
        assert (before.last.channel, before.first_number, before.last_number) == (
            channel,
            1001,
            1060,
        )
        await read(*map(poller, replicas), database=database)
        after = await gap_of(replicas[0], name)
        assert (numbers(after), after.found) == ([], len(shop.lost))
        assert after.poll is not None
        assert (after.poll.failures, after.poll.error) == (0, None)
        assert shop.busy > 0

        placed = await events(kafka, name, OrderPlaced)
        assert {json.loads(body)["order"] for _, body in placed} == {
            f"{name}:{one}" for one in shop.orders
        }
        assert len(set(placed)) == len(shop.orders), "a repeat says the same"
        amended = await events(kafka, name, OrderAmended)
        targets = {
            json.loads(body)["order"]: json.loads(body)["lines"][0]["quantity"]
            for _, body in amended
        }
        assert (targets[f"{name}:{ids[0]}"], targets[f"{name}:{ids[1]}"]) == (4, 5)

        await read_again(replicas[1])
        assert await events(kafka, name, OrderPlaced) == placed, "what is known is not said again"
        late = shop.orders[1_000_000 + shop.lost[0]]
        await shop.tell(shop._created, late)
        assert set(await events(kafka, name, OrderPlaced)) == set(placed)
        assert set(await events(kafka, name, OrderAmended)) == set(amended)
        assert (await gap_of(replicas[0], name)).found == len(shop.lost)


@pytest.mark.parametrize("channel", list(SIGNED))
async def test_an_order_that_was_placed_and_called_off_unheard_was_demand(
    channel: str, kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    name, shop = f"{channel}-unheard", ShopServer(channel)
    one = replica(database, producer)
    async with serving(shop):
        await configured(one, name, shop)
        heard, unheard, unmapped = [
            await shop.sell(number, lose=lose)
            for number, lose in ((1, False), (2, True), (3, True))
        ]
        shop.orders[unmapped]["line_items"][0] |= {"sku": "", "variant_id": 9, "product_id": 9}
        for identity in (heard, unheard, unmapped):
            await shop.call_off(identity)
        await read_again(one)
        assert (await gap_of(one, name)).found == 1
        ended = OrderCancelled if channel == "shopify" else OrderAmended
        told = {
            (type(one.event), one.event.order): None
            for one in await read_messages(kafka, LEDGER)
            if isinstance(one.event, OrderPlaced | OrderCancelled | OrderAmended)
            and one.event.order.startswith(f"{name}:")
        }
        assert sorted(told, key=lambda entry: entry[1]) == [
            (kind, f"{name}:{identity}")
            for identity in (heard, unheard)
            for kind in (OrderPlaced, ended)
        ]
        async with database.connection() as connection:
            waiting = await connection.fetch("SELECT subject FROM waiting WHERE shop = $1", name)
        still = [f"{name}:{unmapped}"] if channel == "shopify" else []
        assert [row["subject"] for row in waiting] == still


async def test_two_pollers_that_read_one_shop_at_once_have_one_effect(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    """A lease that has ended does not end what its holder is doing."""
    shop = ShopServer("shopify")
    replicas = [replica(database, producer) for _ in range(2)]
    async with serving(shop):
        await configured(replicas[0], "both", shop)
        for number in range(1, 30):
            await shop.sell(number, lose=True)
        catchers = [Catcher(one.webhooks, one.feeds) for one in replicas]
        channel = CHANNELS["shopify"]
        raws = [json.dumps(one).encode() for one in shop.orders.values()]
        headers = {"x-shopify-topic": "orders/updated"}
        await asyncio.gather(*(one.take("both", channel, headers, raws) for one in catchers))
        for kind in (OrderPlaced, OrderAmended):
            found = await events(kafka, "both", kind)
            assert len(set(found)) == len({one for one, _ in found}) == len(shop.orders)


async def test_a_number_that_the_shop_does_not_have_is_accounted_for(
    database: Database, producer: Producer
) -> None:
    one, shop = replica(database, producer), ShopServer("shopify")
    async with serving(shop):
        await configured(one, "holes", shop)
        for number in (1, 2, 3, 4):
            identity = await shop.sell(number, lose=number in {2, 3})
            if number == 3:
                del shop.orders[identity]
        assert numbers(await gap_of(one, "holes")) == [2, 3]
        await read_again(one)
        assert numbers(await gap_of(one, "holes")) == [3], "it may still be written down"
        await read_again(one, overlap=AT_ONCE)
        gap = await gap_of(one, "holes")
        assert (numbers(gap), [(hole.first, hole.last) for hole in gap.not_in_shop]) == (
            [],
            [(3, 3)],
        )
        await one.shops.put("holes", told(shop, contiguous_numbers=False))
        gap = await gap_of(one, "holes")
        assert (gap.first_number, gap.not_in_shop) == (None, ())
        assert await Gaps(database, PostgresGaps()).of("nobody") == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (JSONResponse({}, 401), "401 Unauthorized"),
        (JSONResponse({}, 404), "404 Not Found"),
        (JSONResponse({}, 500), "500 Internal Server Error"),
        (JSONResponse({}, 429, {"Retry-After": "120"}), "429 Too Many Requests"),
        (Response(status_code=301, headers={"Location": "/"}), "301 Moved Permanently"),
        (Response(b"<html>sorry</html>"), "the answer is not JSON"),
        (JSONResponse({"orders": [1]}), "orders is not a list of objects"),
    ],
)
async def test_one_shop_that_cannot_be_read_keeps_no_other_waiting(
    answer: Response, reason: str, database: Database, producer: Producer
) -> None:
    one, broken, well = replica(database, producer), ShopServer("shopify"), ShopServer("shopify")
    async with serving(broken, well):
        await configured(one, "broken", broken)
        await configured(one, "well", well)
        broken.broken = answer
        await broken.sell(7, lose=True)
        await well.sell(7, lose=True)
        for failures in (1, 2):
            await read_again(one)
            gap = await gap_of(one, "broken")
            assert gap.poll is not None
            assert reason in (gap.poll.error or "")
            assert gap.poll.failures == failures
            assert gap.poll.failing_since is not None
            assert gap.poll.due_at - datetime.now(UTC) > failures * timedelta(seconds=50)
        assert ((await gap_of(one, "well")).found, gap.found) == (1, 0)

        broken.broken = None
        await one.shops.put("broken", told(broken))  # by which it is due at once
        await read(poller(one), database=database)
        gap = await gap_of(one, "broken")
        assert gap.poll is not None
        assert (gap.found, gap.poll.failures, gap.poll.error) == (1, 0, None)


async def test_a_refund_whose_lines_no_webhook_tells_is_fetched(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    one, shop = replica(database, producer), ShopServer("woocommerce")
    async with serving(shop):
        await configured(one, "refunds", shop)
        identity = await shop.sell(1, lose=False)
        shop.orders[identity]["refunds"] = [{"id": 8, "reason": "", "total": "-9.95"}]
        await shop.change(identity, 2)
        await one.shops.ask("refunds", "424242", "an order that was deleted meanwhile")
        assert (await gap_of(one, "refunds")).to_fetch == 2
        await read_again(one)
        assert (await gap_of(one, "refunds")).to_fetch == 0
        [(_, body)] = await events(kafka, "refunds", OrderAmended)
        assert [line["quantity"] for line in json.loads(body)["lines"]] == [1, 1]
        asked = len(shop.asked)
        await read_again(one)
        assert not any("refunds" in path for path in shop.asked[asked:]), "once is enough"


async def test_a_page_that_slips_away_is_read_again(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    """WooCommerce cuts pages anew: one order less before them, and one is on none of them."""
    one, shop = replica(database, producer), ShopServer("woocommerce")
    async with serving(shop):
        await configured(one, "slips", shop)
        for number in range(1, 20):
            await shop.sell(number, lose=True)

        class Deletes(Catcher):
            async def take(self, *args: Any) -> None:
                await super().take(*args)
                shop.orders.pop(1_000_001, None)

        polls = Polls(database, PostgresPollBook(), LEASE)
        catcher = Deletes(one.webhooks, one.feeds)
        reader = Poller(polls, one.shops, catcher, one.feeds, overlap=AT_ONCE, allow_private=True)
        await read(reader, database=database)
        placed = {
            json.loads(body)["order"] for _, body in await events(kafka, "slips", OrderPlaced)
        }
        assert placed == {f"slips:{1_000_000 + number}" for number in range(1, 20)}


async def test_a_shop_that_falls_silent_is_told_and_heard_again(
    database: Database, producer: Producer
) -> None:
    one, shop = replica(database, producer), ShopServer("shopify")
    book = PostgresFeedBook()
    async with serving(shop):
        await configured(one, "quiet", shop)
        await shop.sell(1, lose=False)
        assert (await gap_of(one, "quiet")).silent_since is None
        async with database.connection() as connection:
            await connection.execute(
                "UPDATE feeds SET received_at = now() - interval '1 day', rhythm_orders = $1,"
                " rhythm_hours = $2",
                [20.0] * HOURS,
                [4.0] * HOURS,
            )
        for wanted in ({"quiet": True}, {}):
            async with database.transaction() as connection:
                assert await book.assess(connection, 0.001) == wanted
        gap = await gap_of(one, "quiet")
        assert gap.silent_since is not None
        async with database.connection() as connection:
            assert (await book.totals(connection)).silent == 1
        await read_again(one)
        assert (await gap_of(one, "quiet")).silent_since is not None, "to be read is not to speak"
        await shop.sell(2, lose=False)
        assert (await gap_of(one, "quiet")).silent_since is None


async def test_credentials_are_sealed(database: Database) -> None:
    shop = ShopServer("woocommerce")
    shop.url = "https://shop.example"
    one = PostgresShopBook(SEAL)
    async with database.transaction() as connection:
        await one.put(connection, "sealed", told(shop))
        row = await connection.fetchrow("SELECT * FROM shops WHERE shop = 'sealed'")
        assert row is not None
        for secret in (KEY, TOKEN, SECRET):
            assert secret not in row["settings"]
            assert secret.encode() not in row["secrets"]
        assert await one.find(connection, "sealed") == told(shop)


@pytest.mark.parametrize(
    ("channel", "url", "field"),
    [
        ("shopify", "http://shop.example", "api.url"),
        ("shopify", "https://127.0.0.1", "api.url"),
        ("shopify", "https://shop.example/?x=1", "api.url"),
        ("shopify", "https://user:word@shop.example", "api.url"),
        ("saleor", "https://shop.example", "api"),
    ],
)
async def test_where_a_shop_cannot_be_read(
    channel: str, url: str, field: str, database: Database, producer: Producer
) -> None:
    shops = Shops(database, PostgresShopBook(SEAL), PostgresKeys())
    api = ShopApi(url=url, secret=SecretStr(TOKEN))
    with pytest.raises(Refused) as refused:
        await shops.put("tea", settings(channel, api=api))
    assert [found.field for found in refused.value.findings] == [field]

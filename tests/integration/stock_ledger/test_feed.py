"""The live feed over HTTP: on a process of its own, beside a writer.

The tests of a file share one log, so what one of them counts is in the books of the next ones.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger
from tests.integration.stock_ledger.processes import Running, running
from tests.support import publish, until
from tests.unit.stock_ledger.building import counted, order, sourcing
from tests.unit.stock_ledger.levels import level, told

from restock_common.settings import KafkaSettings
from stock_ledger.domain.feed import Interest
from stock_ledger.store.levels import PostgresLevels

pytestmark = pytest.mark.kafka

Place = tuple[str, str]


class Client:
    """Reads the feed and keeps all that it is told, in order."""

    def __init__(self) -> None:
        self.levels: list[dict[str, Any]] = []
        self.comments: list[str] = []
        self.ended = asyncio.Event()

    @property
    def last(self) -> dict[Place, dict[str, Any]]:
        return {(one["sku"], one["location"]): one for one in self.levels}

    def on_hand(self) -> dict[Place, int]:
        return {place: one["on_hand"] for place, one in self.last.items()}

    def never_goes_back(self) -> bool:
        last: dict[Place, tuple[int, int]] = {}
        for one in self.levels:
            place = one["sku"], one["location"]
            position = one["position"]["incarnation"], one["position"]["sequence"]
            if place in last and position < last[place]:
                return False
            last[place] = position
        return True

    async def read(self, answer: httpx.Response) -> None:
        event: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line.startswith(":"):
                self.comments.append(line[2:])
            elif line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif "data" in event:
                assert event["event"] == "level"
                self.levels.append(json.loads(event["data"]))
                position = self.levels[-1]["position"]
                assert event["id"] == "{shard}-{incarnation}-{sequence}".format(**position)
                event = {}
        self.ended.set()

    async def complete(self) -> None:
        async def shown() -> bool:
            return "the snapshot is complete" in self.comments

        await until(shown, what="the snapshot is complete")

    async def knows(self, wanted: dict[Place, int], what: str) -> None:
        """Wait until it has been told this, whatever it was told of others."""

        async def known() -> bool:
            found = self.on_hand()
            return all(found.get(place) == units for place, units in wanted.items())

        await until(known, what=what)


@asynccontextmanager
async def client(reader: Running, **query: Any) -> AsyncIterator[Client]:
    made = Client()
    async with reader.door.stream("GET", "/v1/availability/stream", params=query) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        reading = asyncio.create_task(made.read(answer))
        try:
            yield made
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@pytest.fixture
async def writer(kafka: KafkaSettings, database_url: str) -> AsyncIterator[Ledger]:
    async with open_ledger(kafka, database_url) as ledger:
        await ledger.stream.start()
        await ledger.ready()
        yield ledger


@pytest.fixture
async def reader(
    writer: Ledger, kafka: KafkaSettings, database_url: str, tmp_path: Path
) -> AsyncIterator[Running]:
    async with running(kafka, database_url, tmp_path, ADMIN_KEY="", FEED_HEARTBEAT_S="0.2") as made:
        yield made


async def test_the_present_levels_and_then_each_change_of_what_was_named(
    writer: Ledger, reader: Running
) -> None:
    await writer.send(
        0, counted("1", "n1", ("tea", 5), ("milk", 1)), counted("2", "n2", ("tea", 2))
    )
    await writer.send(1, counted("3", "s1", ("tea", 9), pool="south"))
    await writer.quiet()
    async with (
        client(reader, sku=["tea", "unknown"], pool="north") as tea,
        client(reader, location="n1") as n1,
        client(reader) as everything,
    ):
        await tea.complete()
        assert tea.on_hand() == {("tea", "n1"): 5, ("tea", "n2"): 2}
        await n1.complete()
        assert n1.on_hand() == {("tea", "n1"): 5, ("milk", "n1"): 1}
        await everything.complete()
        assert everything.on_hand() == {**n1.on_hand(), ("tea", "n2"): 2, ("tea", "s1"): 9}

        await writer.send(0, counted("4", "n1", ("tea", 4), ("milk", 0)))
        await writer.send(1, counted("5", "s1", ("bread", 7), pool="south"))
        await tea.knows({("tea", "n1"): 4, ("tea", "n2"): 2}, "tea's change")
        await n1.knows({("tea", "n1"): 4, ("milk", "n1"): 0}, "what changed at n1")
        await everything.knows(
            {**n1.on_hand(), ("tea", "n2"): 2, ("tea", "s1"): 9, ("bread", "s1"): 7}, "all of it"
        )
        assert len(tea.levels) == 3
        last = tea.levels[-1]
        assert (last["pool"], last["available"], last["reserved"]) == ("north", 4, 0)
        assert last["position"]["shard"] == 0

        async def silent() -> bool:
            return "heartbeat" in tea.comments

        await until(silent, what="a heartbeat")


async def test_clients_that_come_while_orders_flow_miss_nothing_and_see_nothing_older(
    writer: Ledger, reader: Running
) -> None:
    skus = [f"sku{n:03}" for n in range(60)]
    pools = (sourcing("north", ["n1", "n2"]), sourcing("south", ["s1"], shard=1))

    async def flow() -> None:
        for n in range(40):
            stock = [(sku, n + 5) for sku in skus[n % 3 :: 3]]
            await writer.send(1, counted(f"south {n}", "s1", *stock, pool="south"))
            orders = [
                order(f"order {n}/{m}", (skus[(n + 7 * m) % 60], 2), pools=pools) for m in range(20)
            ]
            await writer.send(0, counted(f"north {n}", "n1", *stock), *orders)

    flowing = asyncio.create_task(flow())
    async with (
        client(reader) as early,
        client(reader, sku=skus[:20]) as named,
    ):
        await early.complete()
        async with client(reader) as late:
            assert not flowing.done(), "orders flow while it comes"
            await flowing
            await writer.quiet()
            books = {(row["sku"], row["location"]): row for row in await writer.queries.stock(skus)}
            assert sum(row["reserved"] for row in books.values())
            for one in (early, late, named):

                async def told(one: Client = one) -> bool:
                    wanted = skus[:20] if one is named else skus
                    return all(
                        one.last.get(place, {}).get(name) == row[name]
                        for place, row in books.items()
                        if place[0] in wanted
                        for name in ("on_hand", "reserved", "backordered", "available")
                    )

                await until(told, what="it is told what is in the books")
                assert one.never_goes_back()
    assert {one["sku"] for one in named.levels} == set(skus[:20])
    assert len(early.levels) > len(books), "it was told changes too"


async def test_a_large_snapshot_comes_in_pages_by_code_points(writer: Ledger) -> None:
    skus = [
        "Zoo",
        "apple",
        "\u00e4pfel",
        "apple pie",
        "\u00c4pfel",
        "zoo",
        "\U0001f34f",
        "a",
        "a-b",
        "aB",
    ]
    await writer.send(0, counted("pages", "p1", *((sku, 1) for sku in skus), pool="paged"))
    await writer.send(0, counted("pages2", "p2", *((sku, 2) for sku in skus[:3]), pool="paged"))
    await writer.quiet()
    levels = PostgresLevels(writer.database)
    interest = Interest.of([], [], ["paged"])
    found: list[tuple[str, str]] = []
    after = None
    while True:
        page = await levels.page(interest, after, skus=3)
        found += [known.place for known in page.levels]
        after = page.until
        if after is None:
            break
        assert {sku for sku, _ in found} == set(sorted(skus)[: len({sku for sku, _ in found})])
    assert sorted(found) == sorted([*((s, "p1") for s in skus), *((s, "p2") for s in skus[:3])])


async def test_who_comes_back_begins_with_the_present_levels(
    writer: Ledger, reader: Running
) -> None:
    await writer.send(0, counted("a", "n1", ("cup", 5), ("jar", 1)))
    await writer.quiet()
    async with client(reader, sku="cup") as first:
        await first.complete()
    await writer.send(0, counted("b", "n1", ("cup", 3)))
    await writer.quiet()
    last = "{shard}-{incarnation}-{sequence}".format(**first.levels[-1]["position"])
    reader.door.headers["Last-Event-ID"] = last
    async with client(reader, sku="cup") as again:
        await again.knows({("cup", "n1"): 3}, "what changed while it was away")
        await writer.send(0, counted("c", "n1", ("cup", 2)))
        await again.knows({("cup", "n1"): 2}, "and what changes now")


async def test_what_is_published_again_is_not_told_again(
    kafka: KafkaSettings, reader: Running
) -> None:
    changes = [told(level("pen", n), n, shard=3) for n in range(1, 6)]
    async with client(reader, sku=["pen", "ink"]) as one:
        await one.complete()
        for change in changes:
            await publish(kafka, [change])
            await one.knows({("pen", "n1"): change.event.on_hand}, "each change")
        await publish(kafka, [*changes[2:4], told(level("ink", 1), 6, shard=3)])
        await one.knows({("ink", "n1"): 1}, "what comes after the repetition")
        assert [found["on_hand"] for found in one.levels] == [1, 2, 3, 4, 5, 1]


async def test_a_slow_client_holds_up_nobody_and_is_told_the_latest_in_the_end(
    kafka: KafkaSettings, reader: Running
) -> None:
    """More is published than the sockets of a client that does not read can hold."""
    skus, rounds = 50, 800
    address = reader.door.base_url.host, reader.door.base_url.port
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, address)
    await loop.sock_sendall(slow, b"GET /v1/availability/stream HTTP/1.1\r\nHost: ledger\r\n\r\n")
    async with client(reader) as quick:
        await quick.complete()

        async def both() -> bool:
            return await reader.metric("restock_feed_clients") == 2

        await until(both, what="both listen")
        changes = [
            told(level(f"slow{n % skus}", n), n, shard=2) for n in range(1, skus * rounds + 1)
        ]
        latest = {(f"slow{n % skus}", "n1"): n for n in range(1, skus * rounds + 1)}
        await publish(kafka, changes)
        await quick.knows(latest, "the quick client has all")
        assert await reader.metric('restock_feed_levels_total{outcome="coalesced"}') > 0

        received = b""
        last = latest["slow0", "n1"]
        wanted = [f'"sku":"slow{n % skus}"'.encode() for n in range(skus)]
        async with asyncio.timeout(60):
            while not all(
                (at := received.rfind(sku)) >= 0
                and b'"on_hand":%d,' % latest[sku.split(b'"')[3].decode(), "n1"]
                in received[at : at + 200]
                for sku in wanted
            ):
                received += await loop.sock_recv(slow, 1 << 20)
        assert last == skus * rounds
        assert received.count(b"event: level") < len(changes)
    slow.close()

    async def nobody() -> bool:
        return await reader.metric("restock_feed_clients") == 0

    await until(nobody, what="both have left")


async def test_at_the_end_every_client_is_let_go(writer: Ledger, reader: Running) -> None:
    async with client(reader) as one, client(reader, sku="tea") as other:
        await one.complete()
        await other.complete()
        assert await reader.end() == 0, reader.log.read_text()
        await asyncio.wait_for(asyncio.gather(one.ended.wait(), other.ended.wait()), 10)


async def test_more_clients_than_it_takes_are_turned_away(
    kafka: KafkaSettings, database_url: str, tmp_path: Path
) -> None:
    async with (
        running(kafka, database_url, tmp_path, FEED_CLIENTS_MAX="1") as reader,
        client(reader) as one,
    ):
        await one.complete()
        refused = await reader.door.get("/v1/availability/stream")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        named = await reader.door.get("/v1/availability/stream", params={"sku": "\x00"})
        assert named.status_code == 422


async def test_a_writer_answers_no_look_ups_and_a_reader_writes_no_books(
    kafka: KafkaSettings, database_url: str, tmp_path: Path
) -> None:
    async with (
        running(kafka, database_url, tmp_path, ROLE="writer") as writer,
        running(kafka, database_url, tmp_path, ADMIN_KEY="") as reader,
    ):
        for path in ("/v1/stock/tea", "/v1/availability/stream", "/v1/webhooks"):
            assert (await writer.door.get(path)).status_code == 404
        assert (await reader.door.get("/v1/stock/tea")).is_success
        read = (await reader.door.get("/v1/progress")).json()["offsets"]
        assert set(read) == {"restock.catalogue.v1"}
        assert set((await writer.door.get("/v1/progress")).json()["offsets"]) == {
            "restock.ledger.v1"
        }

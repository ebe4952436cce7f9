"""The door itself, where the world behind it is slow or gone."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from tests.integration.order_ingest.doors import Read, door
from tests.support import read_messages
from tests.unit.order_ingest.sample import CHICAGO, NOW, SEAL, request

from order_ingest.domain.findings import Refused
from order_ingest.domain.requests import (
    AmendmentRequest,
    CancelRequest,
    HoldRequest,
    TransferRequest,
    TransferShipmentRequest,
)
from order_ingest.domain.waiting import Command, command_on_order
from order_ingest.handlers import Accepted, DeviceMessage
from order_ingest.store import PostgresSpool, PostgresWaitingRoom
from restock_common.contracts.catalogue import Product
from restock_common.contracts.ledger import (
    CartHeld,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    TransferOrdered,
    TransferShipped,
)
from restock_common.contracts.topics import CATALOGUE, DEAD_LETTERS, LEDGER, STOCK, Topic
from restock_common.errors import Permanent, Transient
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.sealing import Seal
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, open_letter
from restock_local.letterbox import HttpRequest, Letter

pytestmark = pytest.mark.kafka


async def test_what_cannot_be_remembered_is_not_published(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    shut = door(database, producer)
    await database.close()
    with pytest.raises(Transient, match="PostgreSQL"):
        await shut.orders.place("shop", [request(order="unremembered")])
    events = [one.event for one in await read_messages(kafka, LEDGER)]
    assert "shop:unremembered" not in {one.order for one in events if isinstance(one, OrderPlaced)}


async def test_of_many_at_once_one_content_wins_and_all_its_repeats_agree(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    """Two doors on one book, as two replicas have: 40 senders, two contents."""
    doors = [door(database, producer) for _ in range(2)]
    answers = await asyncio.gather(
        *(
            doors[n % 2].orders.place("shop", [request(order="race", customer=f"c{n // 2 % 2}")])
            for n in range(40)
        )
    )
    accepted = [one for [one] in answers if isinstance(one, Accepted)]
    assert len(accepted) == 20
    assert len(set(accepted)) == 1
    events = [
        one.event
        for one in await read_messages(kafka, LEDGER)
        if isinstance(one.event, OrderPlaced) and one.event.order == "shop:race"
    ]
    assert len(events) == 20
    assert len({event.model_dump_json() for event in events}) == 1


async def test_batches_with_the_same_orders_in_other_sequence_do_not_deadlock(
    database: Database, producer: Producer
) -> None:
    requests = [request(order=f"n{n}") for n in range(50)]
    doors = [door(database, producer) for _ in range(4)]
    answers = await asyncio.gather(
        *(
            one.orders.place("shop", requests if n % 2 else requests[::-1])
            for n, one in enumerate(doors)
        )
    )
    assert all(isinstance(one, Accepted) for batch in answers for one in batch)


async def test_many_carts_at_once_have_one_time_each(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    """Two doors on one register: a cart is as it was first taken, whoever answers."""
    doors = [door(database, producer) for _ in range(2)]
    asked = {
        "destination": CHICAGO,
        "lines": [{"sku": "tea", "quantity": 1}],
        "ttl_s": 60,
    }
    answers = await asyncio.gather(
        *(
            doors[n % 2].holds.hold(
                "shop", HoldRequest.model_validate({"hold": f"many-{n % 5}", **asked})
            )
            for n in range(40)
        )
    )
    assert len(set(answers)) == 5
    events = [one.event for one in await read_messages(kafka, LEDGER)]
    held = [one for one in events if isinstance(one, CartHeld) and "many-" in one.hold]
    assert len(held) == 40
    assert len({one.model_dump_json() for one in held}) == 5


class Behind(Read):
    """Master data of which the last has been told and not been read."""

    unread = Product(sku="newest", supplier="acme")

    async def read_to_now(self) -> None:
        """Read it."""
        self.catalogue.apply(self.unread)


NEWEST = [{"sku": "newest", "quantity": 1}]


async def test_what_is_not_known_is_looked_for_before_it_is_refused(
    database: Database, producer: Producer
) -> None:
    behind = door(database, producer, master_data=Behind())
    good, wrong = request(order="new", lines=NEWEST), [{"sku": "nothing", "quantity": 1}]
    accepted, refused = await behind.orders.place("shop", [good, request(order="x", lines=wrong)])
    assert isinstance(accepted, Accepted)
    assert isinstance(refused, Refused)
    behind = door(database, producer, master_data=Behind())
    amended = AmendmentRequest.model_validate(
        {"revision": 1, "lines": [{"line": "1", **NEWEST[0]}]}
    )
    assert not (await behind.orders.amend("shop", "new", amended)).waiting


async def test_what_may_wait_in_the_spool_is_not_refused_for_good(
    database: Database, producer: Producer
) -> None:
    behind = door(database, producer)
    spool = PostgresSpool(database)
    asked = request(order="spooled", lines=NEWEST)
    hopeless = request(order="spooled", lines=NEWEST, placed_at="1970-01-01T00:00:00Z")
    await spool.add([Outgoing(LEDGER.name, 0, None, [("ce_id", b"1")], b"old")], doubting=False)
    with pytest.raises(Transient, match="may wait in the spool"):
        await behind.orders.place("shop", [asked])
    [refused] = await behind.orders.place("shop", [hopeless])
    assert isinstance(refused, Refused), "it would be refused whatever comes"
    head = await spool.claim()
    assert head is not None
    await spool.remove(head, settled=True)
    [refused] = await behind.orders.place("shop", [asked])
    assert isinstance(refused, Refused)


class Failing(Producer):
    """Fails to write master data, or to list it."""

    def __init__(self, kafka: KafkaSettings, topic: Topic) -> None:
        super().__init__(kafka)
        self.topic = topic

    async def publish(
        self, entries: Sequence[Outgoing], *, acknowledged: Callable[[], object] = lambda: None
    ) -> None:
        if any(entry.topic == self.topic.name for entry in entries):
            raise Transient("Kafka is away")
        await super().publish(entries, acknowledged=acknowledged)


@pytest.mark.parametrize("away", [LEDGER, CATALOGUE])
async def test_what_the_ledger_was_not_told_of_is_not_in_the_catalogue(
    kafka: KafkaSettings, database: Database, away: Topic
) -> None:
    """Whichever of the two fails: nobody can order it, and the same again writes it."""
    failing = Failing(kafka, away)
    await failing.start()
    shut = door(database, failing)
    sku = f"new-{away.name}"
    product = Product(sku=sku, supplier="acme")
    with pytest.raises(Transient, match="away"):
        await shut.entities.put([product])
    assert sku not in shut.known().catalogue.products
    written = {one.event.key for one in await read_messages(kafka, CATALOGUE)}
    assert product.key not in written
    failing.topic = STOCK
    await shut.entities.put([product])
    assert shut.known().catalogue.products[sku] == product
    await failing.stop()


async def test_what_was_never_published_comes_before_what_changes_it(
    kafka: KafkaSettings, database: Database
) -> None:
    """However long ago it was written in the book: the ledger refuses what it does not know."""
    failing = Failing(kafka, LEDGER)
    await failing.start()
    shut = door(database, failing)
    lost = TransferRequest.model_validate(
        {
            "transfer": "lost",
            "source": "n1",
            "target": "s1",
            "ordered_at": "2017-01-02T08:00:00Z",
            "lines": [{"line": "1", "sku": "tea", "quantity": 1}],
        }
    )
    with pytest.raises(Transient, match="away"):
        await shut.orders.place("shop", [request(order="lost")])
    with pytest.raises(Transient, match="away"):
        await shut.transfers.order(lost)
    async with database.connection() as connection:
        await connection.execute("UPDATE orders SET recorded_at = now() - interval '1 year'")
    failing.topic = STOCK
    lines = [{"line": "1", "sku": "tea", "quantity": 3}]
    amendment = AmendmentRequest.model_validate({"revision": 1, "lines": lines})
    await shut.orders.amend("shop", "lost", amendment)
    shipped = {"shipment": "1", "shipped_at": "2017-01-02T09:00:00Z", "lines": lines}
    await shut.transfers.ship("lost", TransferShipmentRequest.model_validate(shipped))
    events = [one.event for one in await read_messages(kafka, LEDGER)]
    of_order = [one for one in events if getattr(one, "order", None) == "shop:lost"]
    of_transfer = [one for one in events if getattr(one, "transfer", None) == "lost"]
    assert [type(one) for one in of_order] == [OrderPlaced, OrderAmended]
    assert [type(one) for one in of_transfer] == [TransferOrdered, TransferShipped]
    await failing.stop()


async def test_what_nothing_comes_for_is_given_up(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    one = door(database, producer)
    accepted = await one.orders.cancel("shop", "never-placed", CancelRequest())
    assert accepted.waiting
    await one.give_up_waiting(timedelta(days=1))
    await one.deliver_waiting()
    assert await read_messages(kafka, DEAD_LETTERS) == []
    await one.give_up_waiting(timedelta(0))
    await one.give_up_waiting(timedelta(0))
    [letter] = [message.event for message in await read_messages(kafka, DEAD_LETTERS)]
    assert letter.field == "order"
    held = open_letter(letter, SEAL)
    assert held is not None
    assert "'shop:never-placed' has not been placed here: given up" in held.reason
    assert Letter("id", NOW, letter, held).request == HttpRequest(
        "shop",
        "POST",
        "/v1/orders/shop:never-placed/cancel",
        {"Content-Type": "application/json"},
    )


async def test_what_cannot_be_read_holds_nothing_up_that_waits_behind_it(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    """Sealed with a master key that is not given any more, and more than is looked at in one go."""
    one, lost = door(database, producer), PostgresWaitingRoom(Seal({"lost": bytes(32)}))
    many = [f"a{number:03}" for number in range(501)]
    await one.orders.place("shop", [request(order=name) for name in (*many, "z")])

    def calls_off(name: str) -> Command:
        return command_on_order("shop", f"shop:{name}", CancelRequest(), NOW)

    async with database.connection() as connection:
        await lost.add(connection, [calls_off(name) for name in many])
        await lost.add(connection, [calls_off(f"never-{name}") for name in many])
        await PostgresWaitingRoom(SEAL).add(connection, [calls_off("z"), calls_off("never-z")])
    await one.deliver_waiting()
    cancelled = [
        message.event.order
        for message in await read_messages(kafka, LEDGER)
        if isinstance(message.event, OrderCancelled)
    ]
    assert cancelled == ["shop:z"]
    await one.give_up_waiting(timedelta(0))
    async with database.connection() as connection:
        waiting = await connection.fetch("SELECT subject FROM waiting WHERE subject LIKE '%z'")
    assert waiting == []


async def test_what_a_device_nests_too_deep_is_set_aside_unparsed(
    database: Database, producer: Producer
) -> None:
    deep = DeviceMessage("restock/n1/scanner/scans", b'{"scan": ' + b"[" * 100)
    answer = await door(database, producer).devices.take(deep)
    assert isinstance(answer, Permanent)
    assert "nested deeper than 32" in answer.reason

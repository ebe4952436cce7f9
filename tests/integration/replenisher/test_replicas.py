"""Two members of the group: stock and forecasts of one sku may come to different ones."""

from random import Random

from tests.integration.replenisher.harness import (
    DAY,
    MIDNIGHT,
    READ,
    advance,
    forecast,
    level,
    placed,
    receipt,
    running,
    sell,
)
from tests.support import publish, until

from restock_common.contracts.event import Event
from restock_common.kafka import log_bounds
from restock_common.settings import KafkaSettings

SKUS = [f"sku-{number:02}" for number in range(40)]


async def test_two_members_make_one_review_and_count_every_receipt_once(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", SKUS)
    async with running(topics, database_url) as one, running(topics, database_url) as other:

        async def shared() -> bool:
            return bool(one.stream.owned and other.stream.owned) and (
                len(one.stream.owned | other.stream.owned) == len(READ)
            )

        async def quiet() -> bool:
            offsets: dict[tuple[str, int], int] = {}
            for member in (one, other):
                stream = await member.stream.progress()
                if stream.unpublished or (await member.reviewer.progress()).pending:
                    return False
                for partition in member.stream.owned:
                    offset = stream.offsets[partition.topic][partition.number]
                    offsets[partition.topic, partition.number] = offset
            ends = await log_bounds(topics, READ)
            return all(
                offsets.get((partition.topic, partition.number)) == end
                for partition, (_, end) in ends.items()
            )

        await until(shared, what="both members have partitions")
        news: list[Event] = [level(sku, 1) for sku in SKUS]
        news += [forecast(sku, 2) for sku in SKUS]
        Random(1).shuffle(news)
        await publish(topics, news)
        await advance(topics, MIDNIGHT)
        await until(quiet, what="both members have taken everything")
        (order,) = await placed(topics)
        assert [line.sku for line in order.lines] == SKUS
        assert {line.reason.on_hand for line in order.lines} == {1}, "no level was lost"

        lines = range(len(SKUS))
        await publish(topics, [receipt(order, n, order.lines[n].quantity) for n in lines])
        await advance(topics, MIDNIGHT + DAY)
        await until(quiet, what="both members have taken the receipts")
        (shown,) = await one.views.purchase_orders(open_only=False, limit=10)
        assert (shown["open_lines"], shown["closed_at"]) == (0, MIDNIGHT + 2 * DAY)
        assert (await one.views.lead_times())["acme"].observations == 1

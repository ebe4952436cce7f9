from tests.support import publish, read_messages

from restock_common.contracts.catalogue import Pool
from restock_common.contracts.topics import CATALOGUE, TOPICS
from restock_common.kafka import log_bounds
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition


async def test_every_topic_is_there_and_empty(kafka: KafkaSettings) -> None:
    partitions = [Partition(t.name, n) for t in TOPICS for n in range(t.partitions)]
    bounds = await log_bounds(kafka, partitions)
    assert len(bounds) == len(partitions)
    assert all(begin == end for begin, end in bounds.values())


async def test_what_is_published_is_read_back(kafka: KafkaSettings) -> None:
    pools = [Pool(pool="north", shard=0), Pool(pool="south", shard=1)]
    await publish(kafka, pools)
    assert [one.event for one in await read_messages(kafka, CATALOGUE)] == pools


async def test_a_database_is_new_and_empty(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    async with database.connection() as connection:
        tables = await connection.fetchval(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        )
    await database.close()
    assert tables == 0

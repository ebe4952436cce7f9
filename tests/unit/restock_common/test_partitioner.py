"""Keys go where Java's clients put them: storefronts and tools write to the same partitions."""

import pytest

from restock_common.contracts.topics import DEMAND, KEYED_PARTITIONS, TOPICS
from restock_common.kafka import partition_of

# From org.apache.kafka.common.utils.UtilsTest#testMurmur2.
JAVA_HASHES = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), JAVA_HASHES.items())
def test_a_key_goes_where_java_puts_it(key: bytes, hashed: int) -> None:
    assert partition_of(DEMAND.name, key) == (hashed & 0x7FFFFFFF) % KEYED_PARTITIONS


def test_every_topic_has_its_partitions() -> None:
    keys = [str(n).encode() for n in range(500)]
    for topic in TOPICS:
        used = {partition_of(topic.name, key) for key in keys}
        assert used == set(range(topic.partitions))


def test_keyed_partition_counts_are_frozen() -> None:
    """Another count would send a key's next event to a partition that never saw it."""
    assert {topic.name: topic.partitions for topic in TOPICS} == {
        "restock.storefront-orders.v1": 4,
        "restock.ledger.v1": 4,
        "restock.sandbox.v1": 4,
        "restock.stock.v1": 4,
        "restock.fulfilment.v1": 4,
        "restock.demand.v1": 4,
        "restock.forecasts.v1": 4,
        "restock.insights.v1": 4,
        "restock.replenishment.v1": 4,
        "restock.dispatch.v1": 4,
        "restock.promotions.v1": 4,
        "restock.catalogue.v1": 1,
        "restock.dead-letters.v1": 1,
    }

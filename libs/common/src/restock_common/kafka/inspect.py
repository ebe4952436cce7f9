"""Looking at a broker as it is: its topics, and how far groups have come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from restock_common.contracts.topics import Topic
from restock_common.errors import Transient
from restock_common.kafka.client import as_tp, client_options, stop_client
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition


@dataclass(frozen=True, slots=True)
class TopicFound:
    """A topic as the broker has it.

    Attributes:
        partitions: How many.
        replicas: Of the partition that has fewest.
        without_leader: Partitions that nobody serves.
        under_replicated: Partitions of which a replica lags or is away.
        config: Its settings, as Kafka spells them; empty where the broker does not tell.
    """

    partitions: int
    replicas: int
    without_leader: int
    under_replicated: int
    config: Mapping[str, str] = field(default_factory=dict)


async def topics_found(settings: KafkaSettings) -> dict[str, TopicFound]:
    """Return the topics that are there. Raises Transient where the broker does not answer."""
    client = AIOKafkaAdminClient(**client_options(settings))
    try:
        await client.start()
        described = await client.describe_topics()
        names = [one["topic"] for one in described]
        configs = await _configs(client, names)
    except KafkaError as error:
        raise Transient(f"Kafka does not answer: {error!r}") from error
    finally:
        await client.close()
    return {one["topic"]: _found(one, configs.get(one["topic"], {})) for one in described}


async def committed_offsets(
    settings: KafkaSettings, group: str, topic: Topic
) -> dict[Partition, int]:
    """Return how far a group says that it has come, without joining it.

    Raises:
        Transient: The broker does not answer.
    """
    client = AIOKafkaConsumer(**client_options(settings), group_id=group, enable_auto_commit=False)
    partitions = [Partition(topic.name, number) for number in range(topic.partitions)]
    try:
        await client.start()
        client.assign([as_tp(partition) for partition in partitions])
        offsets = {one: await client.committed(as_tp(one)) for one in partitions}
    except KafkaError as error:
        raise Transient(f"Kafka does not answer: {error!r}") from error
    finally:
        await stop_client(client)
    return {partition: offset for partition, offset in offsets.items() if offset is not None}


async def _configs(client: Any, names: list[str]) -> dict[str, dict[str, str]]:
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    if not wanted:
        return {}
    answers = await client.describe_configs(wanted)
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if code == 0
    }


def _found(described: Mapping[str, Any], config: Mapping[str, str]) -> TopicFound:
    partitions = described["partitions"]
    return TopicFound(
        partitions=len(partitions),
        replicas=min((len(one["replicas"]) for one in partitions), default=0),
        without_leader=sum(one["leader"] < 0 for one in partitions),
        under_replicated=sum(len(one["isr"]) < len(one["replicas"]) for one in partitions),
        config=config,
    )

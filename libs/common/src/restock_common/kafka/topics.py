"""Declaring topics to the broker, from the one table of topics."""

from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from restock_common.contracts.topics import TOPICS, Topic
from restock_common.errors import Transient
from restock_common.kafka.client import client_options
from restock_common.settings import KafkaSettings


async def create_topics(settings: KafkaSettings, topics: Sequence[Topic] = TOPICS) -> list[str]:
    """Create the topics that are not there yet; return their names."""
    client = AIOKafkaAdminClient(**client_options(settings))
    created = []
    try:
        await client.start()
        existing = set(await client.list_topics())
        wanted = [topic for topic in topics if topic.name not in existing]
        if not wanted:
            return []
        response = await client.create_topics(
            [
                NewTopic(
                    topic.name,
                    topic.partitions,
                    settings.kafka_replication_factor,
                    topic_configs=topic.config(
                        min_insync_replicas=settings.kafka_min_insync_replicas
                    ),
                )
                for topic in wanted
            ]
        )
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise Transient(f"topic {name} could not be created: {error.__name__}")
            created.append(name)
    except KafkaError as error:
        raise Transient(f"Kafka does not answer: {error!r}") from error
    finally:
        await client.close()
    return created


async def delete_topics(settings: KafkaSettings) -> list[str]:
    """Delete every topic except the broker's own; return their names once they are gone.

    Raises:
        Transient: The broker does not answer, or does not let go of a topic; try again.
    """
    client = AIOKafkaAdminClient(**client_options(settings))
    try:
        await client.start()
        names = await _own_topics(client)
        if names:
            await client.delete_topics(names)
        left = await _own_topics(client)
    except KafkaError as error:
        raise Transient(f"Kafka does not answer: {error!r}") from error
    finally:
        await client.close()
    if left:
        raise Transient(f"topics are still there: {', '.join(left)}")
    return names


async def _own_topics(client: Any) -> list[str]:
    return sorted(name for name in await client.list_topics() if not name.startswith("__"))

"""What every event owes its readers: a topic, an order, an explanation."""

import inspect

import pytest
from tests.contracts.examples import EXAMPLES

from restock_common.contracts import EVENTS, TYPES, Event
from restock_common.contracts.topics import (
    CATALOGUE,
    DEMAND,
    LEDGER,
    PROMOTIONS,
    STOREFRONT_ORDERS,
    TOPICS,
    Cleanup,
)

every_event = pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.type_name())


def leaves(kind: type[Event]) -> set[type[Event]]:
    """Return the most special contracts below one; services' own events are not looked at."""
    children = [
        child
        for child in kind.__subclasses__()
        if child.__module__.startswith("restock_common.contracts")
    ]
    return {leaf for child in children for leaf in leaves(child)} or {kind}


def test_every_declared_event_is_listed() -> None:
    assert leaves(Event) == set(EVENTS)


def test_type_names_are_unique() -> None:
    assert len(TYPES) == len(EVENTS)


@every_event
def test_its_topic_is_declared(kind: type[Event]) -> None:
    assert kind.topic in TOPICS


@every_event
def test_it_is_ordered_by_a_key_or_by_its_shard(kind: type[Event]) -> None:
    key = EXAMPLES[kind.type_name()].key
    if kind.topic is LEDGER:
        assert key is None, "the ledger's partition is the shard, given explicitly"
    else:
        assert key


@every_event
def test_it_says_what_happened(kind: type[Event]) -> None:
    assert kind.__doc__ is not None
    assert kind.__doc__ not in {base.__doc__ for base in kind.__mro__[1:]}
    assert inspect.cleandoc(kind.__doc__).splitlines()[0].rstrip().endswith((".", ";"))


@every_event
def test_it_is_frozen(kind: type[Event]) -> None:
    event = EXAMPLES[kind.type_name()]
    name = next(iter(kind.model_fields))
    with pytest.raises(ValueError, match="frozen"):
        setattr(event, name, getattr(event, name))


def test_master_data_of_two_kinds_with_one_id_do_not_overwrite_each_other() -> None:
    keys = [event.key for event in EXAMPLES.values() if event.topic is CATALOGUE]
    assert len(keys) == len(set(keys)) == 8
    assert all(key is not None and ":" in key for key in keys)


def test_topics_have_distinct_names_of_one_form() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))
    assert all(name.startswith("restock.") and name.endswith(".v1") for name in names)


def test_topic_configs_are_spelled_as_kafka_spells_them() -> None:
    for topic in TOPICS:
        config = topic.config(min_insync_replicas=2)
        assert config["min.insync.replicas"] == "2"
        assert ("segment.ms" in config) == (topic is STOREFRONT_ORDERS)
        assert ("message.timestamp.type" in config) == (topic is STOREFRONT_ORDERS)
        assert config["cleanup.policy"] == topic.cleanup.value
        assert (config["retention.ms"] == "-1") == (topic.retention is None)
        assert int(config["max.message.bytes"]) == topic.max_message_bytes


def test_what_state_is_rebuilt_from_is_kept_for_ever() -> None:
    kept = {topic.name for topic in TOPICS if topic.retention is None}
    assert kept == {topic.name for topic in (LEDGER, DEMAND, CATALOGUE, PROMOTIONS)}
    assert [topic for topic in TOPICS if topic.cleanup is Cleanup.COMPACT] == [
        CATALOGUE,
        PROMOTIONS,
    ]

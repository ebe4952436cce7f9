"""AsyncAPI 3 of the topics, from the topic table and the events; and of the MQTT door."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from order_ingest.domain.requests import CancelMessage, CountRequest, OrderRequest, ScanRequest
from order_ingest.handlers import COUNTS, ROOT, SCANS
from restock_common.contracts import EVENTS, Event
from restock_common.contracts.topics import STOREFRONT_ORDERS, TOPICS, Topic

Document = dict[str, Any]

VERSION = "3.0.0"
_RAW: Mapping[str, tuple[type[BaseModel], ...]] = {
    STOREFRONT_ORDERS.name: (OrderRequest, CancelMessage),
}
"""What is on a topic that carries no CloudEvents."""
_DEVICES: Mapping[str, type[BaseModel]] = {COUNTS: CountRequest, SCANS: ScanRequest}
"""What devices publish, by the last level of its topic; other levels tell fields of it."""

_HEADERS: Document = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {
            "type": "string",
            "description": "Derived from what caused the event: the same for every delivery.",
        },
        "ce_source": {"type": "string", "description": "The writer."},
        "ce_type": {"type": "string", "description": "`restock.<Name>.v<version>`"},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
        "content-type": {"type": "string", "const": "application/json"},
        "ce_causationid": {"type": "string", "description": "The event that caused this one."},
        "ce_incarnation": {"type": "string", "description": "Rises when a writer is restored."},
        "ce_sequence": {"type": "string", "description": "Counts the writer's events."},
        "ce_chainhead": {"type": "string", "description": "The writer's hash chain, with it."},
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
    },
}
_SHOP_HEADERS: Document = {
    "type": "object",
    "required": ["shop"],
    "properties": {
        "shop": {"type": "string", "description": "Which shop the order is of."},
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
    },
}


def document() -> Document:
    """Return the whole document."""
    raw = [model for some in _RAW.values() for model in some]
    models: list[type[BaseModel]] = [*EVENTS, *raw, *_DEVICES.values()]
    references, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    messages = {
        event.type_name(): _message(event, references[event, "validation"]) for event in EVENTS
    }
    for model in raw:
        told = {"traits": [{"$ref": "#/components/messageTraits/ofStorefront"}]}
        messages[model.__name__] = {**_raw_message(model, references[model, "validation"]), **told}
    for model in _DEVICES.values():
        messages[model.__name__] = _raw_message(model, references[model, "validation"])
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Restock",
            "version": "1",
            "description": "What the services tell each other: CloudEvents 1.0 in Kafka's binary"
            " mode, JSON bodies.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {"host": "localhost:9092", "protocol": "kafka"},
            "mqtt": {"host": "localhost:1883", "protocol": "mqtt", "protocolVersion": "5.0"},
        },
        "channels": {
            **{topic.name: _channel(topic) for topic in TOPICS},
            **{f"{ROOT}.devices.{what}": _of_devices(what) for what in _DEVICES},
        },
        "operations": dict(_operations()),
        "components": {
            "messages": messages,
            "schemas": schemas["$defs"],
            "messageTraits": {
                "cloudEvent": {"headers": _HEADERS},
                "ofStorefront": {"headers": _SHOP_HEADERS},
            },
        },
    }


def _channel(topic: Topic) -> Document:
    return {
        "address": topic.name,
        "description": f"Partitioned by: {topic.key}. Published by: {topic.published_by}.",
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _messages_of(topic)
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup.value],
                    "retention.ms": int(topic.config(min_insync_replicas=1)["retention.ms"]),
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _of_devices(what: str) -> Document:
    name = _DEVICES[what].__name__
    return {
        "address": f"{ROOT}/{{location}}/{{device}}/{what}",
        "description": "Quality of service 1. What the address tells may be left out of the body.",
        "servers": [{"$ref": "#/servers/mqtt"}],
        "parameters": {
            "location": {"description": "Where the device is."},
            "device": {"description": "Its id."},
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _operations() -> Iterator[tuple[str, Document]]:
    for topic in TOPICS:
        for publisher in topic.published_by.split(", "):
            yield (
                f"{publisher}-to-{topic.name}".replace(" ", "-"),
                {
                    "action": "send",
                    "channel": {"$ref": f"#/channels/{topic.name}"},
                    "summary": f"{publisher.capitalize()} tells it.",
                },
            )

    for what in _DEVICES:
        yield (
            f"order-ingest-from-{ROOT}.devices.{what}",
            {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{ROOT}.devices.{what}"},
                "summary": "Acknowledged once it is durable.",
            },
        )


def _messages_of(topic: Topic) -> Sequence[str]:
    raw = [model.__name__ for model in _RAW.get(topic.name, ())]
    return raw + [event.type_name() for event in EVENTS if event.topic is topic]


def _message(event: type[Event], payload: Document) -> Document:
    return {
        "name": event.type_name(),
        "title": event.__name__,
        "summary": _first_line(event),
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": payload,
    }


def _raw_message(model: type[BaseModel], payload: Document) -> Document:
    return {
        "name": model.__name__,
        "title": model.__name__,
        "summary": _first_line(model),
        "contentType": "application/json",
        "payload": payload,
    }


def _first_line(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "").splitlines()[0]

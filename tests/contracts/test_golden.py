"""Golden files: what was written to a topic once is read, and written, by today's code.

A change that these tests refuse would break records that are on the brokers already: give the
event a new version instead. After adding an event or an optional field, write the files with

    RESTOCK_UPDATE_GOLDEN=1 .venv/bin/pytest tests/contracts

and commit what changed.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.examples import EXAMPLES, message_of

from restock_common.contracts import EVENTS, TYPES, Event
from restock_common.contracts.envelope import Headers, Record, decode, encode
from restock_common.contracts.event import Contract
from restock_common.contracts.upcasts import UPCASTERS
from restock_common.errors import Permanent

GOLDEN = Path(__file__).parent / "golden"

every_event = pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.type_name())


def path_of(kind: type[Event]) -> Path:
    return GOLDEN / f"{kind.__name__}.v{kind.version}.json"


def as_golden(headers: Headers, body: bytes, key: str | None) -> str:
    document = {
        "key": key,
        "headers": {name: value.decode() for name, value in headers},
        "body": json.loads(body),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_golden(kind: type[Event]) -> dict[str, Any]:
    path = path_of(kind)
    assert path.exists(), f"{path.name} is missing: see the docstring of this file"
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def record_of(document: dict[str, Any], body: dict[str, Any] | None = None) -> Record:
    return Record(
        topic=TYPES[document["headers"]["ce_type"]].topic.name,
        partition=0,
        offset=0,
        timestamp_ms=0,
        key=document["key"].encode() if document["key"] is not None else None,
        value=compact(document["body"] if body is None else body),
        headers=[(name, value.encode()) for name, value in document["headers"].items()],
    )


def compact(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def parts_of(value: object) -> Iterator[Contract]:
    """Yield a contract and every contract inside it."""
    if isinstance(value, Contract):
        yield value
        for name in type(value).model_fields:
            yield from parts_of(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from parts_of(item)


@pytest.fixture(scope="module", autouse=True)
def _update() -> None:
    if os.environ.get("RESTOCK_UPDATE_GOLDEN") == "1":
        for kind in EVENTS:
            example = EXAMPLES[kind.type_name()]
            headers, body = encode(message_of(example))
            path_of(kind).write_text(as_golden(headers, body, example.key))


def test_every_golden_file_of_whatever_version_is_read() -> None:
    known = {path_of(kind).name for kind in EVENTS}
    for path in GOLDEN.iterdir():
        document = json.loads(path.read_text())
        name = document["headers"]["ce_type"]
        assert path.name == name.removeprefix("restock.") + ".json"
        assert path.name in known or name in UPCASTERS
        headers = [(header, value.encode()) for header, value in document["headers"].items()]
        decode(Record("any", 0, 0, 0, None, compact(document["body"]), headers), TYPES)


@every_event
def test_golden_bytes_are_read(kind: type[Event]) -> None:
    record = record_of(read_golden(kind))
    assert decode(record, TYPES) == message_of(EXAMPLES[kind.type_name()])


@every_event
def test_todays_bytes_are_the_golden_ones(kind: type[Event]) -> None:
    golden = read_golden(kind)
    event = EXAMPLES[kind.type_name()]
    headers, body = encode(message_of(event))
    assert body == compact(golden["body"])
    assert {name: value.decode() for name, value in headers} == golden["headers"]
    assert event.key == golden["key"]


@every_event
def test_every_field_has_an_example(kind: type[Event]) -> None:
    """A field left at its default could vanish from the wire unnoticed; of the parts as well."""
    written: dict[type[Contract], set[str]] = {}
    for part in parts_of(EXAMPLES[kind.type_name()]):
        written.setdefault(type(part), set()).update(part.model_fields_set)
    for part_kind, fields in written.items():
        assert fields >= part_kind.model_fields.keys() - {"family"}, part_kind


@every_event
def test_fields_of_newer_writers_are_passed_over(kind: type[Event]) -> None:
    golden = read_golden(kind)
    newer = record_of(golden, {**golden["body"], "added_by_a_newer_writer": [1]})
    assert decode(newer, TYPES).event == EXAMPLES[kind.type_name()]


@every_event
def test_a_missing_field_is_named(kind: type[Event]) -> None:
    golden = read_golden(kind)
    for name, field in kind.model_fields.items():
        if field.is_required():
            body = {other: value for other, value in golden["body"].items() if other != name}
            with pytest.raises(Permanent) as caught:
                decode(record_of(golden, body), TYPES)
            assert caught.value.field == name


@every_event
def test_a_version_that_is_not_known_is_refused_with_the_one_that_is(kind: type[Event]) -> None:
    golden = read_golden(kind)
    known = golden["headers"]["ce_type"]
    newer = known.rpartition(".v")[0] + ".v99"
    record = record_of(golden)
    headers = [(n, newer.encode() if n == "ce_type" else v) for n, v in record.headers]
    with pytest.raises(Permanent, match="version") as caught:
        decode(
            Record(record.topic, 0, 0, 0, record.key, record.value, headers),
            TYPES,
        )
    assert caught.value.field == "header ce_type"
    assert newer in caught.value.reason
    assert known in caught.value.reason

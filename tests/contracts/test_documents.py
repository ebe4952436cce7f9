"""The committed documents are what the code says, valid, and suit those who know them.

After a change, `restock contracts write` writes them; it refuses what would break somebody.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from openapi_spec_validator import validate
from tests.contracts.examples import EXAMPLES
from tests.tidy.repository import ROOT, SERVICES

from restock_common.contracts import TYPES, Event
from restock_common.contracts.upcasts import UPCASTERS
from restock_local.contracts.compare import OLD_RECORDS
from restock_local.contracts.files import as_text, broken, documents, event_path

FOLDER = ROOT / "docs" / "contracts"
OFFICIAL = Path(__file__).parent / "asyncapi" / "3.0.0.json"
"""AsyncAPI's own JSON Schema: @asyncapi/specs 6.11.1, Apache-2.0, without its white space."""


def committed(path: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / path).read_text())
    return document


def test_what_is_committed_is_what_the_code_says() -> None:
    stale = [
        path
        for path, document in documents().items()
        if not (FOLDER / path).exists() or (FOLDER / path).read_text() != as_text(document)
    ]
    assert stale == [], "run `restock contracts write` and commit what it writes"


def test_nobody_who_knows_the_committed_version_is_broken() -> None:
    assert [f"{name}: {one}" for name, one in broken(FOLDER)] == []


def test_a_break_is_found_in_what_is_committed(tmp_path: Path) -> None:
    """The comparison itself is tried once, on a schema that has lost a field since."""
    path = event_path(TYPES["restock.Pool.v1"])
    old = committed(path)
    del old["properties"]["shard"]
    old["required"].remove("shard")
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(json.dumps(old))
    [(name, one)] = broken(tmp_path)
    assert (name, one.place, one.whom) == ("restock.Pool.v1", "shard", OLD_RECORDS)


def test_every_version_that_was_ever_committed_can_be_read() -> None:
    names = {path.stem for path in (FOLDER / "events").glob("*.json")}
    assert names >= TYPES.keys()
    assert names - TYPES.keys() == UPCASTERS.keys()
    assert {one.to for one in UPCASTERS.values()} <= TYPES.keys() | UPCASTERS.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_openapi_is_valid(service: str) -> None:
    validate(committed(f"openapi/{service}.json"))


def test_whatever_is_sent_to_order_ingest_is_described() -> None:
    """Bodies are read as bytes and a header by what is around the routes: the code cannot tell."""
    for path, operations in committed("openapi/order-ingest.json")["paths"].items():
        for method, operation in operations.items():
            named = {one["name"] for one in operation.get("parameters", [])}
            keyed = method == "post" and "security" in operation
            assert ("Idempotency-Key" in named) is keyed, (method, path)
            assert ("requestBody" in operation) is (method in {"post", "put"}), (method, path)


def test_asyncapi_is_valid_by_its_official_schema() -> None:
    official = Draft7Validator(json.loads(OFFICIAL.read_text()))
    assert [error.message for error in official.iter_errors(committed("asyncapi.json"))] == []


def test_every_event_is_a_message_of_its_topic() -> None:
    document = committed("asyncapi.json")
    for name, event in TYPES.items():
        assert name in document["channels"][event.topic.name]["messages"]


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_a_schema_is_one_and_takes_its_example(kind: type[Event]) -> None:
    schema = committed(event_path(kind))
    Draft202012Validator.check_schema(schema)
    body = EXAMPLES[kind.type_name()].model_dump(mode="json", exclude_none=True)
    Draft202012Validator(schema).validate(body)

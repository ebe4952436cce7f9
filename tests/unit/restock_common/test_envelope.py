"""CloudEvents in and out; every refusal names the place and the value."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.unit.restock_common.memory import NINE, placed, raw_record, record

from restock_common.contracts import TYPES
from restock_common.contracts.envelope import (
    Headers,
    Message,
    Position,
    chain_header,
    decode,
    derive_id,
    encode,
)
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.errors import Permanent

GOOD = record(0, placed("shop:1", 2), position=(1, 7))


def with_header(name: str, value: bytes | None) -> Headers:
    """Replace a header, or leave it out."""
    kept = [(n, v) for n, v in GOOD.headers if n != name]
    return [*kept, (name, value)] if value is not None else kept


def refusal(value: bytes | None, headers: Headers) -> Permanent:
    with pytest.raises(Permanent) as caught:
        decode(raw_record(0, value, headers), TYPES)
    return caught.value


def test_what_is_encoded_is_decoded() -> None:
    message = Message(
        id="m-1",
        source="/shop",
        time=NINE,
        event=placed("shop:1", 2),
        position=Position(3, 9),
        cause="c-1",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    headers, body = encode(message)
    assert decode(raw_record(0, body, headers), TYPES) == message


def test_a_position_is_optional() -> None:
    headers, body = encode(Message("m-1", "/shop", NINE, placed("shop:1", 2)))
    read = decode(raw_record(0, body, headers), TYPES)
    assert (read.position, read.cause, read.traceparent, read.chain_head) == (None,) * 4


def test_the_chain_head_is_read_as_hexadecimal_digits() -> None:
    headers = [*GOOD.headers, chain_header(b"\x01\xff")]
    assert decode(raw_record(0, GOOD.value, headers), TYPES).chain_head == "01ff"


@pytest.mark.parametrize("name", ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"])
@pytest.mark.parametrize("value", [None, b""])
def test_a_missing_header_is_named(name: str, value: bytes | None) -> None:
    error = refusal(GOOD.value, with_header(name, value))
    assert (error.field, error.reason) == (f"header {name}", "is missing")


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("ce_specversion", b"0.3", "0.3"),
        ("ce_type", b"restock.OrderPlaced.v2", "restock.OrderPlaced.v2"),
        ("ce_type", b"restock.OrderPlacd.v1", "restock.OrderPlacd.v1"),
        ("ce_type", b"OrderPlaced", "OrderPlaced"),
        ("ce_time", b"yesterday", "yesterday"),
        ("ce_time", b"2017-01-02T09:30:00", "2017-01-02T09:30:00"),
        ("ce_time", b"0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("ce_sequence", b"seven", "seven"),
        ("ce_sequence", b"-1", "-1"),
        ("ce_sequence", b"9" * 40, "999"),
        ("ce_sequence", b"9" * 5000, "999"),
        ("ce_sequence", "\N{ARABIC-INDIC DIGIT SEVEN}".encode(), "\N{ARABIC-INDIC DIGIT SEVEN}"),
        ("ce_incarnation", b"1.5", "1.5"),
        ("ce_id", b"\xff\xfe", r"\xff\xfe"),
        ("ce_id", b"a\x00b", r"a\x00b"),
        ("ce_source", b"/shop\n/other", r"\n"),
        ("ce_id", b"a" * 1025, "1025 bytes"),
        ("ce_type", b"a" * 1_000_000, "1000000 bytes"),
    ],
)
def test_a_wrong_header_is_named_with_its_value(name: str, value: bytes, shown: str) -> None:
    error = refusal(GOOD.value, with_header(name, value))
    assert error.field == f"header {name}"
    assert shown in error.reason
    assert len(error.reason) < 300


def test_headers_of_others_are_not_judged() -> None:
    headers = [*GOOD.headers, ("x-storefront", b"\xff\xfe")]
    assert decode(raw_record(0, GOOD.value, headers), TYPES).id == "m-0"


def test_a_malformed_trace_context_is_dropped_not_refused() -> None:
    message = decode(raw_record(0, GOOD.value, [*GOOD.headers, ("traceparent", b"00-1-2")]), TYPES)
    assert message.traceparent is None


@pytest.mark.parametrize(
    ("before", "after", "field", "shown"),
    [
        ('"quantity":2', '"quantity":0', "lines.0.quantity", "0"),
        ('"quantity":2', '"quantity":-3', "lines.0.quantity", "-3"),
        ('"quantity":2', '"quantity":2.5', "lines.0.quantity", "2.5"),
        ('"quantity":2', '"quantity":"2"', "lines.0.quantity", "'2'"),
        ('"quantity":2', '"quantity":1000000000000', "lines.0.quantity", "1000000000000"),
        ('"sku-1"', '""', "lines.0.sku", "''"),
        ('"sku-1"', '"a\\u0000b"', "lines.0.sku", "x00"),
        ('"latitude":1.0', '"latitude":91', "destination.latitude", "91"),
        ('"latitude":1.0', '"latitude":1e999', "destination.latitude", "inf"),
        ('"shard":1', '"shard":4', "sourcing.0.shard", "4"),
        ("T09:30:00Z", "T09:30:00", "placed_at", "2017-01-02T09:30:00"),
        ("2017-01-02T09:30:00Z", "0001-01-01T00:00:00+14:00", "placed_at", "0001-01-01"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(
    before: str, after: str, field: str, shown: str
) -> None:
    assert GOOD.value is not None
    assert before.encode() in GOOD.value
    error = refusal(GOOD.value.replace(before.encode(), after.encode()), GOOD.headers)
    assert error.field == field
    assert shown in error.reason


@pytest.mark.parametrize(
    "body",
    [b"", b"not JSON", b"\xff\xfe", b"[1]", b"null", b"[" * 100_000, b'"' + b"x" * 1_000_000],
)
def test_a_body_that_is_no_event_is_refused_in_few_words(body: bytes) -> None:
    error = refusal(body, GOOD.headers)
    assert error.field == "body"
    assert len(error.reason) < 300, "a dead letter's reason is read by people"


def test_an_absent_body_is_refused() -> None:
    assert refusal(None, GOOD.headers).field == "body"


def test_several_findings_are_counted() -> None:
    assert GOOD.value is not None
    body = GOOD.value.replace(b'"quantity":2', b'"quantity":0').replace(b'"sku-1"', b"7")
    assert re.search(r"\(\+\d more\)$", refusal(body, GOOD.headers).reason)


def test_times_come_out_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    event = TimeAdvanced(until=datetime(2017, 1, 2, 11, 30, tzinfo=east))
    assert event.until == NINE
    assert event.until.tzinfo is UTC


def test_ids_follow_from_their_parts_and_nothing_else() -> None:
    assert derive_id("a", 1) == derive_id("a", "1")
    assert derive_id("a", "b") != derive_id("ab")
    assert derive_id("a", "b") != derive_id("b", "a")
    assert len(derive_id("a")) == 32


def test_ids_stay_what_they_are() -> None:
    """They are in databases and on topics: another derivation would double everything."""
    assert derive_id("allocation", "shop:1", "north-1") == "01dc7da76350e77b813b4eae5a8bf4a1"

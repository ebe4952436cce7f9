"""Whatever is written is read back; whatever comes in is a message or refused, never a crash."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.restock_common.strategies import messages, of_contract
from tests.unit.restock_common.memory import raw_record

from restock_common.contracts import EVENTS, TYPES, Event
from restock_common.contracts.envelope import Headers, Message, decode, encode
from restock_common.errors import Permanent

CE_NAMES = (
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_time",
    "ce_sequence",
    "ce_incarnation",
    "ce_causationid",
    "traceparent",
)
any_header = st.tuples(st.sampled_from(CE_NAMES) | st.text(max_size=5), st.binary(max_size=30))


@given(messages)
def test_what_is_encoded_is_decoded(message: Message[Event]) -> None:
    headers, body = encode(message)
    assert decode(raw_record(0, body, headers), TYPES) == message


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.type_name())
@settings(max_examples=10)
@given(st.data())
def test_every_type_can_be_made_and_read(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(of_contract(kind))
    assert kind.model_validate_json(event.model_dump_json(exclude_none=True)) == event


@given(st.lists(any_header, max_size=8), st.none() | st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(headers: Headers, value: bytes | None) -> None:
    with suppress(Permanent):
        assert isinstance(decode(raw_record(0, value, headers), TYPES), Message)


@given(messages, st.data())
def test_a_damaged_record_is_a_message_or_refused(
    message: Message[Event], data: st.DataObject
) -> None:
    """Near misses reach further into the reader than noise does."""
    headers, body = encode(message)
    at = data.draw(st.integers(0, len(body) - 1))
    body = body[:at] + data.draw(st.binary(max_size=4)) + body[at + data.draw(st.integers(0, 4)) :]
    index = data.draw(st.integers(0, len(headers) - 1))
    headers[index] = (headers[index][0], data.draw(st.binary(max_size=30)))
    with suppress(Permanent):
        assert isinstance(decode(raw_record(0, body, headers), TYPES), Message)

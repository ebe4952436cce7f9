"""Whatever a shop sends: commands, or a refusal that names the place, and never anything else."""

import json
import os
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.order_ingest.test_domain import json_values
from tests.unit.order_ingest.channels.sample import Case, cases, shop

from order_ingest.domain.channels import CHANNELS, InvalidPayload, Unmapped

EXAMPLES = 10_000 if os.environ.get("RESTOCK_SOAK") == "1" else 100
OF_CHANNEL: dict[str, list[Case]] = {
    name: [one for one in cases() if one.channel == name] for name in CHANNELS
}
every_channel = pytest.mark.parametrize("channel", CHANNELS)
often = settings(max_examples=EXAMPLES, deadline=None)

ODD: list[Any] = [
    *(None, True, "", " ", "0", "-1", "1e400", "NaN", "\x00", "\ud7ff", "é" * 600),
    *(0, -1, 2**63, 10**400, 1e308, [], {}, [None]),
    *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
]
values = (st.sampled_from(ODD) | json_values).map(deepcopy)  # they are changed in their places
odd_headers = st.dictionaries(
    st.sampled_from(["x-shopify-topic", "x-wc-webhook-topic", "saleor-event", "webhook-id"]),
    st.sampled_from(["orders/create", "refunds/create", "order.created", "order_updated"])
    | st.text(max_size=20),
)


@st.composite
def mutated(draw: st.DrawFn, channel: str) -> tuple[dict[str, str], bytes]:
    """Return a recorded delivery in which some values are others, gone, or in a list."""
    one = draw(st.sampled_from(OF_CHANNEL[channel]))
    body = deepcopy(one.body)
    for _ in range(draw(st.integers(1, 4))):
        body = draw(_mutated(body))
    headers = draw(st.just(one.headers) | odd_headers)
    return headers, json.dumps(body).encode()


@st.composite
def _mutated(draw: st.DrawFn, value: Any) -> Any:
    inside = isinstance(value, dict | list) and bool(value)
    if not inside or draw(st.integers(0, 9)) == 0:
        return draw(values)
    key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    match draw(st.integers(0, 7)):
        case 0:
            del value[key]
        case 1:
            value[key] = [value[key]]
        case _:
            value[key] = draw(_mutated(value[key]))
    return value


def outcome(channel: str, headers: dict[str, str], raw: bytes) -> Any:
    try:
        return CHANNELS[channel].adapt(headers, raw, shop(channel))
    except (InvalidPayload, Unmapped) as error:
        return error


def take(channel: str, headers: dict[str, str], raw: bytes) -> None:
    match outcome(channel, headers, raw):
        case InvalidPayload() as refused:
            assert refused.findings
            assert all(found.field and found.reason for found in refused.findings)
            json.dumps([(one.field, one.value) for one in refused.findings], allow_nan=False)
        case Unmapped() as unmapped:
            assert unmapped.field
        case commands:
            shows = CHANNELS[channel].shows
            shown = None if shows is None else shows(headers, raw)
            assert shown is None or -(2**63) <= shown.state < 2**63
            assert commands
            assert commands == outcome(channel, headers, raw)


@every_channel
@often
@given(data=st.data())
def test_a_real_delivery_gone_wrong(channel: str, data: st.DataObject) -> None:
    take(channel, *data.draw(mutated(channel)))


@every_channel
@often
@given(headers=odd_headers, value=values)
def test_any_json(channel: str, headers: dict[str, str], value: Any) -> None:
    take(channel, headers, json.dumps(value).encode())


@every_channel
@often
@given(headers=odd_headers, raw=st.binary(max_size=200))
def test_any_bytes(channel: str, headers: dict[str, str], raw: bytes) -> None:
    take(channel, headers, raw)


@every_channel
@often
@given(data=st.data())
def test_a_real_delivery_with_other_bytes(channel: str, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(OF_CHANNEL[channel]))
    raw = bytearray(one.raw)
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    take(channel, one.headers, bytes(raw))

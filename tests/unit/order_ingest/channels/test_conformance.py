"""What every adapter promises, on every recorded delivery.

The commands of each stand beside it. After adding a delivery, or a decision that changes what
becomes of one, write them with

    RESTOCK_UPDATE_GOLDEN=1 .venv/bin/pytest tests/unit/order_ingest/channels

and commit what changed.
"""

import json
import os
from typing import Any

import pytest
from tests.unit.order_ingest.channels.sample import Case, cases, commands, shop, told

from order_ingest.domain.channels import CHANNELS, InvalidPayload, Unmapped

every_case = pytest.mark.parametrize("one", cases(), ids=lambda one: f"{one.channel}:{one.name}")

lenient_cases = pytest.mark.parametrize(
    "one",
    # Restock's own JSON is strict: an unknown field is a spelling mistake there.
    [one for one in cases() if one.channel != "standard_webhooks"],
    ids=lambda one: f"{one.channel}:{one.name}",
)


def outcome(one: Case, body: Any = None) -> list[dict[str, Any]]:
    changed = Case(one.channel, one.name, one.headers, one.body if body is None else body)
    try:
        return [told(command) for command in commands(changed)]
    except Unmapped as error:
        return [{"unmapped": str(error), "keys": list(error.keys)}]


def with_more(value: Any) -> Any:
    """Return JSON with a field in every object that nobody knows; its inside is left alone."""
    if isinstance(value, dict):
        unknown = {"_new_in_2031": {"deep": [None, 1.5, "ü", {"id": "7", "sku": "?"}]}}
        return {**{name: with_more(inner) for name, inner in value.items()}, **unknown}
    return [with_more(inner) for inner in value] if isinstance(value, list) else value


def in_strings(value: Any) -> Any:
    """Return JSON with every number and truth value as a string."""
    match value:
        case dict():
            return {name: in_strings(inner) for name, inner in value.items()}
        case list():
            return [in_strings(inner) for inner in value]
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    return value


def test_every_channel_has_deliveries() -> None:
    assert {one.channel for one in cases()} == set(CHANNELS)


@every_case
def test_a_delivery_asks_for_what_it_did(one: Case) -> None:
    document = json.dumps(outcome(one), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("RESTOCK_UPDATE_GOLDEN"):
        one.golden.write_text(document)
    assert document == one.golden.read_text()


@every_case
def test_twice_is_the_same(one: Case) -> None:
    assert outcome(one) == outcome(one)


@lenient_cases
def test_fields_that_nobody_knows_change_nothing(one: Case) -> None:
    body = with_more(one.body)
    if isinstance(one.body.get("Message"), str):
        body["Message"] = json.dumps(with_more(json.loads(one.body["Message"])))
    assert outcome(one, body) == outcome(one)


@lenient_cases
def test_numbers_in_quotes_change_nothing(one: Case) -> None:
    assert outcome(one, in_strings(one.body)) == outcome(one)


@every_case
def test_no_personal_data_is_in_what_goes_on(one: Case) -> None:
    ends = outcome(one)
    for command in [*ends, *(end["began"] for end in ends if "began" in end)]:
        told = {k: v for k, v in command.get("request", {}).items() if k != "recipient"}
        request = json.dumps(told, ensure_ascii=False)
        for word in ("@", "Wacker", "Byron", "Groß", "Lefèvre", "山田", "Пушкина", "555"):
            assert word not in request


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000, b"null", b"7", b"[]", b"{}"])
def test_what_is_no_delivery_is_refused_with_its_place(channel: str, raw: bytes) -> None:
    headers = {"x-shopify-topic": "orders/create", "x-wc-webhook-topic": "order.created"}
    with pytest.raises(InvalidPayload) as refused:
        CHANNELS[channel].adapt(headers, raw, shop(channel))
    assert all(found.field and found.reason for found in refused.value.findings)

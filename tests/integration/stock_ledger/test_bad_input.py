"""What can never be decided becomes a dead letter that names the value; all else goes on."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import prometheus_client
import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger
from tests.support import EPOCH, message, outgoing, publish_raw, read_letters, read_messages
from tests.unit.stock_ledger.building import counted, dispatched, order, received, sourcing

from restock_common.contracts import Event
from restock_common.contracts.fulfilment import OrderAllocated
from restock_common.contracts.ledger import (
    AssortmentListed,
    CartHeld,
    CartReleased,
    HoldLine,
    ListedLocation,
)
from restock_common.contracts.topics import FULFILMENT, LEDGER
from restock_common.settings import KafkaSettings

pytestmark = pytest.mark.kafka

NORTH = sourcing("north", ["n1"])


@dataclass
class Bad:
    """An event, what is written over it, and what the dead letter must say."""

    event: Event
    says: str
    field: str
    over: dict[str, Any] | None = None


def line_of(quantity: object) -> dict[str, Any]:
    return {"lines": [{"line": "1", "sku": "tea", "quantity": quantity}]}


def placed(name: str, sku: str = "tea") -> Event:
    return order(name, (sku, 1), pools=(NORTH,))


def told(parcel: str) -> list[Bad]:
    """Return what is refused, once the ledger knows tea at n1 and has shipped a parcel."""
    late = counted("future", "n1", ("tea", 3)).model_copy(
        update={"counted_at": EPOCH + timedelta(hours=1)}
    )
    again = dispatched(parcel, "good", "n1").model_copy(update={"route": "another"})
    too_many = CartReleased(
        hold="cart", release="x", released_at=EPOCH, lines=(HoldLine(sku="tea", quantity=3),)
    )
    return [
        Bad(placed("a", "cocoa"), "'cocoa' is not a sku known here", "lines.0.sku"),
        Bad(received("b", "n9", ("tea", 1)), "'n9' is not a location known here", "location"),
        Bad(placed("c"), "greater than 0: 0", "lines.0.quantity", line_of(0)),
        Bad(placed("d"), "greater than 0: -4", "lines.0.quantity", line_of(-4)),
        Bad(placed("e"), "to 100000: 2147483648", "lines.0.quantity", line_of(2**31)),
        Bad(placed("f"), "valid integer: 1.5", "lines.0.quantity", line_of(1.5)),
        Bad(too_many, "3 units of 'tea' are more than the 2 held", "lines.0.quantity"),
        Bad(again, "was shipped before, by route 'r'", "allocation"),
        Bad(late, "2017-01-02T10:00:00+00:00 is in the future", "counted_at"),
    ]


async def send_bad(ledger: Ledger, bad: Bad) -> None:
    entry = outgoing(message(bad.event), partition=0)
    body = json.dumps({**json.loads(entry.body), **(bad.over or {})}).encode()
    await publish_raw(ledger.kafka, [entry._replace(body=body)])


async def test_each_bad_input_is_set_aside_with_its_value(
    kafka: KafkaSettings, database_url: str
) -> None:
    counted_before = refused()
    async with open_ledger(kafka, database_url) as ledger:
        await ledger.stream.start()
        await ledger.ready()
        await ledger.send(
            0,
            AssortmentListed(
                skus=("tea",), locations=(ListedLocation(location="n1", pool="north"),)
            ),
            received("r", "n1", ("tea", 10)),
            placed("good"),
            CartHeld(
                hold="cart",
                sourcing=NORTH,
                held_at=EPOCH,
                expires_at=EPOCH + timedelta(minutes=5),
                lines=(HoldLine(sku="tea", quantity=2),),
            ),
        )
        await ledger.quiet()
        parcels = [one.event for one in await read_messages(kafka, FULFILMENT)]
        (parcel,) = [one.allocation for one in parcels if isinstance(one, OrderAllocated)]
        await ledger.send(0, dispatched(parcel, "good", "n1"))
        expected = told(parcel)
        for bad in expected:
            await send_bad(ledger, bad)
        await ledger.send(0, placed("after"))
        await ledger.quiet()

        said = [(one.field, held.reason) for one, held in await read_letters(kafka)]
        assert [field for field, _ in said] == [bad.field for bad in expected]
        for (_, reason), bad in zip(said, expected, strict=True):
            assert bad.says in reason
        assert refused() - counted_before == len(expected)
        (level,) = await ledger.queries.stock(["tea"])
        assert (level["on_hand"], level["reserved"], level["held"]) == (9, 1, 2)


def refused() -> float:
    value = prometheus_client.REGISTRY.get_sample_value(
        "restock_records_total", {"topic": LEDGER.name, "outcome": "dead_letter"}
    )
    return value or 0.0

"""What storefronts choose freely in a record: nothing of it may stop the partition."""

from typing import Any, cast

import pytest
from tests.unit.order_ingest.sample import NOW, customers, known, request

from order_ingest.domain.findings import Refused
from order_ingest.handlers import Door
from order_ingest.stream.storefront_orders import StorefrontOrders
from restock_common.contracts.envelope import Record
from restock_common.contracts.topics import STOREFRONT_ORDERS
from restock_common.errors import Transient
from restock_common.postgres import Database


class KnownDoor:
    """A door that knows the sample's catalogue, and does nothing."""

    def known(self) -> Any:
        return known()

    def may_miss(self) -> bool:
        return self.misses

    misses = False
    customers = customers(Database("postgresql://nowhere"))


DOOR = KnownDoor()
APPLICATION = StorefrontOrders(
    cast("Door", DOOR),
    cast("Any", None),
    cast("Any", None),
    cast("Any", None),
    {"demo"}.__contains__,
)


def record(
    body: bytes, *headers: tuple[str, bytes], timestamp_ms: int = int(NOW.timestamp() * 1000)
) -> Record:
    sent = (("shop", b"demo"), *headers)
    return Record(STOREFRONT_ORDERS.name, 0, 0, timestamp_ms, None, body, sent)


@pytest.mark.parametrize("timestamp_ms", [-1, 2**62, -(2**62)])
def test_a_cancellation_of_an_impossible_time_is_refused(timestamp_ms: int) -> None:
    with pytest.raises(Refused, match="before 2000"):
        APPLICATION.read(record(b'{"cancel": "1"}', timestamp_ms=timestamp_ms))
    said = b'{"cancel": "1", "cancelled_at": "2017-01-02T08:00:00Z"}'
    assert APPLICATION.read(record(said, timestamp_ms=timestamp_ms)).time < NOW


@pytest.mark.parametrize("header", [b"\x00-00", b"x" * 100_000 + b"-00", b"\xff-00", b""])
def test_a_malformed_trace_context_is_dropped(header: bytes) -> None:
    body = request().model_dump_json().encode()
    assert APPLICATION.read(record(body, ("traceparent", header))).traceparent is None


def test_a_trace_context_travels_on() -> None:
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    body = request().model_dump_json().encode()
    read = APPLICATION.read(record(body, ("traceparent", header.encode())))
    assert read.traceparent == header


def test_what_may_wait_in_the_spool_is_no_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    body = request(lines=[{"sku": "newest", "quantity": 1}]).model_dump_json().encode()
    with pytest.raises(Refused, match="not in the catalogue"):
        APPLICATION.read(record(body))
    monkeypatch.setattr(DOOR, "misses", True)
    with pytest.raises(Transient, match="may wait in the spool"):
        APPLICATION.read(record(body))

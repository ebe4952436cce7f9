"""What the examples have in common."""

from datetime import UTC, datetime, timedelta

from restock_common.contracts.ledger import (
    CandidateLocation,
    Component,
    DeliveryWindow,
    OrderLine,
    Place,
    Sourcing,
    TransferEnd,
)
from restock_common.contracts.stock import Priority

NINE = datetime(2017, 1, 2, 9, 30, tzinfo=UTC)
NOON = datetime(2017, 1, 2, 12, 0, 0, 250_000, tzinfo=UTC)
NEXT_DAY = datetime(2017, 1, 3, tzinfo=UTC)

HOME = Place(latitude=39.1031, longitude=-84.512)
WINDOW = DeliveryWindow(
    earliest=NEXT_DAY + timedelta(hours=8), latest=NEXT_DAY + timedelta(hours=12)
)
SOURCING = Sourcing(
    pool="north",
    shard=1,
    locations=(
        CandidateLocation(location="north-1", distance_km=3.25),
        CandidateLocation(location="north-2", distance_km=11.0),
    ),
)
LINE = OrderLine(line="1", sku="1029743", quantity=3, components=(), preorder=True, split=False)
KIT = OrderLine(
    line="2",
    sku="breakfast",
    quantity=1,
    components=(Component(sku="995242", quantity=2), Component(sku="1029743", quantity=1)),
    preorder=False,
    split=True,
)
PRIORITY = Priority(score=7.5, promised=4.0, tier=2.0, channel=0.5, age=0.25, value=0.75)
SOURCE = TransferEnd(location="north-1", pool="north", shard=1)
TARGET = TransferEnd(location="south-1", pool="south", shard=0)

"""What the ledger is given: warehouses, opening counts, and orders with Zipf demand.

Every shard has one pool, and every pool three warehouses of its own that hold every sku. So an
order asks the same of its shard whatever the number of shards, and rates can be compared.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random

from restock_common.contracts.envelope import Message, derive_id, encode
from restock_common.contracts.ledger import (
    AssortmentListed,
    CandidateLocation,
    CountLine,
    GoodsReceived,
    LedgerEvent,
    ListedLocation,
    OrderLine,
    OrderPlaced,
    Place,
    ReceiptLine,
    Sourcing,
    StockCounted,
)
from restock_common.contracts.topics import LEDGER
from restock_common.transact import Outgoing

WAREHOUSES = 3
UNITS = 50_000_000
"""Of each sku at each warehouse: enough for any run."""
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
OrderLines = list[tuple[int, int]]
"""The rank of each sku, and units of it."""
_LISTED = 5_000
_SOURCE = "/restock/order-ingest/http"
_LINES = (1, 2, 3)
_LINE_WEIGHTS = (0.3, 0.4, 0.3)
_CUSTOMERS = 50_000


class Zipf:
    """Ranks 0 to count - 1, rank r drawn with a probability proportional to 1 / (r + 1).

    Args:
        count: How many ranks there are.
    """

    def __init__(self, count: int) -> None:
        self._cumulative = list(accumulate(1 / rank for rank in range(1, count + 1)))

    def draw(self, random: Random) -> int:
        """Return a rank."""
        return bisect_left(self._cumulative, random.random() * self._cumulative[-1])


@dataclass(frozen=True, slots=True)
class Pool:
    """A shard's pool with its warehouses."""

    shard: int

    @property
    def name(self) -> str:
        """Return the pool's id."""
        return f"pool-{self.shard}"

    @property
    def locations(self) -> list[str]:
        """Return the warehouses' ids."""
        return [f"warehouse-{self.shard}-{number}" for number in range(WAREHOUSES)]


def sku_name(rank: int) -> str:
    """Return the sku of a rank of demand."""
    return f"sku-{rank:07}"


def opening(shards: int, skus: int) -> Iterator[Outgoing]:
    """Yield what there is, and the opening counts of every sku at every warehouse.

    As large as events may be: 5,000 skus, or lines, each.
    """
    names = [sku_name(rank) for rank in range(skus)]
    for pool in map(Pool, range(shards)):
        listed = tuple(ListedLocation(location=one, pool=pool.name) for one in pool.locations)
        yield _record(
            f"locations-{pool.name}", AssortmentListed(locations=listed), START, pool.shard
        )
        for some in _parts(names):
            yield _record(
                f"skus-{pool.name}-{some[0]}", AssortmentListed(skus=some), START, pool.shard
            )
        for location in pool.locations:
            for some in _parts(names):
                count = StockCounted(
                    count=f"opening-{location}-{some[0]}",
                    location=location,
                    pool=pool.name,
                    counted_at=START,
                    lines=tuple(CountLine(sku=sku, quantity=UNITS) for sku in some),
                )
                yield _record(count.count, count, START, pool.shard)


@dataclass(frozen=True, slots=True)
class Sent:
    """An order, or an entry of goods, ready to be published.

    Attributes:
        id: The id of its message, which is the cause of what follows from it.
        lines: How many it has.
        record: As it is published.
    """

    id: str
    lines: int
    record: Outgoing


def late_entries(count: int) -> Iterator[Sent]:
    """Yield receipts and counts, in turn, of a time before nearly all orders.

    Of the skus that move most, which have the most entries after theirs, at the first warehouse.
    """
    pool = Pool(0)
    location = pool.locations[0]
    at = START + timedelta(milliseconds=1)
    for number in range(count):
        name, sku = f"late-{number}", sku_name(number // 2)
        entry: GoodsReceived | StockCounted
        if number % 2:
            entry = StockCounted(
                count=name,
                location=location,
                pool=pool.name,
                counted_at=at,
                lines=(CountLine(sku=sku, quantity=UNITS - 1),),
            )
        else:
            entry = GoodsReceived(
                receipt=name,
                location=location,
                pool=pool.name,
                received_at=at,
                lines=(ReceiptLine(sku=sku, quantity=7),),
            )
        yield Sent(_message_id(name), 1, _record(name, entry, at, pool.shard))


class Orders:
    """Draws orders, each for one pool: the same ones in each run.

    Args:
        shards: How many pools there are; orders go to them in turn.
        skus: How many skus there are.
    """

    def __init__(self, shards: int, skus: int) -> None:
        self._random = Random(20_260_105)
        self._shards = shards
        self._zipf = Zipf(skus)
        self._drawn = 0

    def take(self, count: int) -> Iterator[Sent]:
        """Yield the next so many orders."""
        for _ in range(count):
            yield self._order()

    def lines(self) -> OrderLines:
        """Return the lines of an order: (rank of the sku, units), each sku once."""
        wanted = self._random.choices(_LINES, _LINE_WEIGHTS)[0]
        ranks: dict[int, None] = {}
        while len(ranks) < wanted:
            ranks[self._zipf.draw(self._random)] = None
        return [(rank, self._random.randint(1, 3)) for rank in ranks]

    def _order(self) -> Sent:
        number = self._drawn
        self._drawn += 1
        random = self._random
        pool = Pool(number % self._shards)
        near = random.sample(pool.locations, WAREHOUSES)
        placed_at = START + timedelta(milliseconds=number)
        lines = self.lines()
        event = OrderPlaced(
            order=f"shop:{number:08}",
            customer=f"customer-{random.randrange(_CUSTOMERS)}",
            placed_at=placed_at,
            destination=Place(
                latitude=round(random.uniform(38, 40), 5),
                longitude=round(random.uniform(-86, -84), 5),
            ),
            lines=tuple(
                OrderLine(line=str(place), sku=sku_name(rank), quantity=units)
                for place, (rank, units) in enumerate(lines, 1)
            ),
            sourcing=(
                Sourcing(
                    pool=pool.name,
                    shard=pool.shard,
                    locations=tuple(
                        CandidateLocation(location=location, distance_km=10.5 * place)
                        for place, location in enumerate(near, 1)
                    ),
                ),
            ),
        )
        trace = f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-00"
        record = _record(event.order, event, placed_at, pool.shard, trace)
        return Sent(_message_id(event.order), len(lines), record)


def _parts(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for first in range(0, len(names), _LISTED):
        yield tuple(names[first : first + _LISTED])


def _message_id(name: str) -> str:
    return derive_id("bench", name)


def _record(
    name: str, event: LedgerEvent, time: datetime, shard: int, traceparent: str | None = None
) -> Outgoing:
    message = Message(_message_id(name), _SOURCE, time, event, traceparent=traceparent)
    headers, body = encode(message)
    return Outgoing(LEDGER.name, shard, None, headers, body)

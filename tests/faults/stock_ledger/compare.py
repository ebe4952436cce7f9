"""What a disturbed ledger must have in common with an undisturbed one, of the same log."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from restock_common.contracts import TYPES
from restock_common.contracts.envelope import Headers, Record, decode
from restock_common.contracts.stock import Level
from restock_common.contracts.topics import DEAD_LETTERS, DEMAND, FULFILMENT, LEDGER, SHARDS, STOCK
from restock_common.kafka import partition_of, read_to_end
from restock_common.postgres import Database, PostgresInbox
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition, Writer, transact
from stock_ledger import store
from stock_ledger.stream import SERVICE, LedgerApplication

PARTITIONS = [Partition(LEDGER.name, shard) for shard in range(SHARDS)]
SOURCES = {f"/restock/{SERVICE}/{LEDGER.name}/{shard}".encode(): shard for shard in range(SHARDS)}
OUTPUT = (STOCK, FULFILMENT, DEMAND, DEAD_LETTERS)

_BATCH = 1000
_PAGE = 5000
_SHOWN = 5
_NOT_OF_THE_LOG = frozenset(
    {
        *("cursors", "journal", "batches", "migrations"),
        *("audits", "audited", "audited_accounts"),
    }
)
"""Tables that tell of batches and of processes; what of them the log decides is compared apart."""
_OF_BATCHES = "ce_chainhead"
"""The header that depends on where batches were cut."""


async def rebuild(records: Sequence[Record], url: str) -> None:
    """Let nobody disturb a ledger that takes this log on an empty database."""
    database = Database(url)
    await database.open()
    await database.migrate(["restock_common", "stock_ledger"])
    inbox = PostgresInbox(database, keep_journal=True)
    for partition in PARTITIONS:
        epoch = (await inbox.take_over(partition)).epoch
        log = [record for record in records if record.partition == partition.number]
        for start in range(0, len(log), _BATCH):
            await transact(
                inbox,
                LedgerApplication(store),
                Writer(SERVICE, partition_of),
                partition,
                epoch,
                log[start : start + _BATCH],
            )
    await database.close()


async def books(database: Database) -> dict[str, list[str]]:
    """Return the rows of every table that the log alone decides, as sorted text.

    Numbers that the database gave out are left out; that they rise in the same order on each
    shard is not. Neither are columns that the wall clock fills.
    """
    found = {}
    async with database.connection() as connection:
        columns = defaultdict(list)
        for row in await connection.fetch(
            "SELECT table_name, column_name, is_identity, column_default"
            " FROM information_schema.columns WHERE table_schema = 'public'"
            " ORDER BY table_name, ordinal_position"
        ):
            if row["table_name"] in _NOT_OF_THE_LOG or "now()" in (row["column_default"] or ""):
                continue
            name = f'"{row["column_name"]}"'
            numbered = f"row_number() OVER (PARTITION BY shard ORDER BY {name})"
            columns[row["table_name"]].append(numbered if row["is_identity"] == "YES" else name)
        for table, expressions in columns.items():
            rows = await connection.fetch(
                f"SELECT one::text AS one FROM"
                f" (SELECT {', '.join(expressions)} FROM {table}) AS one ORDER BY 1"
            )
            found[table] = [row["one"] for row in rows]
    return found


async def standing(inbox: PostgresInbox) -> dict[int, dict[str, Any]]:
    """Return what the log decides of each shard's cursor."""
    standing = {}
    for shard, partition in enumerate(PARTITIONS):
        cursor = await inbox.cursor(partition)
        standing[shard] = {
            "next_offset": cursor.next_offset,
            "next_sequence": cursor.next_sequence,
            "log_identity": cursor.log_identity,
            "seen": cursor.seen,
            "watermarks": cursor.watermarks,
            "head": cursor.head.hex(),
        }
    return standing


async def journal(inbox: PostgresInbox, shard: int, *, kept_only: bool = False) -> dict[int, int]:
    """Return a digest of each entry of a shard's journal, by its sequence number."""
    digests: dict[int, int] = {}
    source = next(name.decode() for name, number in SOURCES.items() if number == shard)
    after = 0
    while page := await inbox.unpublished(PARTITIONS[shard], after, _PAGE):
        for entry in page:
            if entry.kept or not kept_only:
                record = entry.record(source)
                digests[entry.sequence] = _digest(
                    record.topic, record.partition, record.key, record.headers, record.body
                )
        after = page[-1].sequence
    return digests


@dataclass
class Told:
    """What a reader of all topics has taken of the ledger's own events.

    Attributes:
        taken: A digest of each event that it took, by shard and sequence number.
        levels: The last level that it was told, by shard, sku and location.
        passed_over: How many it had taken before.
        missed: What it passed over without having taken it before: there must be none.
        differing: What came again and was not the same: there must be none.
    """

    taken: dict[int, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    levels: dict[tuple[int, str, str], Level] = field(default_factory=dict)
    passed_over: int = 0
    missed: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    def read(self, record: Record, last: dict[tuple[str, int, int], tuple[int, int]]) -> None:
        """Take a record as every reader does: a position that is not newer is passed over.

        Args:
            record: The next one of its partition.
            last: The last position taken, by topic, partition and shard.
        """
        headers = dict(record.headers)
        shard = SOURCES.get(headers["ce_source"])
        if shard is None:
            return
        position = (int(headers["ce_incarnation"]), int(headers["ce_sequence"]))
        digest = _digest(
            record.topic, record.partition, record.key, record.headers, record.value or b""
        )
        place = f"shard {shard} sequence {position} at {record.topic}/{record.partition}"
        before = self.taken[shard].get(position[1])
        if before is not None and before != digest:
            self.differing.append(place)
        key = (record.topic, record.partition, shard)
        if position <= last.get(key, (0, 0)):
            self.passed_over += 1
            if before is None:
                self.missed.append(place)
            return
        last[key] = position
        self.taken[shard][position[1]] = digest
        if record.topic == STOCK.name:
            event = decode(record, TYPES).event
            if isinstance(event, Level):
                self.levels[shard, event.sku, event.location] = event


async def tell(kafka: KafkaSettings, log: Sequence[Record]) -> Told:
    """Read every output topic from its beginning; the ledger's own log has been read."""
    told = Told()
    last: dict[tuple[str, int, int], tuple[int, int]] = {}
    for record in log:
        told.read(record, last)
    for topic in OUTPUT:
        async for record in read_to_end(kafka, topic):
            told.read(record, last)
    return told


async def same_books(ours: Database, theirs: Database, told: Told) -> int:
    """Fail where two ledgers differ, or where readers were told anything else than they hold.

    Returns:
        How many events the ledger has published.
    """
    one, other = (PostgresInbox(database, keep_journal=True) for database in (ours, theirs))
    _equal("cursors", await standing(one), await standing(other))
    mine, undisturbed = await books(ours), await books(theirs)
    assert mine.keys() == undisturbed.keys()
    for table, rows in mine.items():
        _equal(table, dict(enumerate(rows)), dict(enumerate(undisturbed[table])))
    events = 0
    for shard in range(SHARDS):
        entries = await journal(other, shard)
        assert list(entries) == list(range(1, len(entries) + 1))
        kept, ours_kept = [await journal(two, shard, kept_only=True) for two in (other, one)]
        _equal(f"journal of shard {shard}", ours_kept, kept)
        _equal(f"what readers took of shard {shard}", told.taken[shard], entries)
        events += len(entries)
    await _same_levels(ours, told)
    return events


def _equal(what: str, found: Mapping[Any, Any], undisturbed: Mapping[Any, Any]) -> None:
    """Fail with the first differences of what may be too long to show."""
    keys = dict.fromkeys([*found, *undisturbed])
    differing = [
        f"{key}: {found.get(key, 'missing')} instead of {undisturbed.get(key, 'nothing')}"
        for key in keys
        if found.get(key) != undisturbed.get(key)
    ]
    lines = "\n".join(differing[:_SHOWN])
    assert not differing, f"{what}: {len(differing)} of {len(keys)} differ, the first are\n{lines}"


async def _same_levels(database: Database, told: Told) -> None:
    """The last level told of each balance is the balance."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT shard, sku, location, sum(reserved)::bigint AS reserved,"
            " sum(backordered)::bigint AS backordered,"
            " sum(free + reserved + held + damaged + quality_hold)::bigint AS on_hand"
            " FROM stock GROUP BY shard, sku, location"
        )
    balances = {
        (row["shard"], row["sku"], row["location"]): (
            row["on_hand"],
            row["reserved"],
            row["backordered"],
        )
        for row in rows
    }
    levels = {
        place: (level.on_hand, level.reserved, level.backordered)
        for place, level in told.levels.items()
    }
    _equal("levels told", levels, balances)


def _digest(topic: str, partition: int, key: bytes | None, headers: Headers, body: bytes) -> int:
    """Return a digest that is good within this process: there are many of them."""
    said = tuple(header for header in headers if header[0] != _OF_BATCHES)
    if topic == DEAD_LETTERS.name:
        body = b""  # encrypted, never twice to the same bytes
    return hash((topic, partition, key, said, body))

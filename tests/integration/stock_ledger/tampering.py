"""What nothing in the product does: changing the books behind its back."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.stock_ledger.harness import Ledger

from restock_common.postgres import Connection


async def tamper(ledger: Ledger, *statements: str) -> None:
    """Run statements past every trigger; each must change something."""
    async with ledger.database.transaction() as connection:
        await _past_triggers(connection)
        for statement in statements:
            assert await connection.execute(statement) not in {"UPDATE 0", "DELETE 0", "INSERT 0 0"}


@asynccontextmanager
async def saved(ledger: Ledger, tables: Sequence[str]) -> AsyncIterator[None]:
    """Put the tables right again in the end."""
    async with ledger.database.transaction() as connection:
        await connection.execute("CREATE SCHEMA saved")
        for table in tables:
            await connection.execute(f"CREATE TABLE saved.{table} AS TABLE {table}")
    yield
    async with ledger.database.transaction() as connection:
        await _past_triggers(connection)
        for table in tables:
            await connection.execute(f"DELETE FROM {table}")
            await connection.execute(
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE saved.{table}"
            )
        await connection.execute("DROP SCHEMA saved CASCADE")


async def restock_ledger(*arguments: str) -> tuple[int | None, bytes, bytes]:
    """Run the command as people do; return its exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("restock"),
        "ledger",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out, err


async def _past_triggers(connection: Connection) -> None:
    await connection.execute("SET LOCAL session_replication_role = replica")

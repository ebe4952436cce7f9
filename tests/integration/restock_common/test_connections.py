"""Connections to a real PostgreSQL that are lost, silent, given up or misused."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from tests.integration.restock_common.rig import terminate_others
from tests.integration.restock_common.silence import network_to
from tests.support import until

from restock_common.errors import InvariantBroken, Transient
from restock_common.postgres import Database


async def test_a_server_that_says_nothing_is_given_up_by_all_and_heals_at_once(
    database_url: str,
) -> None:
    """Whatever is asked: a statement, within a transaction, on a connection that is not there."""

    async def ask(*, transaction: bool) -> int:
        lend = opened.transaction if transaction else opened.connection
        async with lend() as connection:
            found: int = await connection.fetchval("SELECT 1")
            return found

    async with network_to(database_url) as (network, url):
        opened = Database(url, max_connections=4, within_s=0.5)
        await opened.open()
        assert await asyncio.gather(*(ask(transaction=n % 2 == 0) for n in range(3))) == [1] * 3
        network.speaks.clear()
        async with asyncio.timeout(20):  # of a minute that a statement alone may take
            answers = await asyncio.gather(
                *(ask(transaction=n % 2 == 0) for n in range(12)), return_exceptions=True
            )
        assert {type(one) for one in answers} == {Transient}
        network.speaks.set()
        assert await asyncio.gather(*(ask(transaction=n % 2 == 0) for n in range(3))) == [1] * 3
        await opened.close()


async def test_a_lost_connection_is_transient(database: Database, database_url: str) -> None:
    other = Database(database_url, max_connections=1)
    await other.open()

    async def lose_it() -> None:
        async with database.transaction() as connection:
            async with other.connection() as killer:
                await terminate_others(killer)
            await connection.fetchval("SELECT 1")

    with pytest.raises(Transient):
        await lose_it()
    await other.close()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_connection_that_ends_while_it_is_not_lent_is_transient(
    database: Database, database_url: str
) -> None:
    """However much of its end has been heard of when it is lent."""
    other = Database(database_url, max_connections=1)
    await other.open()

    async def answers() -> bool:
        with suppress(Transient):
            async with database.connection() as connection:
                return bool(await connection.fetchval("SELECT 1") == 1)
        return False

    for turns in range(100):
        await until(answers, what="a connection is lent", every_s=0.005)
        async with other.connection() as killer:
            await terminate_others(killer)
        for _ in range(turns):
            await asyncio.sleep(0)
        with suppress(Transient):
            async with database.transaction() as connection:
                await connection.fetchval("SELECT 1")
    await other.close()


@pytest.mark.parametrize("lend", [Database.connection, Database.transaction, Database.snapshot])
@pytest.mark.parametrize("ended", [False, True])
async def test_a_cancellation_is_not_lost_with_the_connection(
    database: Database, database_url: str, lend: Any, ended: bool
) -> None:
    """Who is told to end ends, and does not try again, also where the server was faster."""
    other = Database(database_url, max_connections=1)
    await other.open()
    lent = asyncio.Event()

    async def borrow() -> None:
        async with lend(database) as connection:
            await connection.fetchval("SELECT 1")
            lent.set()
            await (asyncio.sleep(60) if ended else connection.execute("SELECT pg_sleep(60)"))

    borrowing = asyncio.create_task(borrow())
    await lent.wait()
    if ended:
        async with other.connection() as killer:
            await terminate_others(killer)
    await asyncio.sleep(0.2)  # the pool hears of it
    borrowing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await borrowing
    await other.close()


async def test_a_server_that_is_not_there_is_transient() -> None:
    with pytest.raises(Transient, match="does not answer"):
        await Database("postgresql://nobody@127.0.0.1:1/nothing").open()


async def test_too_many_arguments_break_an_invariant(database: Database) -> None:
    """The driver's InterfaceError is a lost connection or a bug: told by the connection."""

    async def misuse() -> None:
        async with database.transaction() as connection:
            await connection.fetchval("SELECT 1", 7)

    with pytest.raises(InvariantBroken, match="expects 0 arguments"):
        await misuse()

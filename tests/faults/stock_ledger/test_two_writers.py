"""Two writers of the same shards: one is fenced, says so and writes no more."""

import asyncio
from itertools import chain
from pathlib import Path

import pytest
from tests.faults.stock_ledger.process import LedgerProcess
from tests.faults.stock_ledger.run import TIMEOUT_S, Run
from tests.support import until

from restock_common.contracts.topics import LEDGER, SHARDS
from restock_common.postgres import Database

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(TIMEOUT_S)]

ELSEWHERE = Path(__file__).with_name("elsewhere.py")
ALL = set(range(SHARDS))


async def test_of_two_that_do_not_know_of_each_other_the_later_one_writes(
    run: Run, tmp_path: Path
) -> None:
    (first,) = run.ledgers
    kafka, log = run.platform.kafka, tmp_path / "later.log"
    later = LedgerProcess(kafka, run.database_url, log, [str(ELSEWHERE)])
    later.start()
    try:

        async def fenced() -> bool:
            run.check()
            reason = await first.not_ready() or ""
            return reason.startswith("fenced") and not await first.offsets()

        await until(fenced, what="the first writer is fenced on every shard", timeout_s=60)
        await later.ready()
        lines = first.logged("fenced")
        assert sorted(line["partition"] for line in lines) == sorted(ALL)
        for line in lines:
            place = f"{LEDGER.name}/{line['partition']}"
            told = f"{place}: another writer has taken it over: its epoch is 2, ours is 1"
            assert (line["level"], line["reason"]) == ("error", told)
            assert told in (await first.not_ready() or "")

        run.ledgers = [later]
        await run.goes_on(await run.taken())
        await run.verdict("a second writer")
        first.check()
        assert await first.get("/health/live") == {"live": True, "reason": None}
        assert await first.offsets() == {}, "it does not take the shards back"
        assert later.logged("fenced") == []
    finally:
        await later.stop()


async def test_a_writer_that_stood_still_changes_nothing(run: Run, tmp_path: Path) -> None:
    """First in the middle of a batch, then the other one at any moment."""
    (stopped,) = run.ledgers
    other = LedgerProcess(run.platform.kafka, run.database_url, tmp_path / "other.log")
    await stop_in_a_batch(run, stopped)
    run.ledgers = [other]
    other.start()
    try:
        await goes_on_alone(run, other)
        assert other.logged("writer_stood_still"), "it held a cursor: its connection was ended"
        stopped.resume()
        await share(run, stopped, other)
        await run.moment(1)
        other.pause()
        await goes_on_alone(run, stopped)
        other.resume()
        await share(run, stopped, other)
        await run.verdict("writers that stood still")
    finally:
        await other.stop()


async def stop_in_a_batch(run: Run, ledger: LedgerProcess) -> None:
    """SIGSTOP a ledger while it has a transaction open that holds a cursor."""
    database = Database(run.database_url, max_connections=1)
    await database.open()

    async def stopped() -> bool:
        run.check()
        ledger.pause()
        await asyncio.sleep(0.3)  # what it had sent is seen to: it may have been the commit
        async with database.connection() as connection:
            held = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity JOIN pg_locks USING (pid)"
                " WHERE state = 'idle in transaction' AND relation = 'cursors'::regclass"
                " AND mode = 'RowShareLock'"  # SELECT FOR UPDATE
            )
        if not held:
            ledger.resume()
        return bool(held)

    await until(stopped, what="the ledger is stopped in the middle of a batch")
    await database.close()


async def goes_on_alone(run: Run, ledger: LedgerProcess) -> None:
    """Wait until one process has all shards, and goes on."""
    run.ledgers = [ledger]

    async def alone() -> bool:
        run.check()
        return set(await ledger.offsets()) == ALL

    await until(alone, what="it has all shards", timeout_s=60)
    await run.goes_on(await run.taken())


async def share(run: Run, *ledgers: LedgerProcess) -> None:
    """Wait until two processes share the shards, and go on."""
    run.ledgers = [*ledgers]

    async def shared() -> bool:
        run.check()
        owned = [sorted(await ledger.offsets()) for ledger in ledgers]
        ready = [await ledger.not_ready() is None for ledger in ledgers]
        return all(owned) and all(ready) and sorted(chain(*owned)) == sorted(ALL)

    await until(shared, what="they share the shards", timeout_s=60)
    await run.goes_on(await run.taken())

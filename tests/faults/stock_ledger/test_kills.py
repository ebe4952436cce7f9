"""SIGKILL at random moments under load: nothing is lost, nothing is applied twice.

`RESTOCK_FAULTS_SEED` repeats a run's load and moments; `RESTOCK_SOAK=1` strikes more often.
"""

import pytest
from tests.faults.stock_ledger.run import OTHER_KILLS, TIMEOUT_S, WRITER_KILLS, Run

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(TIMEOUT_S)]

_AWAY_S = 0.5
"""How long what was killed stays away at most; the others go on without it, and send to it."""


async def test_sigkill_of_the_writer(run: Run) -> None:
    (ledger,) = run.ledgers

    async def kill_and_start() -> None:
        ledger.kill()
        await run.moment(_AWAY_S)
        ledger.start()

    await run.strike(WRITER_KILLS, kill_and_start)
    await run.verdict(f"{WRITER_KILLS} kills of the writer")


async def test_sigkill_of_postgresql(run: Run) -> None:
    async def kill_and_restart() -> None:
        await run.platform.databases.kill()
        await run.moment(_AWAY_S)
        await run.platform.databases.restart()

    await run.strike(OTHER_KILLS, kill_and_restart)
    await run.verdict(f"{OTHER_KILLS} kills of PostgreSQL")


@pytest.mark.apache
async def test_sigkill_of_kafka(run: Run) -> None:
    """While it is away for the last time, the ledger is told to end: it does, and loses nothing."""
    (ledger,) = run.ledgers

    async def kill_and_restart() -> None:
        await run.platform.broker.kill()
        await run.moment(_AWAY_S)
        await run.platform.broker.restart()

    await run.strike(OTHER_KILLS - 1, kill_and_restart)
    await run.platform.broker.kill()
    assert await ledger.stop() == 0
    await run.platform.broker.restart()
    ledger.start()
    await run.verdict(f"{OTHER_KILLS} kills of Apache Kafka")

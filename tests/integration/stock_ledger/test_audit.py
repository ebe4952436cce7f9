"""The books are compared with themselves as they move; what differs is told until it agrees."""

import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger
from tests.unit.stock_ledger.building import counted, order, sourcing

from restock_common.contracts.ledger import Sourcing
from restock_common.settings import KafkaSettings
from stock_ledger.store import Audit, Auditor

pytestmark = pytest.mark.kafka


def north(shard: int) -> tuple[Sourcing]:
    return (sourcing("north", ["n1"], shard),)


async def moved(ledger: Ledger, shard: int) -> Auditor:
    """Return the auditor of a ledger in which something has moved on a shard."""
    await ledger.stream.start()
    await ledger.ready()
    asked = order("o", ("tea", 2), pools=north(shard))
    await ledger.send(shard, counted("c", "n1", ("tea", 5)), asked)
    await ledger.quiet()
    return Auditor(ledger.database)


async def audited(auditor: Auditor, shard: int) -> Audit:
    found = await auditor.audit(shard)
    assert found is not None
    return found


async def tamper(ledger: Ledger, statement: str) -> None:
    async with ledger.database.connection() as connection:
        await connection.execute(statement)


async def test_sound_books_agree_and_only_what_moved_is_read(
    kafka: KafkaSettings, database_url: str
) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        auditor = await moved(ledger, 0)
        hurried = Auditor(ledger.database, movements=1)
        assert await hurried.audit(0) is None, "more is to be read first"
        found = await audited(auditor, 0)
        assert found.drifts == []
        assert sum(found.accounts.values()) == 0
        assert (found.accounts["free"], found.accounts["reserved"]) == (3, 2)
        assert (await audited(auditor, 0)).movements == 0
        await ledger.send(0, order("p", ("tea", 9), pools=north(0)))
        await ledger.quiet()
        again = await audited(auditor, 0)
        assert (again.movements, again.drifts, again.accounts["backordered"]) == (3, [], 6)


async def test_a_balance_that_was_changed_by_hand_is_told_until_it_agrees(
    kafka: KafkaSettings, database_url: str
) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        auditor = await moved(ledger, 1)
        await tamper(ledger, "UPDATE stock SET free = free + 1 WHERE shard = 1")
        for _ in range(2):
            (drift,) = (await audited(auditor, 1)).drifts
            assert (drift["sku"], drift["invariant"]) == ("tea", "balance of free")
            assert (drift["expected"], drift["found"]) == (3, 4)
        await tamper(ledger, "UPDATE stock SET free = free - 1 WHERE shard = 1")
        assert (await audited(auditor, 1)).drifts == []


async def test_a_promise_without_its_units_is_told(kafka: KafkaSettings, database_url: str) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        auditor = await moved(ledger, 2)
        await tamper(ledger, "UPDATE pieces SET quantity = 1 WHERE shard = 2")
        (drift,) = (await audited(auditor, 2)).drifts
        assert drift["invariant"] == "open promises reserved"
        assert (drift["expected"], drift["found"]) == (1, 2)


async def test_what_rests_comes_round_too_a_little_at_a_time(
    kafka: KafkaSettings, database_url: str
) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        await moved(ledger, 3)
        await ledger.send(3, counted("d", "n1", ("coffee", 1), ("milk", 1)))
        await ledger.quiet()
        auditor = Auditor(ledger.database, places=1)
        compared = [(await audited(auditor, 3)).places for _ in range(4)]
        assert compared == [1, 1, 1, 1]
        await tamper(ledger, "UPDATE stock SET damaged = 1 WHERE shard = 3 AND sku = 'milk'")
        rounds = [(await audited(auditor, 3)).drifts for _ in range(4)]
        assert rounds[-1], "nothing moved, and it was found"
        assert [one["sku"] for drifts in rounds for one in drifts] == ["milk"] * len(
            [drifts for drifts in rounds if drifts]
        )
        await tamper(ledger, "DELETE FROM stock WHERE shard = 3 AND sku = 'coffee'")
        gone = [(await audited(Auditor(ledger.database), 3)).drifts for _ in range(2)][-1]
        assert {one["sku"] for one in gone} == {"coffee", "milk"}

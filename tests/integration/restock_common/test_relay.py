"""The relay's end, whenever it comes."""

import asyncio
from dataclasses import replace

from tests.integration.restock_common.rig import Rig

from restock_common.contracts.topics import DEMAND, LEDGER
from restock_common.runtime.relay import Relay
from restock_common.transact import JournalEntry, Partition

SHARD = Partition(LEDGER.name, 0)
_STEPS = 6


async def test_it_ends_also_where_it_is_just_waking_up(rig: Rig) -> None:
    """A revoked partition waits for it: a cancellation that gets lost would be waited for ever."""
    cursor = await rig.inbox.take_over(SHARD)
    async with rig.inbox.begin(SHARD, cursor.epoch) as work:
        await work.finish(replace(cursor, next_sequence=2), [])
    for steps in range(_STEPS):
        relay = Relay(rig.inbox, rig.producer, "/restock/test", cursor)
        await asyncio.sleep(0.1)  # it has nothing to do, and waits
        entry = JournalEntry(
            1, DEMAND.name, 0, None, "1", "restock.Thing.v1", "", None, None, 1, b"{}"
        )
        await relay.put([entry], replace(cursor, next_sequence=2))
        for _ in range(steps):
            await asyncio.sleep(0)
        await asyncio.wait_for(relay.stop(patience_s=0), timeout=10)

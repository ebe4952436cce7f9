"""Where a partition's state is taken from: the table, else its changelog, else the log itself.

The table is what RocksDB held and what Faust has replayed of the changelog over it. It can be a
mixture: Faust notes how far RocksDB has come only when it commits, so that older records are
replayed over newer ones; and it may stop before the changelog's end (a broker may tell an older
one, and a signal of an earlier rebalance may end the wait). A table that does not add up is passed
over for the changelog, read here to its end; and where a process that had been replaced without
knowing has written between, that does not add up either, the partition is learned from the log
again.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog

from forecaster.domain.checkpoint import Checkpoint, Loaded, Torn
from forecaster.domain.state import PartitionState
from restock_common import telemetry
from restock_common.kafka import read_partitions_to_end
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

log = structlog.get_logger()

Records = Iterable[tuple[bytes, bytes]]


class Checkpoints(Protocol):
    """How states are written down; the implementation is `forecaster.store`."""

    def head_name(self, partition: int) -> bytes:
        """Return the name of a partition's own record."""

    def checkpoint(self, state: PartitionState, complete: int, digest: int) -> Checkpoint:
        """Return what is to be written of a state."""

    def load(
        self, records: Records, numbers: Iterable[int], learner: str
    ) -> dict[int, Loaded | Torn]:
        """Return the partitions as of their last complete checkpoint."""

    def relearning(self, number: int, torn: Torn, learner: str) -> PartitionState:
        """Return a partition that learns its log again."""


async def restored(
    kafka: KafkaSettings,
    changelog: str,
    checkpoints: Checkpoints,
    table: Records,
    numbers: Sequence[int],
    learner: str,
) -> dict[int, Loaded]:
    """Return the partitions as they were left; none of them a mixture.

    Args:
        kafka: How to reach the broker.
        changelog: The name of the table's topic.
        checkpoints: How states are written down.
        table: Its records as Faust has restored them.
        numbers: Which partitions.
        learner: What learns.
    """
    found: dict[int, Loaded] = {}
    torn = _sorted_out(checkpoints.load(table, numbers, learner), found, "table")
    if torn:
        latest: dict[bytes, bytes] = {}
        partitions = [Partition(changelog, number) for number in torn]
        async for record in read_partitions_to_end(kafka, partitions):
            if record.key is not None and record.value is not None:
                latest[record.key] = record.value
        torn = _sorted_out(checkpoints.load(latest.items(), torn, learner), found, "changelog")
    for number, why in torn.items():
        telemetry.RESTORED.labels("log").inc()
        found[number] = Loaded(checkpoints.relearning(number, why, learner))
    return found


def _sorted_out(
    loaded: dict[int, Loaded | Torn], found: dict[int, Loaded], source: str
) -> dict[int, Torn]:
    """Put what is whole into `found`; return the rest."""
    torn: dict[int, Torn] = {}
    for number, one in loaded.items():
        if isinstance(one, Torn):
            torn[number] = one
            log.warning("state_torn", partition=number, source=source, reason=str(one))
        else:
            found[number] = one
            telemetry.RESTORED.labels(source).inc()
    return torn

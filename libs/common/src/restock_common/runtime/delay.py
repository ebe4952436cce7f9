"""How far a stream is behind the ends of its partitions, in records and in seconds."""

from collections.abc import Callable, Iterator, Mapping

from restock_common.telemetry import Behind
from restock_common.transact import Cursor, Partition

End = Callable[[Partition], int | None]


class Delay:
    """Remembers when each partition was last seen at its end, and how old what was taken is.

    Args:
        group: The consumer group that is told of.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._clear_at: dict[Partition, float] = {}
        self._happened: dict[Partition, float] = {}

    def took(self, partition: Partition, happened: float) -> None:
        """Note the event time of the last record taken (Unix seconds)."""
        self._happened[partition] = happened

    def caught_up(self, now: float, cursors: Mapping[Partition, Cursor], end: End) -> None:
        """Note which partitions have nothing that waits."""
        for partition, cursor in cursors.items():
            if cursor.next_offset >= (end(partition) or 0):
                self._clear_at[partition] = now

    def behind(self, now: float, cursors: Mapping[Partition, Cursor], end: End) -> Iterator[Behind]:
        """Yield how far each partition is behind.

        What waits has come after the partition was last clear, and is no older than what was taken
        before it: the later of both bounds its age. So a replay of old events is not behind.
        """
        for partition, cursor in list(cursors.items()):
            last = end(partition)
            if last is None:
                continue
            records = max(0, last - cursor.next_offset)
            bounds = (self._clear_at.get(partition), self._happened.get(partition))
            since = max((one for one in bounds if one is not None), default=now)
            seconds = max(0.0, now - since) if records else 0.0
            yield Behind(
                self._group, partition.topic, partition.number, last, records, round(seconds, 3)
            )

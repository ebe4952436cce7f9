"""Checkpoints as the component writes them, on a disk and a changelog that a crash can part."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from tests.unit.forecaster.sample import Shards, loaded, midnight, take_all

from forecaster import store
from forecaster.domain.checkpoint import Loaded
from forecaster.stream import Forecaster
from forecaster.stream.component import _Held
from restock_common.contracts.topics import DEMAND
from restock_common.settings import KafkaSettings


class Killed(Exception):
    """The process ended here."""


class Disk:
    """What a table writes: to the disk at once, and to the changelog unless it is killed first."""

    def __init__(self, disk: dict[bytes, bytes], changelog: dict[bytes, bytes]) -> None:
        self.disk = disk
        self.changelog = changelog
        self.killed_at: int | None = None
        """The write, counted from 0, that reaches the disk alone."""
        self.writes = 0
        self.changelog_topic_name = "changelog"

    def stored(self) -> Any:
        return self.disk.items()

    async def write(self, _event: object, records: Mapping[bytes, bytes]) -> None:
        self.disk.update(records)
        if self.writes == self.killed_at:
            raise Killed
        self.changelog.update(records)
        self.writes += 1


async def recovered(folder: Path, table: Disk) -> tuple[Forecaster, _Held]:
    """Return a component that has restored partition 0 from its disk."""
    found = Forecaster(
        kafka=KafkaSettings(),
        producer=Mock(),
        checkpoints=store,
        data_dir=folder,
        checkpoint_every_events=1,
        checkpoint_every_s=1,
    )
    found._table = table  # type: ignore[assignment]
    found._app = Mock(consumer=Mock(assignment=lambda: [Mock(partition=0, topic=DEMAND.name)]))
    found._check_log = AsyncMock()  # type: ignore[method-assign]
    await found._recovered()
    return found, found._held[0]


async def write(component: Forecaster, held: _Held) -> None:
    held.unacknowledged.append(Mock())
    await component._checkpoint(held)


def found(records: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the state that records hold."""
    one = loaded(records)
    assert isinstance(one, Loaded)
    return store.whole(one.state)


async def test_a_record_that_only_the_disk_had_reaches_the_changelog_before_what_follows(
    tmp_path: Path,
) -> None:
    """Killed behind a partition's record, started again, killed again, and the disk is lost."""
    shards = Shards()
    disk: dict[bytes, bytes] = {}
    changelog: dict[bytes, bytes] = {}

    async def run(killed_at: int | None, days: range) -> None:
        table = Disk(disk, changelog)
        table.killed_at = killed_at
        component, held = await recovered(tmp_path, table)
        for day in days:
            take_all(held.state, [shards.asks(day, "tea"), *shards.time(midnight(day + 1))])
            await write(component, held)

    await run(None, range(1))
    complete = found(changelog)
    with pytest.raises(Killed):
        await run(2, range(1, 2))  # 0 is what was restored, 1 the keys, 2 the partition
    assert found(changelog) == complete
    on_disk = found(disk)
    assert on_disk != complete
    with pytest.raises(Killed):
        await run(2, range(2, 3))
    assert found(changelog) == on_disk

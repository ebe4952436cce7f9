"""Tells when nothing is on its way any more, in any service and on any topic between them."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Self

import aiohttp
import orjson

from restock_common.contracts.topics import (
    CATALOGUE,
    DEMAND,
    FORECASTS,
    FULFILMENT,
    LEDGER,
    PROMOTIONS,
    STOCK,
    STOREFRONT_ORDERS,
)
from restock_common.errors import Transient
from restock_common.kafka import LogEnds
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

_READ = (
    STOREFRONT_ORDERS,
    LEDGER,
    STOCK,
    FULFILMENT,
    DEMAND,
    FORECASTS,
    CATALOGUE,
    PROMOTIONS,
)
_PARTITIONS = [Partition(topic.name, n) for topic in _READ for n in range(topic.partitions)]
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.12
_SHOWN_REASONS = 8

Statuses = dict[str, dict[str, Any] | None]


class NotQuiet(Exception):
    """Something was still on its way when patience ended; says what."""


class QuietWatch:
    """Watches services and logs over connections that it keeps.

    Statuses are read first and the logs' ends afterwards. Ends only grow: so where every reader
    stood at the end of its logs, nothing was written after its status was taken, and where nothing
    was unpublished or pending either, nothing will be. Two such looks in a row must agree, since a
    service puts its status together from parts that go on meanwhile.

    Args:
        urls: Where each service's HTTP door is, by name.
        kafka: How to reach the broker.
        check: Called on each look; raises where waiting has become pointless.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        kafka: KafkaSettings,
        *,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._urls = dict(urls)
        self._check = check
        self._http: aiohttp.ClientSession | None = None
        self._ends = LogEnds(kafka)
        self._read_by: dict[str, set[str]] = {}

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._ends.__aenter__()
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        if self._http is not None:
            await self._http.close()
        await self._ends.__aexit__()

    async def until_quiet(self, *, timeout_s: float, among: Collection[str] | None = None) -> None:
        """Return once all is quiet; a service that is down for a while is waited for.

        Args:
            timeout_s: How long to wait.
            among: Only these services and what they read; None for all, and every topic.

        Raises:
            NotQuiet: It is not so within `timeout_s` seconds.
        """
        urls = {name: url for name, url in self._urls.items() if among is None or name in among}
        deadline = time.monotonic() + timeout_s
        pause_s = _FIRST_PAUSE_S
        last: Statuses | None = None
        busy: list[str] = []
        while True:
            self._check()
            busy, reasons = await self._still(busy)
            statuses: Statuses = {}
            if not busy:
                statuses, reasons = await self._look(urls, whole=among is None)
                busy = [name for name, status in statuses.items() if _busy(name, status)]
            if not reasons and statuses == last:
                return
            last = None if reasons else statuses
            if time.monotonic() > deadline:
                shown = "; ".join(reasons[:_SHOWN_REASONS]) or "the statuses keep changing"
                raise NotQuiet(f"not quiet after {timeout_s:g} s: {shown}")
            if reasons:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    async def _still(self, names: list[str]) -> tuple[list[str], list[str]]:
        """Return which of the services that were busy still are, and why; the rest can wait."""
        found = await asyncio.gather(*(self._status(self._urls[name]) for name in names))
        reasons = {name: _busy(name, status) for name, status in zip(names, found, strict=True)}
        still = [name for name in names if reasons[name]]
        return still, [reason for name in still for reason in reasons[name]]

    async def _look(self, urls: Mapping[str, str], *, whole: bool) -> tuple[Statuses, list[str]]:
        found = await asyncio.gather(*(self._status(url) for url in urls.values()))
        statuses = dict(zip(urls, found, strict=True))
        reasons = [reason for name, status in statuses.items() for reason in _busy(name, status)]
        if reasons:
            return statuses, reasons
        read = self._read(statuses)
        try:
            bounds = await self._ends.bounds(_PARTITIONS if whole else read)
        except Transient as error:
            return statuses, [str(error)]
        ends = {partition: end for partition, (_, end) in bounds.items()}
        return statuses, _behind(statuses, ends)

    def _read(self, statuses: Statuses) -> Sequence[Partition]:
        """Return what these services read: all that they ever told, also while they rebalance."""
        for name, status in statuses.items():
            self._read_by.setdefault(name, set()).update((status or {})["offsets"])
        topics = {topic for name in statuses for topic in self._read_by[name]}
        return [partition for partition in _PARTITIONS if partition.topic in topics]

    async def _status(self, url: str) -> dict[str, Any] | None:
        assert self._http is not None, "QuietWatch is used as a context manager"
        try:
            async with self._http.get(f"{url}/v1/progress") as answer:
                return dict(orjson.loads(await answer.read())) if answer.ok else None
        except (aiohttp.ClientError, TimeoutError):
            return None


async def until_quiet(
    urls: Mapping[str, str],
    kafka: KafkaSettings,
    *,
    timeout_s: float,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Watch once; see `QuietWatch`, which is the quicker one for many times."""
    async with QuietWatch(urls, kafka, check=check) as watch:
        await watch.until_quiet(timeout_s=timeout_s)


def _busy(name: str, status: dict[str, Any] | None) -> list[str]:
    """Return why a service's own status says that it is not quiet."""
    if status is None:
        return [f"{name} does not answer"]
    reasons = [
        f"{name} has {status[what]} {what}" for what in ("unpublished", "pending") if status[what]
    ]
    return reasons if status["ready"] else [f"{name} is not ready", *reasons]


def _behind(statuses: Statuses, ends: Mapping[Partition, int]) -> list[str]:
    """Return which reader is not at the end of what it reads, and what nobody reads at all."""
    reasons = []
    read = set()
    for name, status in statuses.items():
        for topic, offsets in (status or {})["offsets"].items():
            for number, offset in offsets.items():
                partition = Partition(topic, int(number))
                read.add(partition)
                end = ends.get(partition, offset)
                if offset != end:
                    reasons.append(f"{name} is at {offset} of {end} on {topic}/{number}")
    reasons += [
        f"nobody reads {partition.topic}/{partition.number}"
        for partition in ends
        if partition not in read
    ]
    return reasons

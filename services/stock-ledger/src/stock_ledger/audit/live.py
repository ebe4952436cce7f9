"""Checks the invariants while the ledger runs, and tells them as metrics."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import structlog

from restock_common import telemetry
from restock_common.errors import Transient
from restock_common.runtime import Background
from stock_ledger import telemetry as own
from stock_ledger.store.auditing import Audit

log = structlog.get_logger()

_PAUSE_FOR_WORK = 9.0
"""Seconds of rest for a second of work: the ledger's own work goes first."""


class Audits(Protocol):
    """What compares the books with themselves."""

    async def audit(self, shard: int) -> Audit | None:
        """Return what was found; None where there is more to be read first."""


class LiveAudit(Background):
    """Audits the shards that this process writes, one after the other, again and again.

    Args:
        audits: Compares.
        owned: Tells the shards.
        every_s: The pause between two rounds; longer where a round took long.
    """

    name = "audit"

    def __init__(self, audits: Audits, owned: Callable[[], Iterable[int]], every_s: float) -> None:
        self._audits = audits
        self._owned = owned
        self._every_s = every_s

    async def _run(self) -> None:
        took = 0.0
        while True:
            await asyncio.sleep(max(self._every_s, _PAUSE_FOR_WORK * took))
            began = time.monotonic()
            for shard in sorted(self._owned()):
                try:
                    found = await self._audits.audit(shard)
                except Transient as error:
                    log.warning("audit_retry", shard=shard, error=str(error))
                else:
                    if found is not None:
                        tell(found)
            took = time.monotonic() - began


def oversold(drifts: Iterable[Mapping[str, Any]]) -> int:
    """Return the units that are promised and not there, by what does not agree."""
    units = 0
    for one in drifts:
        if one["invariant"].startswith("open promises"):
            units += max(0, one["expected"] - one["found"])
        else:
            units += max(0, -one["found"])
    return units


def tell(audit: Audit) -> None:
    """Set the metrics of a shard, and log what does not agree."""
    telemetry.LEDGER_SUM.labels(audit.shard).set(sum(audit.accounts.values()))
    for account, units in audit.accounts.items():
        telemetry.LEDGER_ACCOUNT_UNITS.labels(audit.shard, account).set(units)
    telemetry.LEDGER_DRIFTS.labels(audit.shard).set(len(audit.drifts))
    telemetry.LEDGER_NEGATIVE.labels(audit.shard).set(audit.negative)
    own.OVERSOLD.labels(audit.shard).set(oversold(audit.drifts))
    telemetry.LEDGER_AUDITED.labels(audit.shard).set(time.time())
    for one in audit.drifts:
        log.error("invariant_drift", shard=audit.shard, **one)

"""Time, in the log."""

from restock_common.contracts.ledger.base import LedgerEvent
from restock_common.units import Timestamp


class TimeAdvanced(LedgerEvent):
    """Everything before `until` has been sent on this partition: time is in the log.

    Published on every ledger partition by the clock, and passed on by each shard to every
    partition of its output topics, whose readers take the minimum over their sources.
    """

    until: Timestamp

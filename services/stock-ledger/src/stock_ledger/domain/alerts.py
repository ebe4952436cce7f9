"""What is wrong with a place, told from its level: each alert is raised once and cleared once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from restock_common.contracts.stock import AlertKind, Level
from stock_ledger.domain.model import Alert, Balance, Shelf
from stock_ledger.domain.view import View

Finding = tuple[AlertKind, str | None, str]
"""A kind, why it is wrong (None where it is right), and why it would be right."""


def of_level(view: View, level: Level, shelf: Shelf | None, issued_at: datetime) -> Iterator[Alert]:
    """Yield the alerts that a level changes: those to be raised, and those to be cleared.

    An alert that stands is to be cleared, any other to be raised.

    Args:
        view: Which alerts stand.
        level: As it is now.
        shelf: How the sku is kept there, where that was set.
        issued_at: When units last left.
    """
    for kind, wrong, right in _findings(level, shelf):
        key = (level.sku, level.location, "", kind)
        stands = view.fact(Alert, key) is not None
        if stands is (wrong is None):
            reason = right if wrong is None else wrong
            yield Alert(level.sku, level.location, "", kind, level.pool, reason, view.now)
    slow = view.fact(Alert, (level.sku, level.location, "", AlertKind.SLOW_MOVING))
    if slow is not None and (level.on_hand == 0 or not is_slow(view, issued_at)):
        yield replace(slow, reason=f"last left {issued_at.date()}", raised_at=view.now)


def expiring(balance: Balance, reason: str, at: datetime) -> Alert:
    """Return the alert that a lot expires soon, or no longer."""
    return Alert(
        balance.sku,
        balance.location,
        balance.lot,
        AlertKind.EXPIRING,
        balance.pool,
        reason,
        at,
    )


def is_slow(view: View, issued_at: datetime) -> bool:
    """Return whether units have not left for as long as the seller finds too long."""
    return issued_at < view.now - timedelta(days=view.rules.slow_moving_days)


def _findings(level: Level, shelf: Shelf | None) -> Iterator[Finding]:
    available = level.available
    yield (
        AlertKind.OUT_OF_STOCK,
        f"none of {level.on_hand} on hand can be promised" if available == 0 else None,
        f"{available} can be promised",
    )
    if shelf is None:
        return
    kept = level.reserved + level.held + level.damaged + level.quality_hold
    free = level.on_hand - kept
    yield (
        AlertKind.BELOW_SAFETY,
        f"{free} free, safety stock {shelf.safety_stock}" if free < shelf.safety_stock else None,
        f"{free} free, safety stock {shelf.safety_stock}",
    )
    limit = shelf.overstock_above
    over = limit is not None and level.on_hand > limit
    yield (
        AlertKind.OVERSTOCK,
        f"{level.on_hand} on hand, at most {limit} wanted" if over else None,
        f"{level.on_hand} on hand",
    )

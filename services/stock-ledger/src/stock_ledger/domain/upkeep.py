"""What only time brings about: lots expire, and what does not sell is told of."""

from datetime import datetime, timedelta

from restock_common.contracts.stock import AlertKind
from stock_ledger.domain.alerts import expiring, is_slow
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import SLOTS, Account, Alert, slot_of, total

_DAY = timedelta(days=1)


def set_expired_aside(draft: Draft) -> None:
    """Hold the free units of lots that have expired, and tell of those that soon will.

    What is reserved of them stays: its parcel is packed.
    """
    today = draft.now.date()
    soon = today + timedelta(days=draft.rules.expiring_days)
    for balance in draft.lots_expiring_by(soon):
        left = (balance.expires_on - today).days if balance.expires_on is not None else 0
        if balance.on_hand > 0:
            reason = f"{balance.on_hand} units, {left} days until {balance.expires_on}"
            draft.raise_alert(expiring(balance, reason, draft.now))
        if left < 0 and balance.free > 0:
            draft.shift(
                (balance.sku, balance.location),
                balance.pool,
                (Account.FREE, Account.QUALITY_HOLD),
                balance.free,
                balance.lot,
            )


def look_over(draft: Draft, since: datetime) -> None:
    """Tell of what has not left for long: each sku once a day, at its own second.

    Spread over the day, so that no single advance of time has a whole warehouse to look over.
    """
    for sku, location in draft.places():
        if not is_due(sku, since, draft.now):
            continue
        whole = total(draft.lots(sku, location))
        if whole.on_hand > 0 and is_slow(draft, whole.issued_at):
            reason = f"{whole.on_hand} on hand, none has left since {whole.issued_at.date()}"
            draft.raise_alert(
                Alert(sku, location, "", AlertKind.SLOW_MOVING, whole.pool, reason, draft.now)
            )


def is_due(sku: str, since: datetime, until: datetime) -> bool:
    """Return whether a sku's second of the day lies in (since, until]."""
    first, last = due_slots(since, until)
    slot = slot_of(sku)
    return first <= slot < last or first <= slot + SLOTS < last


def due_slots(since: datetime, until: datetime) -> tuple[int, int]:
    """Return the seconds of the day that lie in (since, until], as a range that may pass midnight.

    Returns:
        First and last + 1; from `SLOTS` on they are those of the next day. At most a whole day.
    """
    if until - since >= _DAY:
        return 0, SLOTS
    first = _second_of_day(since) + 1
    last = _second_of_day(until) + 1
    return (first, last) if last >= first else (first, last + SLOTS)


def _second_of_day(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second

"""When a supplier's review is due: on the days on which it takes orders, before its cut-off."""

from datetime import UTC, date, datetime, time, timedelta

from restock_common.contracts.catalogue import SupplierTerms

BEFORE_CUT_OFF = timedelta(minutes=30)
"""An order leaves this long before nobody takes it any more."""

_WEEK = 7


def latest_review(told: SupplierTerms, now: datetime) -> date | None:
    """Return the last day whose review could be made by a time; None where no day of a week can.

    Args:
        told: The supplier's weekdays and cut-off; without them every day, from midnight (UTC) on.
        now: What is known up to, in UTC.
    """
    for back in range(_WEEK + 1):
        day = now.date() - timedelta(days=back)
        if told.order_weekdays and day.weekday() not in told.order_weekdays:
            continue
        if told.cut_off is None or now >= _cut(day, told.cut_off):
            return day
    return None


def is_due(last: date | None, candidate: date | None, review_period_days: float) -> bool:
    """Return whether a review is to be made for a day, where the last one was for another."""
    if candidate is None:
        return False
    return last is None or (candidate - last).days >= max(1, int(review_period_days))


def _cut(day: date, cut_off: time) -> datetime:
    return datetime.combine(day, cut_off.replace(tzinfo=None), tzinfo=UTC) - BEFORE_CUT_OFF

"""Which wave a shipment belongs to, and when that wave's vans drive: by event time alone."""

from datetime import datetime, timedelta

from dispatcher.domain.model import Wave
from restock_common.contracts.envelope import derive_id

_DAY = timedelta(days=1)


def cut_off_after(moment: datetime, hour: int) -> datetime:
    """Return the first cut-off later than a moment: each day at `hour`, UTC."""
    cut_off = moment.replace(hour=hour, minute=0, second=0, microsecond=0)
    return cut_off if cut_off > moment else cut_off + _DAY


def open_cut_off(allocated_at: datetime, mark: datetime | None, hour: int) -> datetime:
    """Return the cut-off of the wave that takes an allocation in.

    It is the one after the allocation, unless time has passed it on this log: a wave that has
    closed takes in nothing more, so a late allocation goes with the next.
    """
    since = allocated_at if mark is None else max(allocated_at, mark)
    return cut_off_after(since, hour)


def service_day(cut_off: datetime) -> datetime:
    """Return the midnight UTC that begins the day on which a wave's vans drive."""
    midnight = cut_off.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == cut_off else midnight + _DAY


def new_wave(location: str, source: str, cut_off: datetime) -> Wave:
    """Return an empty wave; its id follows from the warehouse and the cut-off."""
    return Wave(derive_id("wave", location, cut_off.isoformat()), location, source, cut_off)

"""Which wave a shipment belongs to, and when that wave's vans drive: by event time alone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from dispatcher.domain.model import DayPlan, Wave, WaveKind
from dispatcher.domain.rules import Rules
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import DeliveryWindow

_DAY = timedelta(days=1)


def cut_off_after(moment: datetime, hour: int) -> datetime:
    """Return the first cut-off later than a moment: each day at `hour`, UTC."""
    cut_off = moment.replace(hour=hour, minute=0, second=0, microsecond=0)
    return cut_off if cut_off > moment else cut_off + _DAY


def slot_after(moment: datetime, length: timedelta) -> datetime:
    """Return the first end of a slot that is later than a moment; slots are cut from midnight."""
    midnight = midnight_of(moment)
    return midnight + ((moment - midnight) // length + 1) * length


def midnight_of(moment: datetime) -> datetime:
    """Return the midnight UTC before a moment."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def service_day(cut_off: datetime) -> datetime:
    """Return the midnight UTC that begins the day on which a regular wave's vans drive."""
    midnight = midnight_of(cut_off)
    return midnight if midnight == cut_off else midnight + _DAY


def moment_of(wave: Wave) -> datetime:
    """Return when a closed wave could first be planned: what leaves before is past."""
    assert wave.closed_at is not None, f"wave {wave.wave} is still gathering"
    return wave.closed_at if wave.kind is WaveKind.REPAIR else min(wave.cut_off, wave.closed_at)


def new_wave(location: str, source: str, cut_off: datetime, number: int = 0) -> Wave:
    """Return an empty regular wave; its id follows from warehouse, cut-off and number."""
    told = () if number == 0 else (number,)
    wave = derive_id("wave", location, cut_off.isoformat(), *told)
    return Wave(wave, location, source, cut_off, service_day(cut_off), number=number)


def urgent_wave(
    location: str, source: str, cut_off: datetime, day: datetime, number: int = 0
) -> Wave:
    """Return an empty wave for what cannot wait."""
    wave = derive_id("urgent", location, cut_off.isoformat(), day.isoformat(), number)
    return Wave(wave, location, source, cut_off, day, kind=WaveKind.URGENT, number=number)


def repair_wave(plan: DayPlan, source: str, since: datetime, now: datetime, cause: str) -> Wave:
    """Return the wave of what a vehicle leaves behind; it has closed and is planned at once."""
    wave = derive_id("repair", plan.plan, since.isoformat(), cause)
    closed_at = max(since, now)
    return Wave(
        wave, plan.location, source, since, plan.day, kind=WaveKind.REPAIR, closed_at=closed_at
    )


def wave_for(
    window: DeliveryWindow | None,
    location: str,
    source: str,
    since: datetime,
    waves: Mapping[str, Wave],
    rules: Rules,
) -> Wave:
    """Return the open wave that takes in what comes at a time; a new one where none is there.

    It is the regular one, unless the window ends before the day on which that one's vehicles
    drive, and something can still be done about it.

    Args:
        window: When the customer can take it.
        location: The warehouse.
        source: The writer of its allocations and its time.
        since: The allocation's time, or the writer's where that is later: a wave that has closed
            takes in nothing more, so a late allocation goes with the next.
        waves: The warehouse's waves that are not planned yet, by id.
        rules: Cut-off hour and length of the urgent waves' slots.
    """
    fresh = new_wave(location, source, cut_off_after(since, rules.cut_off_hour))
    if window is not None:
        slot = slot_after(since, rules.urgent)
        if slot < window.latest < fresh.day:
            day = max(midnight_of(slot), midnight_of(window.earliest))
            fresh = urgent_wave(location, source, slot, day)
    alike = [one for one in waves.values() if _alike(one, fresh)]
    open_ones = [one for one in alike if one.closed_at is None]
    assert open_ones or not alike, f"{fresh.wave} has closed, and was followed by none"
    return open_ones[0] if open_ones else fresh


def following(
    location: str, source: str, since: datetime, waves: Mapping[str, Wave], rules: Rules
) -> Wave:
    """Return the regular wave for what was not served, or not delivered, at a time.

    It may have closed in the meantime, as long as it is not planned.
    """
    fresh = new_wave(location, source, cut_off_after(since, rules.cut_off_hour))
    alike = [one for one in waves.values() if _alike(one, fresh)]
    return min(alike, key=lambda one: (one.closed_at is not None, -one.number), default=fresh)


def admitted(wave: Wave, source: str, since: datetime, rules: Rules) -> tuple[Wave, ...]:
    """Return an open wave with one shipment more; closed, and the next one opened, where full."""
    grown = replace(wave.with_more(1), source=source)
    if grown.size < rules.wave_size_max:
        return (grown,)
    closed = replace(grown, closed_at=since)
    if wave.kind is WaveKind.URGENT:
        later = urgent_wave(wave.location, source, wave.cut_off, wave.day, wave.number + 1)
    else:
        later = new_wave(wave.location, source, wave.cut_off, wave.number + 1)
    return closed, later


def _alike(one: Wave, other: Wave) -> bool:
    return (one.location, one.kind, one.cut_off, one.day) == (
        other.location,
        other.kind,
        other.cut_off,
        other.day,
    )

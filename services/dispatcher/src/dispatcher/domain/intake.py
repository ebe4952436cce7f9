"""An allocation comes in: it waits in the wave that is open for it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from dispatcher.domain.change import Change
from dispatcher.domain.model import Shipment, Status, Wave
from dispatcher.domain.waves import new_wave, open_cut_off
from restock_common.contracts.fulfilment import OrderAllocated


def take_in(
    event: OrderAllocated,
    *,
    source: str,
    traceparent: str | None,
    mark: datetime | None,
    waves: Mapping[str, Wave],
    cut_off_hour: int,
) -> Change:
    """Put a new allocation into its wave.

    Args:
        event: The allocation; it is not known yet.
        source: The writer of its shard.
        traceparent: The order's trace.
        mark: The latest time told by that writer.
        waves: The waves of the warehouse that are not planned yet, by id.
        cut_off_hour: When waves close, UTC.
    """
    cut_off = open_cut_off(event.allocated_at, mark, cut_off_hour)
    fresh = new_wave(event.location, source, cut_off)
    wave = waves.get(fresh.wave, fresh)
    assert wave.closed_at is None, f"wave {wave.wave} has closed and takes in nothing"
    units: dict[str, int] = {}
    for line in event.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    shipment = Shipment(
        allocation=event.allocation,
        order=event.order,
        location=event.location,
        shard=event.shard,
        destination=event.destination,
        window=event.window,
        units=units,
        allocated_at=event.allocated_at,
        traceparent=traceparent,
        status=Status.WAITING,
        wave=wave.wave,
    )
    return Change(
        shipments=(shipment,), waves=(replace(wave, source=source, version=wave.version + 1),)
    )

"""An allocation comes in: it waits in the wave that is open for it."""

from collections.abc import Mapping
from datetime import datetime

from dispatcher.domain.change import Change
from dispatcher.domain.model import Shipment, Status, Wave
from dispatcher.domain.rules import Rules
from dispatcher.domain.waves import admitted, wave_for
from restock_common.contracts.fulfilment import OrderAllocated


def take_in(
    event: OrderAllocated,
    *,
    source: str,
    traceparent: str | None,
    mark: datetime | None,
    waves: Mapping[str, Wave],
    rules: Rules,
) -> Change:
    """Put a new allocation into its wave.

    Args:
        event: The allocation; it is not known yet.
        source: The writer of its shard.
        traceparent: The order's trace.
        mark: The latest time told by that writer.
        waves: The waves of the warehouse that are not planned yet, by id.
        rules: When waves close.
    """
    since = event.allocated_at if mark is None else max(event.allocated_at, mark)
    wave = wave_for(event.window, event.location, source, since, waves, rules)
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
    return Change(shipments=(shipment,), waves=admitted(wave, source, since, rules))

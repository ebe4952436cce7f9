"""Which order a delivery shows, and in which state: so that what was told is not taken again."""

from datetime import datetime
from hashlib import blake2b

from order_ingest.domain.channels.base import Shown
from order_ingest.domain.channels.snapshots import Snapshot
from order_ingest.domain.gaps import number_in


def shown_in(snapshot: Snapshot, number: str, changed_at: datetime | None) -> Shown:
    """Return the order that a snapshot shows.

    Its state is told from what is to be shipped, from where and until when, and from nothing that
    is known of a person.

    Args:
        snapshot: The order.
        number: What the shop calls it.
        changed_at: When it last changed; None where it is as it was placed.
    """
    changed_at = changed_at or snapshot.placed_at
    told = (changed_at, snapshot.cancelled_at, snapshot.test, snapshot.items, snapshot.backs)
    digest = blake2b(repr(told).encode(errors="replace"), digest_size=8).digest()
    return Shown(
        order=snapshot.order,
        number=number_in(number),
        placed_at=snapshot.placed_at,
        changed_at=changed_at,
        state=int.from_bytes(digest, "big", signed=True),
    )

"""The life of a need: opened, deferred for a reason, covered by one order line, or gone.

A place has at most one need without an order line; once a line covers it, the line is the need's
only record, and the units on their way count in the inventory position.
"""

from datetime import datetime

from replenisher.domain.model import Need, NeedState, Position
from restock_common.contracts.envelope import derive_id


def need_id(position: Position) -> str:
    """Return the id of the place's next need: it is numbered by the order lines before it.

    So it depends neither on how records fell into batches nor on how two topics interleave.
    """
    return derive_id("need", *position.place, position.lines_placed)


def revise(position: Position, *, short: bool, deferral: str | None, at: datetime) -> bool:
    """Bring a place's need in line with what is known now; return whether anything changed.

    Args:
        position: The place; its need is replaced.
        short: Whether the inventory position is at or below the reorder point.
        deferral: Why it cannot be ordered for; None where it can.
        at: When this was found.
    """
    old = position.need
    if not short:
        new = None
    else:
        state = NeedState.OPEN if deferral is None else NeedState.DEFERRED
        opened_at = at if old is None else old.opened_at
        new = Need(need_id(position), state, opened_at, deferral)
    position.need = new
    return new != old

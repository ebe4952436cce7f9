"""The life of a need: opened, deferred for a reason, covered by one order line, or gone.

A place has at most one need without an order line; once a line covers it, the line is the need's
only record, and the units on their way count in the inventory position. A line that is rejected,
cancelled or delivered short for good gives its need back, as the next revision.
"""

from dataclasses import replace

from replenisher.domain.model import Answered, Cause, Need, NeedState, Position
from restock_common.contracts.envelope import derive_id


def opened(position: Position, cause: Cause, answered: Answered | None = None) -> Need:
    """Return a need that a message opens: a new one, or the next revision of one that was answered.

    The order lines before it count as well: the forecaster may repeat itself under the same id, and
    a need that such a message opens after an order is another one.
    """
    if answered is not None:
        return Need(answered.id, NeedState.OPEN, cause.at, revision=answered.revision + 1)
    return Need(
        derive_id("need", *position.place, position.lines_placed, cause.id),
        NeedState.OPEN,
        cause.at,
    )


def revise(
    position: Position,
    *,
    short: bool,
    deferral: str | None,
    cause: Cause,
    answered: Answered | None = None,
    reviewing: bool = True,
) -> bool:
    """Bring a place's need in line with what is known now; return whether anything changed.

    Args:
        position: The place; its need is replaced.
        short: Whether the inventory position is at or below the reorder point.
        deferral: Why it cannot be ordered for; None where it can.
        cause: What made the place be looked at.
        answered: The need whose order line has just gone, if one has.
        reviewing: Whether what is deferred may be ordered for again; else it keeps its reason,
            since only a review can tell whether a budget or a lorry has room for it now.
    """
    old = position.need
    if not short:
        new = None
    else:
        need = old or opened(position, cause, answered)
        if deferral is None and not reviewing:
            deferral = need.reason
        state = NeedState.OPEN if deferral is None else NeedState.DEFERRED
        new = replace(need, state=state, reason=deferral)
    position.need = new
    return new != old

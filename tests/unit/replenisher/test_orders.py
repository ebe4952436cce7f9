"""What people and suppliers tell of purchase orders, and what becomes of the needs behind them."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.replenisher.world import (
    DAY,
    MIDNIGHT,
    POLICY,
    World,
    catalogue,
    forecast,
    level,
    only,
    receipt,
)

from replenisher.domain.model import OrderState
from replenisher.domain.orders import Action, OrderCommand, OrdersLate
from replenisher.domain.terms import Policy
from restock_common.contracts.event import Event
from restock_common.contracts.replenishment import (
    PurchaseOrderAcknowledged,
    PurchaseOrderApproved,
    PurchaseOrderCancelled,
    PurchaseOrderClosed,
    PurchaseOrderLate,
    PurchaseOrderPlaced,
    PurchaseOrderProposed,
)

ASKING = Policy(POLICY.cover_days, POLICY.lead_time_prior_weight, approval_limit=1.0)


def world(policy: Policy = POLICY) -> World:
    known = catalogue(["a", "b"])
    for sku in ("a", "b"):
        known.apply(known.products[sku].model_copy(update={"unit_cost": 2.0}))
    made = World(known, policy)
    made.take(level("a", 0), level("b", 0), forecast("a", 2.0), forecast("b", 2.0))
    return made


def tell(made: World, order: str, action: Action, number: int = 1, **told: object) -> list[Event]:
    return made.take(
        OrderCommand.model_validate(
            {
                "command": f"{action}-{number}",
                "purchase_order": order,
                "action": action,
                "by": "ada",
                "at": MIDNIGHT + timedelta(hours=1),
                **told,
            }
        )
    )


def test_an_order_below_the_limit_is_placed_and_a_dearer_one_waits() -> None:
    assert len(world().take_review().orders) == 1
    made = world(ASKING)
    reviewed = made.take_review()
    assert reviewed.orders == []
    (proposal,) = reviewed.proposals
    assert proposal.value > 1.0
    assert made.review(MIDNIGHT + DAY) == [], "a need that is proposed for is covered"

    approved, placed = tell(made, proposal.purchase_order, Action.APPROVE)
    assert isinstance(approved, PurchaseOrderApproved)
    assert isinstance(placed, PurchaseOrderPlaced)
    assert placed.lines == proposal.lines
    assert placed.expected_at == MIDNIGHT + timedelta(hours=1) + 3 * DAY
    assert tell(made, proposal.purchase_order, Action.APPROVE, 2) == []
    assert made.state.outcomes["approve-2"] == "it is placed: approve is not possible"


def test_a_rejected_need_comes_back_as_its_next_revision() -> None:
    made = world(ASKING)
    (proposal,) = made.take_review().proposals
    (cancelled,) = tell(made, proposal.purchase_order, Action.REJECT)
    assert isinstance(cancelled, PurchaseOrderCancelled)
    assert cancelled.complete
    assert made.state.orders[proposal.purchase_order].state is OrderState.CANCELLED
    need = made.position("a").need
    assert need is not None
    assert (need.id, need.revision) == (proposal.lines[0].need, 2)
    assert made.position("a").on_order == 0
    (again,) = made.take_review(MIDNIGHT + DAY).proposals
    assert [(line.need, line.need_revision) for line in again.lines] == [
        (line.need, 2) for line in proposal.lines
    ]


def test_a_cancelled_line_whose_place_is_no_longer_short_leaves_no_need() -> None:
    made = world()
    order = only(made.review())
    made.take(level("a", 500))
    tell(made, order.purchase_order, Action.CANCEL, lines={order.lines[0].order_line: 0})
    assert made.position("a").need is None
    assert made.state.orders[order.purchase_order].open_lines == 1


def test_a_short_receipt_reopens_what_will_not_come() -> None:
    made = world()
    order = only(made.review())
    made.take(receipt(order, 0, 1), receipt(order, 1, order.lines[1].quantity, name="r2"))
    assert made.state.orders[order.purchase_order].state is OrderState.PARTLY_RECEIVED
    missing = order.lines[0].quantity - 1
    cancelled, closed = tell(made, order.purchase_order, Action.CLOSE_SHORT)
    assert isinstance(cancelled, PurchaseOrderCancelled)
    assert [line.quantity for line in cancelled.lines] == [missing]
    assert isinstance(closed, PurchaseOrderClosed)
    need = made.position("a").need
    assert need is not None
    assert (need.id, need.revision) == (order.lines[0].need, 2)
    # What comes all the same is on the shelf, and no longer on order.
    made.take(receipt(order, 0, missing, name="r3"))
    assert made.position("a").on_order == 0


def test_an_edit_changes_units_and_takes_lines_out() -> None:
    made = world(ASKING)
    (proposal,) = made.take_review().proposals
    a, b = (line.order_line for line in proposal.lines)
    events = tell(made, proposal.purchase_order, Action.EDIT, lines={a: 7, b: 0})
    told = events[-1]
    assert isinstance(told, PurchaseOrderProposed)
    assert [(line.order_line, line.quantity) for line in told.lines] == [(a, 7)]
    assert (told.revision, told.value) == (2, 14.0)
    assert (made.position("a").on_order, made.position("b").on_order) == (7, 0)
    assert made.position("b").need is not None


def test_a_split_makes_two_proposals_of_one() -> None:
    made = world(ASKING)
    (proposal,) = made.take_review().proposals
    name = proposal.lines[1].order_line
    kept, other = tell(made, proposal.purchase_order, Action.SPLIT, lines={name: 0})
    assert isinstance(kept, PurchaseOrderProposed)
    assert isinstance(other, PurchaseOrderProposed)
    assert [line.sku for line in kept.lines + other.lines] == ["a", "b"]
    assert other.purchase_order != kept.purchase_order
    assert kept.value + other.value == pytest.approx(proposal.value)
    tell(made, other.purchase_order, Action.APPROVE)
    assert made.state.orders[kept.purchase_order].state is OrderState.PROPOSED


def test_a_late_order_is_told_once_for_each_time_that_it_was_expected_at() -> None:
    made = world()
    order = only(made.review())
    late = OrdersLate(purchase_orders=(order.purchase_order,), noticed_at=MIDNIGHT + 4 * DAY)
    (told,) = made.take(late)
    assert isinstance(told, PurchaseOrderLate)
    assert told.expected_at == MIDNIGHT + 3 * DAY
    assert made.take(late) == []
    (acknowledged,) = tell(
        made, order.purchase_order, Action.ACKNOWLEDGE, expected_at=MIDNIGHT + 6 * DAY
    )
    assert isinstance(acknowledged, PurchaseOrderAcknowledged)
    assert made.take(late) == [], "not before what the supplier says now"
    later = late.model_copy(update={"noticed_at": MIDNIGHT + 7 * DAY})
    assert len(made.take(later)) == 1


@pytest.mark.parametrize(
    ("action", "told", "refusal"),
    [
        (Action.EDIT, {}, "an edit names the lines and their units"),
        (Action.EDIT, {"lines": {"x": 1}}, "there is no open line 'x' in it"),
        (Action.SPLIT, {}, "a split names some of the open lines, not all of them"),
        (Action.CANCEL, {}, "it is proposed: cancel is not possible"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    action: Action, told: dict[str, Any], refusal: str
) -> None:
    made = world(ASKING)
    (proposal,) = made.take_review().proposals
    before = made.position("a").on_order
    assert tell(made, proposal.purchase_order, action, **told) == []
    assert made.state.outcomes[f"{action}-1"] == refusal
    assert made.position("a").on_order == before
    assert tell(made, "unheard of", action, 2, **told) == []
